package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/control"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// ask asks for a route of a post whose EVSEs are puppets.
func (x *bureau) ask(t *testing.T, name, args string) (control.Reply, error) {
	t.Helper()
	l := &local{deeds: x.deeds, later: x.later}
	l.cfg.Post.Zone = time.UTC
	for _, r := range slices.Concat(l.postRoutes(), l.priceRoutes()) {
		if r.Name == name {
			a, err := r.Do(t.Context(), control.Caller{UID: 1000, Name: "kari", Role: r.Least}, json.RawMessage(args))
			said, _ := a.(control.Reply)
			return said, err
		}
	}
	t.Fatalf("there is no route %s", name)
	return control.Reply{}, nil
}

// notDone checks that something is refused at the post, and why.
func notDone(t *testing.T, err error, code control.Code, with string) {
	t.Helper()
	var no control.Refusal
	if !errors.As(err, &no) || no.Code != code || !strings.Contains(no.Text, with) {
		t.Errorf("%v: want %s with %q", err, code, with)
	}
}

// A technician who opens the post takes it out of service: at once where nobody charges,
// and elsewhere after the charge under way, unless it is to end now.
func TestTechnicianTakesOut(t *testing.T) {
	x := newBureau(t)
	x.a.charge(t, session.Charging)
	a, err := x.ask(t, "service/out", `{"reason":" new meter "}`)
	if err != nil || x.a.state.Phase != session.Charging || x.a.state.Faults() != session.Leaving || x.b.state.Faults() != session.Withdrawn {
		t.Errorf("%+v, %v: %v with %v, %v", a, err, x.a.state.Phase, x.a.state.Faults(), x.b.state.Faults())
	}
	if want := "new meter | EVSE 1: out of service after the charge under way; with now at once; before you open the post, once more: until then the fleet may put it back; EVSE 2: out of service"; a.Text != want {
		t.Errorf("%q, want %q", a.Text, want)
	}
	if err := x.a.rules.Accepts(&x.b.state, x.b.at, session.Requested{Reserve: 35_000, Seen: x.b.rules.Price, Holder: kari}); err == nil {
		t.Error("a driver is taken")
	}
	a, err = x.ask(t, "service/out", `{"evse":1,"now":true}`)
	if err != nil || x.a.state.Phase != session.Stopping || x.a.state.Faults()&session.Withdrawn == 0 || a.Text != "EVSE 1: out of service; the charge under way has been ended" {
		t.Errorf("%+v, %v: %v with %v", a, err, x.a.state.Phase, x.a.state.Faults())
	}
	x.a.passes(time.Minute)
	if x.a.state.Phase != session.Idle || len(x.a.state.Debts) != 1 || x.a.state.Debts[0].Why != display.ByTechnician {
		t.Errorf("in the end %v with %+v", x.a.state.Phase, x.a.state.Debts)
	}
	a, err = x.ask(t, "service/in", ``)
	if err != nil || x.a.state.Latched != 0 || x.b.state.Latched != 0 {
		t.Errorf("back in service: %+v, %v: %v, %v", a, err, x.a.state.Faults(), x.b.state.Faults())
	}
}

// What only a person can lift is lifted by whoever says that it has been put right.
func TestRepairIsSaid(t *testing.T) {
	x := newBureau(t)
	x.b.step(session.Metered{Reading: hal.Reading{Register: 1000, Serial: "another", At: x.b.at.Mono + 1}})
	x.b.step(session.TakenOut{})
	x.a.step(session.TakenOut{})
	_, err := x.ask(t, "service/in", `{}`)
	notDone(t, err, control.Unsafe, "put this right: EVSE 2: meter exchanged (MET-002); do so, then say it: stolpe service in --repaired")
	if x.a.state.Latched&session.Withdrawn == 0 || x.b.state.Latched&session.MeterSwap == 0 {
		t.Errorf("%v, %v: want nothing lifted", x.a.state.Faults(), x.b.state.Faults())
	}
	if _, err := x.ask(t, "service/in", `{"evse":1}`); err != nil || x.a.state.Latched != 0 {
		t.Errorf("the other one: %v, %v", err, x.a.state.Faults())
	}
	a, err := x.ask(t, "service/in", `{"repaired":true}`)
	if err != nil || x.b.state.Latched != 0 || !strings.HasPrefix(a.Text, "EVSE 2: meter exchanged (MET-002) | EVSE 1: ") {
		t.Errorf("%+v, %v: %v", a, err, x.b.state.Faults())
	}
}

