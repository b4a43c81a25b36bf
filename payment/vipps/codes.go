package vipps

import (
	"net/http"

	"stolpe/payment"
)

// operation is a call to the API.
type operation uint8

const (
	getToken operation = iota
	get
	create
	capture
	cancel
	inform
	codeCall
	hookCall
	report
)

// String gives the operation as the word in errors.
func (op operation) String() string {
	return [...]string{"token", "get", "create", "capture", "cancel", "inform", "code", "hook", "report"}[op]
}

// verdict is what an answer that is not success means. The zero value is
// Unknown: read back before anything else.
type verdict struct {
	status payment.Status
	reason payment.Reason
	exists bool // with create: there is a payment under the reference; read it
}

func is(s payment.Status) verdict { return verdict{status: s} }

func no(r payment.Reason) verdict { return verdict{status: payment.Refused, reason: r} }

// judge says what a failed call means: by the API's code where there is a known
// one, else by the HTTP status.
func judge(op operation, status int, p problem) verdict {
	if op == getToken {
		return is(payment.Busy) // the call it was fetched for was not made: the same again later
	}
	if op >= inform {
		return beside(status, p)
	}
	v, known := byCode(op, p.code)
	if !known {
		v = byStatus(op, status)
	}
	switch {
	case v.status == payment.Busy:
		return v // "later" is never wrong, whoever says it
	case p.by == nobody, v.status == payment.Missing && p.by != service:
		return is(payment.Unknown) // not the service's own words
	case v.status == payment.Refused && op == get:
		return is(payment.Unknown) // the payment is what it was
	}
	return v
}

// byCode is the table of API codes, and says whether it has this one. Titles are
// the API's. Codes of calls we never make are left to the HTTP status.
func byCode(op operation, code string) (verdict, bool) {
	switch code {
	case "3010": // internal error
		return is(payment.Unknown), true
	case "4020", "4150", "6230": // key exists; reference exists; already reserved
		return taken(op), true
	case "4010": // capture idempotency conflict
		return no(payment.Conflict), true
	case "4040", "4050", "4060", "4070", "4080", // invalid amount, token, QR, phone number, scope
		"4100", "4110", "4120", "4130", "4140", "4160", // metadata; parameter missing; payment method
		"5020", "6110", "6120", "6130", "7010": // express; expiry too late, too soon, without receipt; customer
		return no(payment.Rejected), true
	case "4090", // invalid URL: our public address
		"5010", "5030", "5040", "5050", // blocked sources; scope; currency; long-living
		"5060", "5070", "5080": // bank account; cannot be created; push message
		return no(payment.Setup), true
	case "5090": // reference not found
		if op == get {
			return is(payment.Missing), true
		}
		return is(payment.Unknown), true
	case "6010", "6080": // amount too small; capture before reservation: this key has its no for good
		return no(payment.Rejected), true
	case "6030", "6070", "6100": // cancel period over; cannot capture cancelled; capture period over
		return no(payment.TooLate), true
	case "6040", "6050", "6060", "6190": // cannot cancel: captured, not reserved, authorised meanwhile, state
		return is(payment.Unknown), true
	case "6090", "6170", "6200": // cannot capture: too much, captured already, state
		return is(payment.Unknown), true
	case "6140": // must capture full amount
		return no(payment.NoPartial), true
	case "6160", "6250", "6280": // order processing; cannot cancel processing; capture failed, try later
		return is(payment.Busy), true
	case "6260": // funds unavailable
		return no(payment.FundsGone), true
	}
	return verdict{}, false
}

// byStatus is the table of HTTP statuses, for answers without a known code.
func byStatus(op operation, status int) verdict {
	switch {
	case status == http.StatusUnauthorized: // after a new token: keys rotated, or the gateway in front
		return is(payment.Busy)
	case status == http.StatusForbidden: // product or sales unit not allowed
		return no(payment.Setup)
	case status == http.StatusNotFound && op == get:
		return is(payment.Missing)
	case status == http.StatusNotFound && op == create: // no such API at this address
		return no(payment.Setup)
	case status == http.StatusNotFound: // it was there when we read it
		return is(payment.Unknown)
	case status == http.StatusConflict:
		return taken(op)
	case status == http.StatusLocked, status == http.StatusTooManyRequests:
		return is(payment.Busy)
	case status == http.StatusRequestTimeout:
		return is(payment.Unknown)
	case status >= 400 && status < 500:
		return no(payment.Rejected)
	}
	return is(payment.Unknown) // 5xx, and redirects, which are not followed
}

// taken is what "exists already" means: to a create, that there is a payment to
// look at; to a capture, that its key once carried another body.
func taken(op operation) verdict {
	switch op {
	case create:
		return verdict{exists: true}
	case capture:
		return no(payment.Conflict)
	}
	return is(payment.Unknown)
}
