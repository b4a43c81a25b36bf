package sim

import "time"

// Call is an API request, as far as rate limits and faults tell them apart.
type Call uint8

// The calls.
const (
	NoCall Call = iota
	TokenCall
	CreateCall
	GetCall
	EventsCall
	CaptureCall
	CancelCall
	RefundCall
	ApproveCall  // force approve, which exists in the test environment only
	ReceiptCall  // Order Management: the receipt
	CategoryCall // Order Management: the link
	OrderCall    // Order Management: reading both back
	QRCall       // QR API, all of it
	HookCall     // Webhooks API, all of it
	LedgerCall   // Report API: the list of ledgers
	ReportCall   // Report API: what is in one
	calls
)

// String gives the call as the word used in fault scripts.
func (c Call) String() string {
	return [calls]string{"none", "token", "create", "get", "events", "capture", "cancel", "refund", "approve",
		"receipt", "category", "order", "qr", "webhooks", "ledgers", "report"}[c]
}

// FaultKind is what goes wrong with one request.
type FaultKind uint8

// The faults. Which of them took effect, the caller cannot tell.
const (
	NoFault     FaultKind = iota
	RequestLost           // the connection breaks; no effect
	AnswerLost            // effect, and then the connection breaks
	Late                  // the connection breaks, and after Wait the request arrives all the same
	Failed                // 500; no effect
	Applied               // effect, and then 500
	Limited               // 429 with Retry-After; no effect
	Busy                  // the call's own "try again later"; no effect, no key remembers it
	Slow                  // effect, and the answer comes after Wait of real time, at most MaxSlow
	Coded                 // refused with Fault.Code; no effect, but the key remembers it as it does any refusal
	Denied                // 401 of the gateway; no effect
	Forbidden             // 403 of the gateway; no effect
	Locked                // 423; no effect
	BadGateway            // 502 of the gateway; no effect
	Unavailable           // 503 of the gateway; no effect
	Proxied               // 502 with the HTML page of some proxy; no effect
	kinds
)

// lastRandom is the last kind that random faults draw. Those after it came later:
// a seed must go on meaning what it meant.
const lastRandom = Slow

// String gives the kind as the word used in fault scripts.
func (k FaultKind) String() string {
	return [kinds]string{"ok", "request-lost", "answer-lost", "late", "5xx", "5xx-applied", "429", "busy", "slow",
		"code", "401", "403", "423", "502", "503", "html"}[k]
}

// Fault is what goes wrong with one request, and for how long.
type Fault struct {
	Kind FaultKind
	Wait time.Duration // with Late, Limited and Slow
	Code string        // with Coded: the API's own, as in "6260"
}

// Faults is asked once for every API request. The Till never asks twice at the
// same time.
type Faults func(Call) Fault

// MaxSlow is the longest an answer is held back, in real time. Chosen by us: a
// client gives up before, and a server can still be shut down.
const MaxSlow = 10 * time.Second

// wait is how long a fault takes when the script does not say. Chosen by us:
// later than a client's next try, a pause that a test can afford, and so on.
func (k FaultKind) wait() time.Duration {
	switch k {
	case Late:
		return 30 * time.Second
	case Limited:
		return 10 * time.Second
	case Slow:
		return time.Second
	}
	return 0
}

// longest is the longest wait a script may ask for; 0 for kinds without one.
func (k FaultKind) longest() time.Duration {
	switch k {
	case Late, Limited:
		return day
	case Slow:
		return MaxSlow
	}
	return 0
}

// script is a parsed fault script with what it has used up so far.
type script struct {
	rules [calls][]Fault // what is left for each call
	any   []Fault        // what is left for calls that have nothing of their own left
	seed  uint64
	rate  float64 // of requests that the rules leave alone, 0 to 1
	count [calls]uint64
}

// next is the fault of the next request of a kind.
func (s *script) next(c Call) Fault {
	s.count[c]++
	list := &s.rules[c]
	if len(*list) == 0 {
		list = &s.any
	}
	if len(*list) > 0 {
		f := (*list)[0]
		*list = (*list)[1:]
		return f
	}
	// Each call has its own stream of draws, so that one request more of a kind
	// does not reshuffle the others.
	draw := mix(s.seed ^ mix(uint64(c)<<56^s.count[c]))
	if float64(draw>>11)/(1<<53) >= s.rate {
		return Fault{}
	}
	k := FaultKind(1 + mix(draw)%uint64(lastRandom))
	return Fault{Kind: k, Wait: k.wait()}
}

// mix is the finaliser of splitmix64 (Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
