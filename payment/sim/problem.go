package sim

import "time"

// Problem is a refusal.
type Problem struct {
	Status int           // HTTP status
	Code   string        // the API's own, as in "6080"; empty where it has none
	Title  string        // for people; the API's titles change, codes do not
	After  time.Duration // with 429: the same again not before this
}

// The codes a Book gives, from the API's published list of errors.
const (
	amountInvalid   = "4040"
	keyOfCapture    = "4010" // one key, two bodies
	keyOfCreate     = "4020"
	noKey           = "4140"
	keyOfRefund     = "4150"
	refUsed         = "4150" // the same code twice is the API's doing
	wrongCurrency   = "5040"
	cannotCreate    = "5070"
	noSuchPayment   = "5090"
	amountTooSmall  = "6010"
	refundTooSoon   = "6020"
	cancelTooLate   = "6030"
	cancelCaptured  = "6040"
	cancelNothing   = "6050"
	cancelApproved  = "6060"
	captureReleased = "6070"
	captureTooSoon  = "6080"
	captureTooMuch  = "6090"
	captureTooLate  = "6100"
	captureWhole    = "6140"
	refundTooMuch   = "6150"
	refundBusy      = "6160"
	captureNothing  = "6170"
	refundNothing   = "6180"
	captureEnded    = "6200"
	refundEnded     = "6210"
	refundTooLate   = "6220"
	cancelBusy      = "6250"
	fundsGone       = "6260"
	captureBusy     = "6280"
)

// The codes that only the Till gives.
const (
	internal    = "3010"
	pushOff     = "5080"
	notApproved = "10010" // force approve
)

// refuse makes the problem of a code, and none of an empty one. Which status goes with which code is
// published for 6080 only; 404 and 409 are the obvious choices, 400 the rest.
func refuse(code string) *Problem {
	if code == "" {
		return nil
	}
	p := &Problem{Status: 400, Code: code, Title: title(code)}
	switch code {
	case noSuchPayment:
		p.Status = 404
	case keyOfCapture, keyOfCreate, keyOfRefund, refundBusy:
		p.Status = 409
	case internal:
		p.Status = 500
	}
	return p
}

// tooMany is the answer to a call over the rate limit.
func tooMany(after time.Duration) *Problem {
	return &Problem{Status: 429, Title: "Too many requests", After: after}
}

// passing says of a code that the same call may succeed later, so that the key
// must not remember the refusal.
func passing(code string) bool {
	return code == captureBusy || code == cancelBusy || code == refundBusy
}

// title says a code in words of our own.
func title(code string) string {
	switch code {
	case amountInvalid:
		return "Amount is not valid"
	case keyOfCapture, keyOfCreate:
		return "Idempotency key was used for something else"
	case noKey:
		return "A required parameter is missing"
	case refUsed:
		return "Reference exists, or key was used for something else"
	case wrongCurrency:
		return "Currency is not this sales unit's"
	case cannotCreate:
		return "Payment cannot be created"
	case noSuchPayment:
		return "No payment with this reference"
	case amountTooSmall:
		return "Amount is too small"
	case fundsGone:
		return "Funds are not available"
	case captureBusy, cancelBusy, refundBusy:
		return "Payment is being worked on; try again later"
	}
	return modificationTitle(code)
}

func modificationTitle(code string) string {
	switch code {
	case captureReleased:
		return "Cannot capture: the remainder was cancelled"
	case captureTooSoon:
		return "Cannot capture before the payer has approved"
	case captureTooMuch:
		return "Capture amount is more than is left"
	case captureTooLate:
		return "Cannot capture: the time for it is over"
	case captureWhole:
		return "Must capture the full amount"
	case captureNothing:
		return "Everything is captured already"
	case captureEnded:
		return "Cannot capture in this state"
	case cancelTooLate:
		return "Cannot cancel: the time for it is over"
	case cancelCaptured:
		return "Cannot cancel what is captured"
	case cancelNothing:
		return "Nothing is reserved"
	case cancelApproved:
		return "Cannot cancel the transaction only: the payer has approved"
	case refundTooSoon:
		return "Cannot refund before the payer has approved"
	case refundTooMuch:
		return "Refund amount is more than can be refunded"
	case refundNothing:
		return "Everything is refunded already"
	case refundEnded:
		return "Cannot refund in this state"
	case refundTooLate:
		return "Cannot refund: the time for it is over"
	}
	return otherTitle(code)
}

// otherTitle is that of codes which no Book gives.
func otherTitle(code string) string {
	switch code {
	case internal:
		return "Internal error"
	case pushOff:
		return "Push messages are not allowed for this sales unit"
	case "5060":
		return "The bank account of this sales unit is not verified"
	case "5100":
		return "This sales unit cannot refund"
	case "6190":
		return "Cannot cancel in this state"
	case "6230":
		return "Reserved already"
	case "7010":
		return "Customer not found"
	case notApproved:
		return "Approve failed"
	}
	return "Not allowed for this sales unit"
}
