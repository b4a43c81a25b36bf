package sim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"stolpe/payment"
)

// maxShown limits what all receipts and links together take, in bytes. Chosen by
// us: some 60,000 ordinary ones.
const maxShown = 64 << 20

// ecom is the payment type of everything that ePayment makes.
const ecom = "ECOM"

// shownKey names an order. Whether there is a payment behind it nobody checks: so
// it is in the API, where a wrong name succeeds into nothing.
type shownKey struct {
	kind string // payment type, in capitals
	id   string
}

// shown is what the payer's app shows of an order, as it was sent.
type shown struct {
	Category json.RawMessage `json:"category,omitempty"` // the last one
	Receipt  json.RawMessage `json:"receipt,omitempty"`  // the first one: it cannot be written again
}

// InApp gives what the payer's app shows of a payment: the receipt and the link,
// as they were sent; nil for what was not. The caller must not change them.
func (t *Till) InApp(ref payment.Ref) (receipt, category json.RawMessage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.shown[shownKey{ecom, string(ref)}]
	return s.Receipt, s.Category
}

// orderManagement answers for receipts and links.
func (t *Till) orderManagement(in inbound) reply {
	kind := in.part("type")
	if reason := t.shapes.payer.text(kind); reason != "" {
		return t.invalid(in, "paymentType", reason)
	}
	if reason := t.shapes.order.text(in.ref); reason != "" {
		return t.invalid(in, "orderId", reason)
	}
	k := shownKey{strings.ToUpper(kind), in.ref}
	switch in.call {
	case ReceiptCall:
		return t.addReceipt(in, k)
	case CategoryCall:
		return t.putCategory(in, k)
	}
	s, known := t.shown[k]
	if !known {
		return t.problem(in, &Problem{Status: http.StatusNotFound, Title: "No order with this id"})
	}
	return reply{status: http.StatusOK, kind: plainJSON, body: s}
}

func (t *Till) addReceipt(in inbound, k shownKey) reply {
	if _, field, reason := t.shapes.receipt.read(in); reason != "" {
		return t.invalid(in, field, reason)
	}
	if field, reason := badReceipt(in.body); reason != "" {
		return t.invalid(in, field, reason)
	}
	s := t.shown[k]
	if s.Receipt != nil {
		return t.problem(in, &Problem{Status: http.StatusConflict, Title: "The order has its receipt already"})
	}
	s.Receipt = in.body
	return t.show(in, k, s, http.StatusCreated)
}

func (t *Till) putCategory(in inbound, k shownKey) reply {
	if _, field, reason := t.shapes.category.read(in); reason != "" {
		return t.invalid(in, field, reason)
	}
	var c struct {
		Category *string `json:"category"`
		URL      string  `json:"orderDetailsUrl"`
	}
	if err := json.Unmarshal(in.body, &c); err != nil {
		return t.invalid(in, "body", err.Error())
	}
	if c.Category == nil {
		return t.invalid(in, "category", "must not be null")
	}
	if u, err := url.Parse(c.URL); err != nil || !u.IsAbs() || !usable(c.URL) {
		return t.invalid(in, "orderDetailsUrl", "must be the address of a page")
	}
	s := t.shown[k]
	s.Category = in.body
	return t.show(in, k, s, http.StatusOK)
}

// show keeps what an order shows, while there is room.
func (t *Till) show(in inbound, k shownKey, s shown, status int) reply {
	old := t.shown[k]
	size := t.shownSize + s.size() - old.size()
	if old.size() == 0 {
		size += len(k.id)
	}
	if size > maxShown {
		t.log.Warn("till: too many receipts and links; refused", "limit bytes", maxShown)
		return t.failed(in)
	}
	t.shownSize, t.shown[k] = size, s
	return reply{status: status, kind: plainJSON, body: newUUID()}
}

func (s shown) size() int { return len(s.Category) + len(s.Receipt) }

// receiptWith keeps the receipt that came with a new payment.
func (t *Till) receiptWith(b said) {
	k := shownKey{ecom, string(b.Reference)}
	if s := t.shown[k]; b.Receipt != nil && s.Receipt == nil {
		s.Receipt = b.Receipt
		t.show(inbound{call: CreateCall}, k, s, http.StatusCreated)
	}
}

// badReceipt says what else a receipt must be: the description says it in words
// only (a rate of tax, a currency), or it was said elsewhere (no line below 0,
// change log of August 2022). Sums are not checked.
func badReceipt(body []byte) (field, reason string) {
	var r struct {
		Lines []struct {
			Total   int64  `json:"totalAmount"`
			Percent *int64 `json:"taxPercentage"`
			Rate    *int64 `json:"taxRate"`
		} `json:"orderLines"`
		Bottom struct {
			Currency *payment.Currency `json:"currency"`
		} `json:"bottomLine"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return "body", err.Error()
	}
	for _, l := range r.Lines {
		switch {
		case l.Percent == nil && l.Rate == nil:
			return "orderLines.taxRate", "either this or taxPercentage must be set"
		case l.Total < 0:
			return "orderLines.totalAmount", "must not be negative"
		}
	}
	if r.Bottom.Currency == nil {
		return "bottomLine.currency", "must not be null"
	}
	return "", ""
}
