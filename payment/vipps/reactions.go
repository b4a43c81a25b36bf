package vipps

import "stolpe/payment"

// Reaction is a code of the API: what it means, and what a technician does about
// it.
type Reaction struct {
	Code  string // four or five digits
	Title string // in words of our own; the API's change
	On    string // the calls that may be answered with it, as "capture, refund"; or "any"
	Do    string // one sentence; begins with "nothing" where the post does all there is to do
}

// Reactions lists all codes that are known, in their order.
func Reactions() []Reaction {
	all := make([]Reaction, len(reactions))
	for i, r := range reactions {
		all[i] = Reaction{r.code, r.title, r.on, r.do}
	}
	return all
}

// What to do about several codes.
const (
	reportIt = "this is a mistake of the program: report it with this line"
	readBack = "nothing: the payment is read back"
	showIt   = "look at the payment: stolpe payment show"
)

// always is for a code that means the same whatever was called.
func always(v verdict) func(operation) verdict { return func(operation) verdict { return v } }

// notThere is what 5090 means: to a read that there is no such payment; to a call
// that changes one, which was there when it was read, nothing that can be relied on.
func notThere(op operation) verdict {
	if op == get {
		return is(payment.Missing)
	}
	return is(payment.Unknown)
}

// reactions is the one table of the API's codes (ePayment guide, "Errors", October
// 2026; those from 10010 on are of the test environment's approval). Which HTTP
// status goes with a code is not published, so the code alone decides. Nor is on which
// calls a code comes, beyond what its name says: On is for people, and a code where
// nobody expects it means what it says here, too.
var reactions = [...]struct {
	code, title, on string
	means           func(operation) verdict
	do              string
}{
	{"3010", "Internal error", "any", always(is(payment.Unknown)), "nothing: it is asked again under the same key; if it goes on for hours, quote the trace to the service"},
	{"4010", "Key of a capture was used for another amount", "capture", always(no(payment.Conflict)), "this is a mistake of the program: compare the payment in the portal with the bill, and report it with this line"},
	{"4020", "Key was used for something else", "create, capture, refund", taken, readBack},
	{"4040", "Amount is not valid", "create, capture, refund", always(no(payment.Rejected)), "look at reserve.choices and at the currency"},
	{"4050", "Customer token is not valid", "create", always(no(payment.Rejected)), "nothing: the driver tries again"},
	{"4060", "Personal code is not valid", "create", always(no(payment.Rejected)), "nothing: the driver tries again"},
	{"4070", "Phone number is not valid", "create", always(no(payment.Rejected)), "nothing: the driver tries again, or takes the link"},
	{"4080", "Scope is not valid", "create", always(no(payment.Rejected)), reportIt},
	{"4090", "Address is not valid", "create", always(no(payment.Setup)), "look at web.public_url: https, and a name the world knows; then restart"},
	{"4100", "Too many metadata", "create", always(no(payment.Rejected)), reportIt},
	{"4110", "Metadata stand twice", "create", always(no(payment.Rejected)), reportIt},
	{"4120", "Key in metadata is too long", "create", always(no(payment.Rejected)), reportIt},
	{"4130", "Value in metadata is too long", "create", always(no(payment.Rejected)), "look at the meter's serial number and the post's id: one of them is very long"},
	{"4140", "Parameter is missing", "create, capture, cancel, refund, approve", always(no(payment.Rejected)), reportIt},
	{"4150", "Reference exists, or key of a refund was used for something else", "create, refund", taken, "to a create: if it comes again and again, another post uses this post.id with the same sales unit: give one of them another; to a refund: look at the payment: stolpe payment show"},
	{"4160", "Payment method is not valid", "create", always(no(payment.Rejected)), reportIt},
	{"5010", "Blocked sources do not apply", "create", always(no(payment.Setup)), "ask the service what this sales unit may sell; then restart"},
	{"5020", "Express is not allowed", "create", always(no(payment.Rejected)), reportIt},
	{"5030", "Scope is not allowed", "create", always(no(payment.Setup)), "ask the service what this sales unit may ask payers for; then restart"},
	{"5040", "Currency is not the sales unit's", "create", always(no(payment.Setup)), "price.currency and payment.vipps.msn do not belong together: put one of them right, and restart"},
	{"5050", "Long-living payments are not allowed", "create", always(no(payment.Setup)), reportIt},
	{"5060", "Bank account is not verified", "create", always(no(payment.Setup)), "verify the bank account of the sales unit in the portal; then restart"},
	{"5070", "Payment cannot be created", "create", always(no(payment.Setup)), "look at the sales unit in the portal: is it active, and may it sell this? Then restart"},
	{"5080", "Push messages are not allowed", "create", always(no(payment.NoPush)), "set payment.push_message: false, or ask the service for the approval; drivers get a link meanwhile"},
	{"5090", "Reference is not found", "any", notThere, "if it stays so, payment.vipps.msn is not the sales unit of this payment"},
	{"5100", "Refund is not possible", "refund", always(no(payment.Rejected)), "ask the service why this sales unit cannot refund, and pay the driver back by other means"},
	{"6010", "Amount is too small", "create, capture, refund", always(no(payment.Rejected)), "nothing: what is so small is given to the driver"},
	{"6020", "Refund before anything was captured", "refund", always(no(payment.Rejected)), showIt},
	{"6030", "Time for cancelling is over", "cancel", always(no(payment.TooLate)), "nothing: the service has released it by itself"},
	{"6040", "Cannot cancel what is captured", "cancel", always(is(payment.Unknown)), "nothing: there is nothing left to release"},
	{"6050", "Cannot cancel what is not reserved", "cancel", always(is(payment.Unknown)), readBack},
	{"6060", "Cannot withdraw: approved meanwhile", "cancel", always(is(payment.Unknown)), "nothing: the payment is read back and released"},
	{"6070", "Cannot capture what is cancelled", "capture", always(no(payment.TooLate)), "somebody or the bank has released the reservation: what is due is written off; see stolpe payment show"},
	{"6080", "Cannot capture before approval", "capture", always(no(payment.Rejected)), showIt},
	{"6090", "Capture is more than is left", "capture", always(is(payment.Unknown)), "nothing: the payment is read back; somebody may have worked on it in the portal"},
	{"6100", "Time for capturing is over", "capture", always(no(payment.TooLate)), "what is due is written off; find out why the post could not settle for so long"},
	{"6110", "Expiry is too late", "create", always(no(payment.Rejected)), reportIt},
	{"6120", "Expiry is too soon", "create", always(no(payment.Rejected)), reportIt},
	{"6130", "Expiry needs a receipt", "create", always(no(payment.Rejected)), reportIt},
	{"6140", "Must capture the full amount", "capture", always(no(payment.NoPartial)), "ask the service to allow partial capture for this sales unit; until then nothing can be sold with it"},
	{"6150", "More than can be refunded", "refund", always(no(payment.Rejected)), showIt},
	{"6160", "Payment is being worked on", "capture, cancel, refund", always(is(payment.Busy)), "nothing: it is asked again"},
	{"6170", "Everything is captured already", "capture", always(is(payment.Unknown)), readBack},
	{"6180", "Everything is refunded already", "refund", always(no(payment.Rejected)), showIt},
	{"6190", "Cannot be cancelled in this state", "cancel", always(is(payment.Unknown)), readBack},
	{"6200", "Cannot be captured in this state", "capture", always(is(payment.Unknown)), readBack},
	{"6210", "Cannot be refunded in this state", "refund", always(no(payment.Rejected)), showIt},
	{"6220", "Time for refunding is over", "refund", always(no(payment.Rejected)), "pay the driver back by other means"},
	{"6230", "Is reserved already", "create", taken, readBack},
	{"6250", "Cannot cancel while the payer is approving", "cancel", always(is(payment.Busy)), "nothing: it is asked again"},
	{"6260", "Funds are not available", "capture", always(no(payment.FundsGone)), "nothing yet: it is tried for as long as the payment can be captured; then it is written off"},
	{"6280", "Capture failed, to be tried later", "capture", always(is(payment.Busy)), "nothing: it is asked again under the same key"},
	{"7010", "Customer is not found", "create", always(no(payment.Rejected)), "nothing: the driver tries again, or takes the link"},
	{"10010", "Approval failed", "approve", always(no(payment.Rejected)), "the payment may be over, or this test user has never approved one by hand: do that once in the test app"},
	{"10020", "Approval is not allowed", "approve", always(no(payment.Rejected)), "this exists in the test environment only"},
	{"10030", "Identification is required", "approve", always(no(payment.Rejected)), "identify the test user in the test app"},
	{"10040", "Payment source is not valid", "approve", always(no(payment.Rejected)), "give the test user another card"},
	{"10050", "There is no card", "approve", always(no(payment.Rejected)), "give the test user a card"},
	{"10060", "Is not supported", "approve", always(no(payment.Rejected)), "approve this payment by hand in the test app"},
	{"10070", "Payment limit is exceeded", "approve", always(no(payment.Rejected)), "take a smaller amount, or another test user"},
}
