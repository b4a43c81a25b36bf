package display

import "stolpe/payment"

// Receipt is what the payer's app is told about a charge that has been paid. Its
// lines sum to what was captured.
func (l Lang) Receipt(c Charge) payment.Receipt {
	r := payment.Receipt{Number: c.Receipt, Currency: c.Price.Currency, VAT: c.Price.VAT}
	for _, line := range c.Bill.Lines {
		if line.Amount == 0 {
			continue
		}
		name := string(l.Words().BillLines[line.Kind])
		if line.Kind == payment.EnergyLine {
			name += " " + l.Register(c.Meter.Start) + " - " + l.Register(c.Meter.End)
		}
		r.Lines = append(r.Lines, payment.ReceiptLine{Line: line, Name: name})
	}
	return r
}
