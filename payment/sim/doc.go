// Package sim is the Till: an ePayment service in memory, for the demonstration,
// for tests over real HTTP, and for the simulator. It keeps the published rules
// of the API to the letter, and where nothing is published it takes the reading
// that is harder on its client. It moves no money and talks to nobody.
//
// # Why
//
// There are two layers. Book is the provider's rules and nothing else: no clock,
// no goroutine, no lock, no HTTP. The simulator calls it directly, tens of
// thousands of payments a second; the Till puts HTTP, a payer and faults around
// the same Book, so both are tested against one set of rules.
//
// What the provider does not promise is not promised here either. A refused key
// stays refused, a busy answer is not remembered, the state stays AUTHORIZED
// whatever is captured, and a lost answer looks like a lost request.
//
// Requests are checked by a table written from the published description
// (ePayment 1.8.1): unknown members, patterns, lengths, enumerations. The
// description itself is used in tests only.
//
// Time is the caller's. A payer's delay and a late request lie in a queue that
// is worked off, in order, whenever the Till is touched or ticked; so a test can
// run hours in no time, and the Till needs no goroutine of its own.
//
// The sales unit that the Till plays has no special approvals: no long-living
// payments, no user information, no Express, no free-standing cards.
package sim
