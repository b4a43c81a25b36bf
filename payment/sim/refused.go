package sim

import (
	"net/http"

	"stolpe/payment"
)

// refused is the answer of a fault that keeps a request from having its effect;
// ok is false when the fault is none of these.
func (t *Till) refused(in inbound, f Fault) (out reply, ok bool) {
	switch f.Kind {
	case Failed:
		return t.failed(in), true
	case Limited:
		return t.problem(in, tooMany(f.Wait)), true
	case Busy:
		return t.problem(in, busy(in.call)), true
	case Coded:
		return t.problem(in, t.coded(in, f.Code)), true
	case Denied:
		return gateway(http.StatusUnauthorized, "Unauthorized. Access token is missing or invalid."), true
	case Forbidden:
		return gateway(http.StatusForbidden, "Forbidden"), true
	case Locked:
		return t.problem(in, &Problem{Status: http.StatusLocked, Title: "Locked"}), true
	case BadGateway:
		return gateway(http.StatusBadGateway, "Bad gateway"), true
	case Unavailable:
		return gateway(http.StatusServiceUnavailable, "Service unavailable"), true
	case Proxied:
		return reply{status: http.StatusBadGateway, kind: "text/html", body: document(proxyPage)}, true
	}
	return reply{}, false
}

// proxyPage is what stands between a post and the API now and then.
const proxyPage = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>\n"

// failed is the answer when the provider has an error of its own.
func (t *Till) failed(in inbound) reply { return t.problem(in, refuse(internal)) }

// coded is a refusal that the script wants. A key that was new remembers it, as
// it does any refusal of the provider.
func (t *Till) coded(in inbound, code string) *Problem {
	p := refuse(code)
	key, ref := in.header.Get("Idempotency-Key"), payment.Ref(in.ref)
	switch in.call {
	case CreateCall:
		said, _, _ := t.shapes.read(in)
		ref = said.Reference
	case CaptureCall, RefundCall:
	default:
		return p // has no key
	}
	if key != "" && ref != "" && p.Status < http.StatusInternalServerError && !passing(code) {
		t.book.bind(use{in.call, Change{Key: key, Ref: ref}, p})
	}
	return p
}
