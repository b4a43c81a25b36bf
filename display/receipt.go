package display

import "stolpe/payment"

// maxLineName is how long the name of a line in the payer's app may be, in
// characters. Chosen by us: what a phone shows without cutting it off.
const maxLineName = 100

// Receipt is what the payer's app is told about a charge that has been paid. Its
// lines sum to the charge's bill, and so to what was captured. The line of the
// energy names the meter's readings: with them it can be checked at the post.
func (l Lang) Receipt(c Charge) payment.Receipt {
	r := payment.Receipt{Number: c.Receipt, Currency: c.Price.Currency, VAT: c.Price.VAT}
	for _, line := range c.Bill.Lines {
		if line.Amount == 0 {
			continue
		}
		name := string(l.Words().BillLines[line.Kind])
		if line.Kind == payment.EnergyLine {
			name += " " + l.registers(c.Meter)
		}
		r.Lines = append(r.Lines, payment.ReceiptLine{Line: line, Name: cut(name, maxLineName)})
	}
	return r
}

// registers writes from where to where a meter ran: "12 345,678–12 351,167 kWh".
func (l Lang) registers(m Meter) string {
	return l.fixed(int64(m.Start), 3) + "–" + l.Register(m.End)
}

// cut shortens a text to so many characters.
func cut(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}
