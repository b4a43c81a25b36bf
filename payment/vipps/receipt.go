package vipps

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"stolpe/hal"
	"stolpe/payment"
)

// Fixed by the API's description (Order Management 2.1), but for maxName, which
// is chosen by us: the app has one line.
const (
	maxName     = 100    // characters
	maxRate     = 10_000 // of tax, basis points
	maxQuantity = 10     // characters
)

// The bodies of Order Management. Amounts are bare numbers of minor units here.
type (
	receiptBody struct {
		Lines  []lineBody `json:"orderLines"`
		Bottom bottomBody `json:"bottomLine"`
	}
	lineBody struct {
		Name string         `json:"name"`
		ID   string         `json:"id"`
		Sum  payment.Amount `json:"totalAmount"` // tax included
		Net  payment.Amount `json:"totalAmountExcludingTax"`
		Tax  payment.Amount `json:"totalTaxAmount"`
		Rate int            `json:"taxRate"` // hundredths of a percent
		Unit unitBody       `json:"unitInfo"`
	}
	unitBody struct {
		Price    payment.Amount `json:"unitPrice"` // tax included
		Quantity string         `json:"quantity"`
		Unit     string         `json:"quantityUnit"`
	}
	bottomBody struct {
		Currency payment.Currency `json:"currency"`
		Number   string           `json:"receiptNumber,omitempty"`
	}
	categoryBody struct {
		Category string `json:"category"`
		URL      string `json:"orderDetailsUrl"`
	}
)

// receiptOf writes a receipt in the API's words.
func receiptOf(r *payment.Receipt) receiptBody {
	b := receiptBody{Lines: make([]lineBody, len(r.Lines)), Bottom: bottomBody{r.Currency, r.Number}}
	for i, l := range r.Lines {
		quantity, unit := quantityOf(l.Line)
		b.Lines[i] = lineBody{
			Name: l.Name, ID: l.Kind.String(), Sum: l.Amount, Net: l.Amount - l.VAT, Tax: l.VAT, Rate: r.VAT,
			Unit: unitBody{l.Each, quantity, unit},
		}
	}
	return b
}

// quantityOf is how much of what a line sells: energy in kWh, to the Wh.
func quantityOf(l payment.Line) (quantity, unit string) {
	switch l.Kind {
	case payment.EnergyLine:
		kwh := int64(hal.KWh)
		return fmt.Sprintf("%d.%03d", l.Quantity/kwh, l.Quantity%kwh), "KWH"
	case payment.TimeLine, payment.IdleLine:
		return strconv.FormatInt(l.Quantity, 10), "MINUTE"
	}
	return strconv.FormatInt(l.Quantity, 10), "PCS"
}

// fitReceipt says what the API would refuse, or show wrongly.
func fitReceipt(r *payment.Receipt) error {
	if len(r.Lines) == 0 {
		return errors.New("receipt has no line")
	}
	if r.VAT < 0 || r.VAT > maxRate {
		return fmt.Errorf("receipt: VAT %d: want 0 to %d basis points", r.VAT, maxRate)
	}
	if !utf8.ValidString(r.Number) {
		return fmt.Errorf("receipt: number %q is not text", r.Number)
	}
	for i, l := range r.Lines {
		if err := fitLine(l); err != nil {
			return fmt.Errorf("receipt: line %d: %w", i+1, err)
		}
	}
	return nil
}

func fitLine(l payment.ReceiptLine) error {
	n := utf8.RuneCountInString(l.Name)
	switch {
	case l.Kind > payment.IdleLine:
		return fmt.Errorf("kind %d is not known", l.Kind)
	case n < 1 || n > maxName || !utf8.ValidString(l.Name) || strings.ContainsFunc(l.Name, unicode.IsControl):
		return fmt.Errorf("name %q: has %d characters: want 1 to %d, in one line", l.Name, n, maxName)
	case l.Amount < 0 || l.Amount > payment.MaxAmount:
		return fmt.Errorf("amount %d: want 0 to %d minor units", l.Amount, payment.MaxAmount)
	case l.VAT < 0 || l.VAT > l.Amount:
		return fmt.Errorf("VAT %d: want 0 to the amount, %d minor units", l.VAT, l.Amount)
	case l.Each < 0 || l.Quantity < 0:
		return fmt.Errorf("%d at %d minor units each: want neither below 0", l.Quantity, l.Each)
	}
	if quantity, unit := quantityOf(l.Line); len(quantity) > maxQuantity {
		return fmt.Errorf("quantity %s %s: has %d characters: want at most %d", quantity, unit, len(quantity), maxQuantity)
	}
	return nil
}
