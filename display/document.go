package display

import (
	"strconv"
	"strings"

	"stolpe/hal"
	"stolpe/payment"
)

// Document is the sales document of a charge: everything the seller's and the
// driver's accountants need, as text in one language. Media lay it out and decide
// nothing.
type Document struct {
	Lang   Lang
	Title  string
	Number string    // in the series of the EVSE
	Issued hal.Stamp // when it got its number
	Head   []Row     // number and time of issue
	Seller []string  // name, number, address, mail; what is known of them
	Lines  []Row     // what was sold
	Sums   []Row     // net, VAT, gross
	Charge []Row     // what was delivered: where, when, by which meter
	Paid   []Row     // what became of the money
	Prices []Row     // of one kWh, minute and start, in the order AFIR wants
	Notes  []string  // sentences below
}

// Row is a line of a document or of a summary.
type Row struct {
	Label  string
	Note   string // how the value came about; often empty
	Value  string
	Strong bool // the line everybody looks for
}

// Document makes the sales document of a charge at the EVSE with that code; false
// for a charge of which nothing was sold, or not yet.
func (l Lang) Document(p Post, code string, c Charge) (Document, bool) {
	if c.Receipt == "" {
		return Document{}, false
	}
	w := l.Words()
	lines, sums := l.Bill(c)
	d := Document{
		Lang: l, Title: string(w.Receipt), Number: c.Receipt, Issued: c.Issued,
		Head:   []Row{{Label: string(w.Number), Value: c.Receipt}, {Label: string(w.Issued), Value: l.Date(c.Issued, p.Zone)}},
		Seller: l.seller(p.Seller),
		Lines:  lines, Sums: sums,
		Charge: l.Delivered(p, code, c),
		Paid:   l.paid(p, c),
		Prices: l.prices(c.Price),
	}
	if p.Helpdesk != "" { // first below every page, and so here
		d.Notes = append(d.Notes, w.Help.With("tel", p.Helpdesk))
	}
	if c.Price.VAT > 0 {
		d.Notes = append(d.Notes, string(w.AllWithVAT))
	}
	return d, true
}

// Bill writes the lines of a charge's bill, and its sums: net and VAT where there
// is any, and gross. Net and VAT make gross, whatever was rounded.
func (l Lang) Bill(c Charge) (lines, sums []Row) {
	w, b, cur := l.Words(), c.Bill, c.Price.Currency
	for _, line := range b.Lines {
		if line.Amount != 0 {
			lines = append(lines, Row{Label: string(w.BillLines[line.Kind]), Note: l.each(line, cur), Value: l.Money(line.Amount, cur)})
		}
	}
	if c.Price.VAT > 0 {
		sums = append(sums, Row{Label: string(w.Net), Value: l.Money(b.Total-b.VAT, cur)},
			Row{Label: w.VAT.With("rate", l.Percent(c.Price.VAT)), Value: l.Money(b.VAT, cur)})
	}
	return lines, append(sums, Row{Label: string(w.Total), Value: l.Money(b.Total, cur), Strong: true})
}

// each says how a line's amount came about, where the amount alone does not.
func (l Lang) each(line payment.Line, cur payment.Currency) string {
	price, whole := l.Money(line.Each, cur), line.Quantity*int64(line.Each)
	text := ""
	switch line.Kind {
	case payment.EnergyLine:
		text = l.Words().PerUnit.With("quantity", l.Register(hal.Energy(line.Quantity)), "price", price)
		whole /= int64(hal.KWh)
	case payment.TimeLine, payment.IdleLine:
		text = l.Words().PerUnit.With("quantity", l.Minutes(line.Quantity), "price", price)
	}
	if whole > int64(line.Amount) {
		if text == "" {
			text = price
		}
		text = l.Words().Reduced.With("sum", text)
	}
	return text
}

