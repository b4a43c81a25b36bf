package vipps

import "stolpe/payment"

// Judge says what the service means by refusing a call with an HTTP status and a
// code of its own; NoCall stands for reading back. Exists says of a refused
// Create that there is a payment under the reference, which has to be read. It is
// the table the client goes by, for simulators that go by it too.
func Judge(call payment.CallKind, status int, code string) (a payment.Answer, exists bool) {
	op := get
	switch call {
	case payment.Create:
		op = create
	case payment.Capture:
		op = capture
	case payment.Withdraw, payment.CancelAll:
		op = cancel
	}
	v := judge(op, status, problem{code: code, by: service})
	return payment.Answer{Status: v.status, Reason: v.reason, Code: code}, v.exists
}
