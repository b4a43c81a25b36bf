package web

import (
	"slices"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// priced is what a post offers: the price in the order AFIR wants its parts
// (energy, time, charge, other), and the amounts to reserve.
type priced struct {
	Main    display.Parts
	MainPer display.Text
	More    []string // the other parts that are not zero
	VAT     bool
	Idle    bool
	Choices []choice
	Seen    string // the price, to go along with the request
	Key     string // a secret for the session, see choose

	Ask bool   // whether the driver takes a price that is not the one he saw
	Was string // that one, where it can be told in a word

	Phone    string // as it was typed
	BadPhone bool   // and it is none
}

// choice is an amount to reserve.
type choice struct {
	Value   int64 // minor units
	Amount  string
	Energy  string // about what it buys; empty when that depends on time as well
	Checked bool
}

// One says whether there is nothing to choose.
func (o priced) One() bool { return len(o.Choices) == 1 }

// front is the page of no post: a place to enter the code.
func (p *pages) front(at place, known bool) sheet {
	s := p.sheet(at, display.Post{}, false)
	s.Scene, s.Tone, s.Head, s.Say = find, dim, string(s.W.FindTitle), string(s.W.FindPost)
	if !known {
		s.advise(display.UnknownPost)
	}
	return s
}

// terms is the page of the terms of sale.
func (p *pages) terms(at place, post display.Post) sheet {
	s := p.sheet(at, post, true)
	s.Scene, s.Tone, s.Head = sale, dim, string(s.W.TermsTitle)
	var price payment.Price
	if v, ok := p.posts.Public(at.code); ok {
		price, s.Push = v.Price, v.Push
	}
	s.Clauses = s.Lang.Terms(post, price, s.Push)
	return s
}

// land is a post's public page. It never shows anything of v.Charge.
func (p *pages) land(at place, post display.Post) sheet {
	s := p.sheet(at, post, true)
	v, ok := p.posts.Public(at.code)
	s.tell(v)
	s.Head, s.Push = string(s.W.States[v.State]), v.Push
	s.Offer = s.price(v.Price)
	switch {
	case !ok:
		s.cut()
	case v.State == display.Faulted || v.State == display.Unavailable:
		s.Scene, s.Tone = off, bad
		s.advise(display.OutOfOrder)
		if v.State == display.Unavailable {
			s.Alert.What = s.Head + "."
		}
		s.Say = s.fault(v)
		s.Near = p.near(at.code, post)
	case v.State == display.Starting || v.State == display.Settling:
		s.Scene, s.Tone = off, wait
		s.Say = string(s.W.OneMoment)
	case v.Price.Check() != nil:
		s.cut() // whoever cannot tell the price does not know the post
	case v.Busy || v.State != display.Available:
		s.Scene, s.Tone, s.Head = busy, pause, string(s.W.InUse)
		if since := s.Lang.Clock(v.Since, post.Zone); since != "" && v.Busy {
			s.Say = s.W.InUseSince.With("time", since)
		}
		if v.Busy {
			s.Claim = &claim{Key: newSecret()}
		}
		s.Near = p.near(at.code, post)
	case v.Pass && at.pass == "":
		s.Scene, s.Tone, s.Say = show, free, string(s.W.ScanDisplay)
	default:
		s.Scene, s.Tone = offer, free
		if v.MaxPower > 0 {
			s.Say = s.W.PowerUpTo.With("power", s.Lang.KW(v.MaxPower))
		}
		s.choose(v)
	}
	return s
}

// near is another EVSE of the same post that is free; empty if none is.
func (p *pages) near(code string, post display.Post) string {
	for _, c := range slices.Sorted(slices.Values(post.Codes)) {
		if c == code || !wellFormed(c) {
			continue
		}
		if v, ok := p.posts.Public(c); ok && v.State == display.Available && !v.Busy && v.Price.Check() == nil {
			return c
		}
	}
	return ""
}

// cut makes it the page of a post that cannot be reached.
func (s *sheet) cut() {
	s.Scene, s.Tone, s.Head = off, bad, string(s.W.NoContact)
	s.advise(display.Unreachable)
}

// fault names the fault for whoever calls the help desk.
func (s *sheet) fault(v display.View) string {
	if v.State != display.Faulted || v.Fault == "" {
		return ""
	}
	return s.W.FaultCode.With("code", v.Fault)
}

// price writes the parts of a price that are not zero, in AFIR order.
func (s *sheet) price(p payment.Price) *priced {
	o := &priced{VAT: p.VAT > 0, Seen: writePrice(p)}
	for _, part := range []struct {
		amount payment.Amount
		per    display.Text
	}{{p.KWh, s.W.PerKWh}, {p.Minute, s.W.PerMinute}, {p.Session, s.W.PerSession}} {
		switch {
		case part.amount == 0:
		case o.MainPer == "":
			o.Main, o.MainPer = s.Lang.MoneyParts(part.amount, p.Currency), part.per
		default:
			o.More = append(o.More, s.Lang.Money(part.amount, p.Currency)+" "+string(part.per))
		}
	}
	if p.Idle.Minute > 0 {
		o.Idle = true
		o.More = append(o.More, s.Lang.Money(p.Idle.Minute, p.Currency)+" "+s.Lang.PerIdle(p))
	}
	return o
}

// choose fills in the amounts, and a fresh secret for the session that a request
// from this page would begin. It belongs to nothing until then. Because it goes
// along with the request, a button pressed twice and a page sent again by a
// phone with a bad network ask for one charge, not two.
func (s *sheet) choose(v display.View) {
	s.Offer.Key = newSecret()
	for i, a := range offered(v) {
		s.Offer.Choices = append(s.Offer.Choices, choice{
			Value:   int64(a),
			Amount:  s.Lang.Sum(a, v.Price.Currency),
			Energy:  s.buys(a, v.Price),
			Checked: i == 0,
		})
	}
	s.pick(int64(v.Default))
}

// keep fills in what came with a form that was refused: the amount chosen, what
// was typed, and the secret, so that trying again after an answer got lost is
// still one wish.
func (s *sheet) keep(amount int64, secret, phone string) {
	if s.Scene != offer {
		return
	}
	s.Offer.Key = secret
	s.pick(amount)
	if len(phone) <= maxTyped {
		s.Offer.Phone = phone
	}
}

// requote makes the offer a question: the price is not the one that was seen.
func (s *sheet) requote(seen payment.Price) {
	if s.Scene != offer {
		return
	}
	s.Offer.Ask, s.Tone, s.Head = true, wait, string(s.W.PriceAsk)
	s.Say = ""
	if old := s.price(seen); old.Main != s.Offer.Main || old.MainPer != s.Offer.MainPer {
		s.Offer.Was = old.Main.String() + " " + string(old.MainPer)
	}
}

// pick marks an amount, in minor units, as the one chosen; without such an
// amount what was chosen stays.
func (s *sheet) pick(amount int64) {
	at := slices.IndexFunc(s.Offer.Choices, func(c choice) bool { return c.Value == amount })
	if at < 0 {
		return
	}
	for i := range s.Offer.Choices {
		s.Offer.Choices[i].Checked = i == at
	}
}

// offered are the amounts a driver may reserve.
func offered(v display.View) []payment.Amount {
	if len(v.Choices) == 0 {
		return []payment.Amount{v.Default}
	}
	return v.Choices
}

// buys is about how much energy an amount buys, rounded down to whole kWh. With a
// price for time nobody knows.
func (s *sheet) buys(a payment.Amount, p payment.Price) string {
	if p.KWh <= 0 || p.Minute > 0 || a <= p.Session {
		return ""
	}
	energy := hal.Energy(int64(a-p.Session)/int64(p.KWh)) * hal.KWh
	return s.W.About.With("energy", s.Lang.Whole(energy))
}