func (l Lang) seller(s Seller) []string {
	var lines []string
	for _, line := range []string{s.Name, l.OrgNo(s), s.Address, s.Email} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// OrgNo is the seller's number, with the mark of the VAT register, which Norwegian
// law wants there and no other; empty without a number.
func (l Lang) OrgNo(s Seller) string {
	if s.OrgNo == "" {
		return ""
	}
	number := l.Words().OrgNo.With("number", inThrees(s.OrgNo))
	if s.VATRegistered && norwegian(s.OrgNo) {
		number += " " + string(l.Words().VATMark)
	}
	return number
}

// inThrees writes a number of nine digits in three groups, as Norwegian
// organisation numbers are read; anything else stays as it is.
func inThrees(number string) string {
	if !norwegian(number) {
		return number
	}
	return number[:3] + " " + number[3:6] + " " + number[6:]
}

// norwegian says whether a number can be of a Norwegian organisation: no other
// country of ours has nine digits.
func norwegian(number string) bool {
	_, err := strconv.ParseUint(number, 10, 64)
	return err == nil && len(number) == 9
}

// Delivered is where, when and by which meter a charge was delivered. Times say how far the clock could
// be trusted.
func (l Lang) Delivered(p Post, code string, c Charge) []Row {
	w := l.Words()
	var rows table
	rows.tell(w.Place, p.Name)
	rows.tell(w.PostID, p.ID)
	rows.tell(w.Code, code)
	if c.Started.Unix != 0 {
		rows.tell(w.Started, l.Date(c.Started, p.Zone))
	}
	if c.Ended.Unix != 0 {
		rows.tell(w.Ended, l.Date(c.Ended, p.Zone))
	}
	rows.tell(w.TimeLabel, l.Time(c.Elapsed))
	rows.tell(w.MeterLabel, c.Meter.Model)
	rows.tell(w.SerialNo, c.Meter.Serial)
	rows.tell(w.MeterStart, l.Register(c.Meter.Start))
	end := string(w.MeterWait)
	if c.Meter.End > 0 {
		end = l.Register(c.Meter.End)
	}
	rows.tell(w.MeterEnd, end)
	rows.tell(w.Sold, l.Register(c.Energy))
	return rows
}

// paid is what became of the money, and the payer's name for it.
func (l Lang) paid(p Post, c Charge) []Row {
	w, cur := l.Words(), c.Price.Currency
	var rows table
	rows.tell(w.Reserved, l.Money(c.Reserved, cur))
	rows.tell(w.TakenLabel, l.Money(c.Captured, cur))
	rows.tell(w.ReleasedLabel, l.Money(c.Released, cur))
	rows.tell(Text(w.Reference.With("pay", p.Wallet())), string(c.Ref))
	return rows
}

// prices writes the parts of a price that are not zero, in the order AFIR wants:
// energy, time, charge, other.
func (l Lang) prices(p payment.Price) []Row {
	w := l.Words()
	var rows []Row
	part := func(a payment.Amount, per string) {
		if a != 0 {
			rows = append(rows, Row{Label: per, Value: l.Money(a, p.Currency)})
		}
	}
	part(p.KWh, string(w.PerKWh))
	part(p.Minute, string(w.PerMinute))
	part(p.Session, string(w.PerSession))
	part(p.Idle.Minute, l.PerIdle(p))
	return rows
}

// PerIdle says what the price of a minute without charging is per.
func (l Lang) PerIdle(p payment.Price) string {
	per := l.Words().PerIdle
	if p.Idle.Cap > 0 {
		per = l.Words().PerIdleCap
	}
	return per.With("time", l.Time(p.Idle.After), "cap", l.Sum(p.Idle.Cap, p.Currency))
}

// table is rows being collected.
type table []Row

// tell adds a row if there is something to say.
func (t *table) tell(label Text, value string) {
	if value != "" {
		*t = append(*t, Row{Label: string(label), Value: value})
	}
}

// FileName is the name of a file with the document in it, with ending as in
// "pdf": letters, digits and marks that every system takes.
func (d Document) FileName(ending string) string {
	return strings.Map(func(r rune) rune {
		letter := 'a' <= r|0x20 && r|0x20 <= 'z'
		if letter || ('0' <= r && r <= '9') || r == '-' || r == '.' || r == '_' {
			return r
		}
		return '-'
	}, strings.ToLower(d.Title)+"-"+d.Number+"."+ending)
}
