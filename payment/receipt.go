package payment

// Receipt is what goes into the payer's app about a settled charge. It is written
// once and cannot be corrected there, so it is made only of what will not change.
type Receipt struct {
	Number   string // in the gap-free series of the EVSE
	Currency Currency
	VAT      int           // of the net price, in basis points: 2500 is 25 %
	Lines    []ReceiptLine // their amounts sum to what was captured
}

// ReceiptLine is a line of a bill in the payer's language.
type ReceiptLine struct {
	Line
	Name string // what was sold; of energy with the meter's readings
}

// Total is the sum of the lines, in minor units, VAT included.
func (r *Receipt) Total() Amount {
	var sum Amount
	for _, l := range r.Lines {
		sum += l.Amount
	}
	return sum
}
