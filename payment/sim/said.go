package sim

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"mime"
	"net/http"

	"stolpe/payment"
)

// said is what the Till uses of a request's body, whichever call it belongs to:
// no two calls mean different things by one member. What stands here not has been
// checked against the description and has no effect.
type said struct {
	Amount        money `json:"amount"`
	PaymentMethod struct {
		Type           string   `json:"type"`
		BlockedSources []string `json:"blockedSources"`
	} `json:"paymentMethod"`
	Reference   payment.Ref `json:"reference"`
	UserFlow    string      `json:"userFlow"`
	ReturnURL   string      `json:"returnUrl"`
	ReceiptURL  *string     `json:"receiptUrl"`
	Description string      `json:"paymentDescription"`
	Customer    *struct{}   `json:"customer"`
	QRFormat    *struct {
		Format string `json:"format"`
		Size   int    `json:"size"` // pixels
	} `json:"qrFormat"`
	ExpiresAt *string           `json:"expiresAt"`
	Metadata  map[string]string `json:"metadata"`
	Profile   struct {
		Scope string `json:"scope"`
	} `json:"profile"`
	Shipping *struct{}       `json:"shipping"`
	Receipt  json.RawMessage `json:"receipt"`

	Modification money   `json:"modificationAmount"`    // of capture and refund
	Only         bool    `json:"cancelTransactionOnly"` // of cancel
	Token        *string `json:"token"`                 // of force approve: the last part of redirectUrl

	digest [sha256.Size]byte // of all of it, in whatever order and with whatever spaces it was written
}

// money is an amount as the API writes it.
type money struct {
	Currency payment.Currency `json:"currency"`
	Value    payment.Amount   `json:"value"` // minor units
}

// read checks a request's body against the description. An empty reason means it
// is as described; field says where it is not.
func (s shapes) read(in inbound) (b said, field, reason string) {
	var want shape
	switch in.call {
	case CreateCall:
		want = s.create
	case CaptureCall, RefundCall:
		want = s.change
	case CancelCall:
		want = s.cancel
	case ApproveCall:
		want = s.approve
	default:
		return b, "", ""
	}
	if len(in.body) == 0 && (in.call == CancelCall || in.call == ApproveCall) {
		return b, "", "" // the description lets these two say nothing
	}
	v, field, reason := want.read(in)
	if reason != "" {
		return b, field, reason
	}
	canonical, bad := json.Marshal(v)
	b.digest = sha256.Sum256(canonical)
	if err := errors.Join(bad, json.Unmarshal(in.body, &b)); err != nil {
		return b, at(""), err.Error()
	}
	return b, "", ""
}

// read checks that a request's body is JSON, and of this shape.
func (s shape) read(in inbound) (v any, field, reason string) {
	if !isJSON(in.header) {
		return nil, "Content-Type", "must be application/json"
	}
	v, field, err := tree(in.body)
	if err != nil {
		return nil, at(field), err.Error()
	}
	if field, reason := s.check("", v); reason != "" {
		return nil, at(field), reason
	}
	return v, "", ""
}

// isJSON says whether a body calls itself JSON.
func isJSON(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

// at names a place in a body; the body itself has no name of its own.
func at(field string) string {
	if field == "" {
		return "body"
	}
	return field
}