func TestWhatCannotBeTakenOut(t *testing.T) {
	x := newBureau(t)
	for _, name := range []string{"service/out", "service/in"} {
		_, err := x.ask(t, name, `{"evse":3}`)
		notDone(t, err, control.NotFound, "the post has no EVSE 3: stolpe status lists them")
		_, err = x.ask(t, name, `{"force":true}`)
		notDone(t, err, control.Invalid, "unknown field")
	}
	_, err := x.ask(t, "service/out", `{"reason":"`+strings.Repeat("ø", maxReason+1)+`"}`)
	notDone(t, err, control.Invalid, "want at most 120")
	x.a.deaf = true
	_, err = x.ask(t, "service/out", ``)
	notDone(t, err, control.Failed, "EVSE 2: out of service; stolpe contactor open")
	if err == nil || !strings.Contains(err.Error(), "EVSE 1 does not answer") || x.b.state.Latched&session.Withdrawn == 0 {
		t.Errorf("%v; the other has %v", err, x.b.state.Faults())
	}
}

// late is an EVSE that takes in what it is told a little later.
type late struct{ *puppet }

func (l late) Tell(_ context.Context, e session.Event) error {
	time.AfterFunc(time.Second, func() { l.puppet.Tell(context.Background(), e) }) //nolint:errcheck // it is not deaf
	return nil
}

