package vipps

import "stolpe/payment"

// Reaction is a code of the API: what it means, and what a technician does about
// it.
type Reaction struct {
	Code  string // four or five digits
	Title string // in words of our own; the API's change
	Do    string // one sentence; begins with "nothing" where the post does all there is to do
}

// Reactions lists all codes that are known, in their order.
func Reactions() []Reaction {
	all := make([]Reaction, len(reactions))
	for i, r := range reactions {
		all[i] = Reaction{r.code, r.title, r.do}
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
// status goes with a code is not published, so the code alone decides.
var reactions = [...]struct {
	code, title string
	means       func(operation) verdict
	do          string
}{
	{"3010", "Internal error", always(is(payment.Unknown)), "nothing: it is asked again under the same key; if it goes on for hours, quote the trace to the service"},
	{"4010", "Key of a capture was used for another amount", always(no(payment.Conflict)), "this is a mistake of the program: compare the payment in the portal with the bill, and report it with this line"},
	{"4020", "Key was used for something else", taken, readBack},
	{"4040", "Amount is not valid", always(no(payment.Rejected)), "look at reserve.choices and at the currency"},
	{"4050", "Customer token is not valid", always(no(payment.Rejected)), "nothing: the driver tries again"},
	{"4060", "Personal code is not valid", always(no(payment.Rejected)), "nothing: the driver tries again"},
	{"4070", "Phone number is not valid", always(no(payment.Rejected)), "nothing: the driver tries again, or takes the link"},
	{"4080", "Scope is not valid", always(no(payment.Rejected)), reportIt},
	{"4090", "Address is not valid", always(no(payment.Setup)), "look at web.public_url: https, and a name the world knows; then restart"},
	{"4100", "Too many metadata", always(no(payment.Rejected)), reportIt},
	{"4110", "Metadata stand twice", always(no(payment.Rejected)), reportIt},
	{"4120", "Key in metadata is too long", always(no(payment.Rejected)), reportIt},
	{"4130", "Value in metadata is too long", always(no(payment.Rejected)), "look at the meter's serial number and the post's id: one of them is very long"},
	{"4140", "Parameter is missing", always(no(payment.Rejected)), reportIt},
	{"4150", "Reference exists, or key of a refund was used for something else", taken, "if it comes again and again, another post uses this post.id with the same sales unit: give one of them another"},
	{"4160", "Payment method is not valid", always(no(payment.Rejected)), reportIt},
	{"5010", "Blocked sources do not apply", always(no(payment.Setup)), "ask the service what this sales unit may sell; then restart"},
	{"5020", "Express is not allowed", always(no(payment.Rejected)), reportIt},
	{"5030", "Scope is not allowed", always(no(payment.Setup)), "ask the service what this sales unit may ask payers for; then restart"},
	{"5040", "Currency is not the sales unit's", always(no(payment.Setup)), "price.currency and payment.vipps.msn do not belong together: put one of them right, and restart"},
	{"5050", "Long-living payments are not allowed", always(no(payment.Setup)), reportIt},
	{"5060", "Bank account is not verified", always(no(payment.Setup)), "verify the bank account of the sales unit in the portal; then restart"},
	{"5070", "Payment cannot be created", always(no(payment.Setup)), "look at the sales unit in the portal: is it active, and may it sell this? Then restart"},
	{"5080", "Push messages are not allowed", always(no(payment.NoPush)), "set payment.push_message: false, or ask the service for the approval; drivers get a link meanwhile"},
	{"5090", "Reference is not found", notThere, "if it stays so, payment.vipps.msn is not the sales unit of this payment"},
	{"5100", "Refund is not possible", always(no(payment.Rejected)), "ask the service why this sales unit cannot refund, and pay the driver back by other means"},
	{"6010", "Amount is too small", always(no(payment.Rejected)), "nothing: what is so small is given to the driver"},
	{"6020", "Refund before anything was captured", always(no(payment.Rejected)), showIt},
	{"6030", "Time for cancelling is over", always(no(payment.TooLate)), "nothing: the service has released it by itself"},
	{"6040", "Cannot cancel what is captured", always(is(payment.Unknown)), "nothing: there is nothing left to release"},
	{"6050", "Cannot cancel what is not reserved", always(is(payment.Unknown)), readBack},
	{"6060", "Cannot withdraw: approved meanwhile", always(is(payment.Unknown)), "nothing: the payment is read back and released"},
	{"6070", "Cannot capture what is cancelled", always(no(payment.TooLate)), "somebody or the bank has released the reservation: what is due is written off; see stolpe payment show"},
	{"6080", "Cannot capture before approval", always(no(payment.Rejected)), showIt},
	{"6090", "Capture is more than is left", always(is(payment.Unknown)), "nothing: the payment is read back; somebody may have worked on it in the portal"},
	{"6100", "Time for capturing is over", always(no(payment.TooLate)), "what is due is written off; find out why the post could not settle for so long"},
	{"6110", "Expiry is too late", always(no(payment.Rejected)), reportIt},
	{"6120", "Expiry is too soon", always(no(payment.Rejected)), reportIt},
	{"6130", "Expiry needs a receipt", always(no(payment.Rejected)), reportIt},
	{"6140", "Must capture the full amount", always(no(payment.NoPartial)), "ask the service to allow partial capture for this sales unit; until then nothing can be sold with it"},
	{"6150", "More than can be refunded", always(no(payment.Rejected)), showIt},
	{"6160", "Payment is being worked on", always(is(payment.Busy)), "nothing: it is asked again"},
	{"6170", "Everything is captured already", always(is(payment.Unknown)), readBack},
	{"6180", "Everything is refunded already", always(no(payment.Rejected)), showIt},
	{"6190", "Cannot be cancelled in this state", always(is(payment.Unknown)), readBack},
	{"6200", "Cannot be captured in this state", always(is(payment.Unknown)), readBack},
	{"6210", "Cannot be refunded in this state", always(no(payment.Rejected)), showIt},
	{"6220", "Time for refunding is over", always(no(payment.Rejected)), "pay the driver back by other means"},
	{"6230", "Is reserved already", taken, readBack},
	{"6250", "Cannot cancel while the payer is approving", always(is(payment.Busy)), "nothing: it is asked again"},
	{"6260", "Funds are not available", always(no(payment.FundsGone)), "nothing yet: it is tried for as long as the payment can be captured; then it is written off"},
	{"6280", "Capture failed, to be tried later", always(is(payment.Busy)), "nothing: it is asked again under the same key"},
	{"7010", "Customer is not found", always(no(payment.Rejected)), "nothing: the driver tries again, or takes the link"},
	{"10010", "Approval failed", always(no(payment.Rejected)), "the payment may be over, or this test user has never approved one by hand: do that once in the test app"},
	{"10020", "Approval is not allowed", always(no(payment.Rejected)), "this exists in the test environment only"},
	{"10030", "Identification is required", always(no(payment.Rejected)), "identify the test user in the test app"},
	{"10040", "Payment source is not valid", always(no(payment.Rejected)), "give the test user another card"},
	{"10050", "There is no card", always(no(payment.Rejected)), "give the test user a card"},
	{"10060", "Is not supported", always(no(payment.Rejected)), "approve this payment by hand in the test app"},
	{"10070", "Payment limit is exceeded", always(no(payment.Rejected)), "take a smaller amount, or another test user"},
}
