package script

import (
	"fmt"
	"time"

	"stolpe/payment"
)

// app is the service that puts receipts into the payers' app, which is another
// one than the service that holds the money.
type app struct {
	mood     mood
	receipts map[payment.Ref]*payment.Receipt
	links    map[payment.Ref]string
	news     []string // since somebody looked
}

// ask carries out an Inform, one step of it, and says what is answered and when.
func (p *app) ask(o payment.Order) (payment.Answer, time.Duration) {
	switch p.mood {
	case lost:
		return payment.Answer{}, askTimeout
	case deaf:
		p.carryOut(o)
		return payment.Answer{}, askTimeout
	case busy:
		return payment.Answer{Status: payment.Busy, Wait: time.Minute}, 0
	case refuses:
		return payment.Answer{Status: payment.Refused, Reason: payment.Rejected}, 0
	}
	return p.carryOut(o), 0
}

func (p *app) carryOut(o payment.Order) payment.Answer {
	switch {
	case p.receipts[o.Ref] == nil:
		if p.receipts == nil {
			p.receipts, p.links = map[payment.Ref]*payment.Receipt{}, map[payment.Ref]string{}
		}
		p.receipts[o.Ref] = o.Receipt
		p.news = append(p.news, fmt.Sprintf("app %s receipt %s of %v", short(o.Ref), o.Receipt.Number, o.Receipt.Total()))
	case o.Return != "" && p.links[o.Ref] == "":
		p.links[o.Ref] = o.Return
		p.news = append(p.news, fmt.Sprintf("app %s links to %s", short(o.Ref), o.Return))
	}
	if o.Return != "" && p.links[o.Ref] == "" {
		return payment.Answer{Status: payment.Pending}
	}
	return payment.Answer{Status: payment.Settled}
}