// How an EVSE stands is told as it is after it was put right, and not as it was before.
func TestStandingIsThatAfterwards(t *testing.T) {
	x := newBureau(t)
	x.a.step(session.Metered{Reading: hal.Reading{Register: 1000, Serial: "another", At: x.a.at.Mono + 1}})
	synctest.Test(t, func(t *testing.T) {
		x.a.changed = make(chan struct{}) // one of this bubble
		a, err := putBackOne(t.Context(), late{x.a}, session.MeterSwap)
		if err != nil || strings.Contains(a.Text, "meter exchanged") {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

// What comes up while somebody puts a post back has been put right by nobody: it stays.
func TestRepairIsOfWhatWasKnown(t *testing.T) {
	x := newBureau(t)
	x.a.step(session.TakenOut{})
	_, err := putBackOne(t.Context(), x.a, 0)
	if err != nil || x.a.state.Latched != 0 {
		t.Errorf("%v, %v", err, x.a.state.Faults())
	}
	x.a.step(session.TakenOut{})
	x.a.step(session.Metered{Reading: hal.Reading{Register: 1000, Serial: "another", At: x.a.at.Mono + 1}})
	a, err := putBackOne(t.Context(), x.a, 0)
	if err != nil || x.a.state.Latched != session.MeterSwap || !strings.Contains(a.Text, "meter exchanged") {
		t.Errorf("%+v, %v: %v", a, err, x.a.state.Faults())
	}
	a, err = putBackOne(t.Context(), x.a, session.MeterSwap)
	if err != nil || x.a.state.Latched != 0 {
		t.Errorf("%+v, %v: %v", a, err, x.a.state.Faults())
	}
}

// What is done at the post like from afar is refused in the words of the local API.
func TestRefusalsOfDeedsAtThePost(t *testing.T) {
	for _, row := range []struct {
		err  error
		want control.Code
	}{
		{commands.Refuse(commands.Invalid, "x"), control.Invalid}, {commands.Refuse(commands.Busy, "x"), control.Busy}, {commands.Refuse(commands.Unsafe, "x"), control.Unsafe},
		{commands.Refuse(commands.Forbidden, "x"), control.NotPermitted}, {commands.Refuse(commands.Expired, "x"), control.Failed},
	} {
		do := likeFromAfar(func(_ context.Context, c commands.Command) (commands.Answer, error) {
			if c.EVSE != 2 || string(c.Args) != `{"n":1}` || c.Issuer != "local:kari" {
				t.Errorf("%+v", c)
			}
			return commands.Answer{}, row.err
		})
		_, err := do(t.Context(), control.Caller{Name: "kari"}, json.RawMessage(`{"evse":2,"n":1}`))
		notDone(t, err, row.want, "x")
	}
	do := likeFromAfar(func(context.Context, commands.Command) (commands.Answer, error) {
		return commands.Answer{}, errors.New("it broke")
	})
	var no control.Refusal
	if _, err := do(t.Context(), control.Caller{}, nil); err == nil || errors.As(err, &no) {
		t.Errorf("%v: want what is no refusal", err)
	}
}

// The ledger tells what charges cost since when: by starts and changes, and before them by
// the charges that are over.
func TestPricesAreFoundInTheLedger(t *testing.T) {
	const day = 86_400 // s
	price := func(kwh payment.Amount) payment.Price {
		return payment.Price{Currency: payment.NOK, VAT: 2500, KWh: kwh, Idle: payment.Idle{After: 15 * time.Minute, Minute: 100}}
	}
	priced := func(k ledger.Kind, at int64, clock string, kwh payment.Amount) ledger.Entry {
		p := ledger.Post{Boot: "x"}.Priced(price(kwh))
		return ledger.Entry{Kind: k, At: at, Clock: clock, Post: &p}
	}
	sold := func(began, over int64, kwh payment.Amount) ledger.Entry {
		d := session.Debt{Charge: session.Charge{Number: 1, Price: price(kwh), Started: hal.Stamp{Unix: began, Clock: hal.ClockSynced}}}
		s := ledger.SaleOf(d, "", "", "")
		return ledger.Entry{Kind: ledger.Sold, At: over, Clock: "synced", EVSE: 1, Ref: "A12-1-000001", Sale: &s}
	}
	command := func(k ledger.Kind, name, by string) ledger.Entry {
		return ledger.Entry{Kind: k, Command: &ledger.Command{Name: name, Issuer: by}}
	}
	var p pricesPast
	for _, e := range []ledger.Entry{
		sold(2*day, 5*day, 400), sold(1*day, 6*day, 300), // begun the other way round
		priced(ledger.PostBooted, 7*day, "synced", 400), sold(3*day, 8*day, 300), priced(ledger.PostBooted, 0, "unknown", 500),
		command(ledger.CommandAccepted, "price/set", "local:kari"), {Kind: ledger.PostConfig, At: 9 * day, Clock: "synced", Post: &ledger.Post{Config: "x"}}, priced(ledger.PostConfig, 9*day, "synced", 549), command(ledger.CommandDone, "price/set", "local:kari"),
		priced(ledger.PostConfig, 10*day, "synced", 600),
	} {
		p.take(e)
	}
	var got []string
	for _, one := range p.prices() {
		got = append(got, strings.Join([]string{one.Since, one.Price.KWh.String(), one.By}, " "))
	}
	want := []string{"1970-01-11T00:00:00Z 6.00 ", "1970-01-10T00:00:00Z 5.49 local:kari", " 5.00 ", "1970-01-03T00:00:00Z 4.00 ", "1970-01-02T00:00:00Z 3.00 "}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Whoever sets a price at the post has it written down, once.
func TestAnotherPriceIsNoted(t *testing.T) {
	x := newBureau(t)
	var noted []payment.Amount
	x.units[0] = tells{x.a, func(p payment.Price) { noted = append(noted, p.KWh) }}
	if _, err := x.ask(t, "price/set", `{"kwh":490}`); err != nil || !slices.Equal(noted, []payment.Amount{490}) || x.b.rules.Price.KWh != 490 {
		t.Errorf("%v: noted %v, the other has %v", err, noted, x.b.rules.Price.KWh)
	}
	_, err := x.ask(t, "price/set", `{"kwh":-1}`)
	notDone(t, err, control.Invalid, "price.kwh")
	x.a.deaf = true
	if _, err := x.ask(t, "price/set", `{"kwh":500}`); err == nil || len(noted) != 1 {
		t.Errorf("%v, noted %v", err, noted)
	}
}

func TestPriceInWords(t *testing.T) {
	p := priceJSON{Currency: payment.NOK, VAT: 2550, KWh: 549, Minute: 10, Session: 500}
	p.Idle.After, p.Idle.Minute, p.Idle.Cap = 90, 100, 20_000
	want := []string{"5.49 NOK per kWh", "0.10 NOK per minute of charging", "5.00 NOK to start", "1.00 NOK per minute without charging, after 90 min, at most 200.00 NOK", "VAT of 25.5 % included"}
	if got := priceLines(p); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
