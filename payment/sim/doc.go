// Package sim is the Till: an ePayment service in memory, with what belongs to it
// (receipts and links in the app, codes, webhooks, reports), for the demonstration,
// for tests over real HTTP, and for the simulator. It keeps the published rules
// of the API to the letter, and where nothing is published it takes the reading
// that is harder on its client. It moves no money, and talks to nobody but the
// receivers of its webhooks.
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
// Requests are checked by a table written from the published descriptions
// (ePayment 1.8.1, Order Management 2.1, QR 1.0, Webhooks v1, Report 2.0): unknown
// members, patterns, lengths, enumerations. The descriptions themselves are used
// in tests only.
//
// Time is the caller's. A payer's delay and a late request lie in a queue that
// is worked off, in order, whenever the Till is touched or ticked; so a test can
// run hours in no time, and answering needs no goroutine of its own. Webhooks go
// out when somebody calls Deliver. Serve does, in one goroutine, so a receiver that
// hangs holds up the others for ten seconds; their pauses are in the Till's time.
//
// Beside payments the Till is a merchant's whole account, but smaller: there are no
// images and no third version of categories, nothing is paid out, a day of the
// ledger is one of UTC, and reports are there at once. Codes are pictures of words
// that nobody can scan. A refusal from a fault script sticks to its key like one of
// the Book's own, so a client that never changes its key is found out.
//
// http is taken towards loopback where the real service wants https for pages and
// webhooks; targets of codes are https, as described.
//
// The sales unit that the Till plays has no special approvals: no long-living
// payments, no user information, no Express, no free-standing cards.
package sim
