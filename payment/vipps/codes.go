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
	refund
	inform
	codeCall
	hookCall
	report
	approve
	readEvents
)

// String gives the operation as the word in errors.
func (op operation) String() string {
	return [...]string{"token", "get", "create", "capture", "cancel", "refund", "inform", "code", "hook", "report", "approve", "events"}[op]
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

// byCode looks a code up in the table, and says whether it is there.
func byCode(op operation, code string) (verdict, bool) {
	for i := range reactions {
		if reactions[i].code == code {
			return reactions[i].means(op), true
		}
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
	case capture, refund:
		return no(payment.Conflict)
	}
	return is(payment.Unknown)
}
