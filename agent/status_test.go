package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// A terminal is drawn over, also over a restart of the daemon.
func TestWatchOnATerminal(t *testing.T) {
	p := perform(t, nil)
	open, closed := p.reach(t, nil)
	var out paper
	s := &statusing{watch: true, every: time.Second, lang: display.EN, out: &out, wide: true}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.follow(ctx, daemonOf()) }()
	shows := func(word string, n int) func() bool {
		return func() bool { return strings.Count(out.String(), word) >= n }
	}
	until(t, "available", shows("AVAILABLE", 1))
	until(t, "it is drawn over", shows("\x1b[5A\x1b[J", 1))
	closed()
	until(t, "it waits for the daemon", shows("The daemon does not answer", 1))
	before := strings.Count(out.String(), "AVAILABLE")
	open()
	until(t, "it goes on", shows("AVAILABLE", before+1))
	end()
	var own coded
	if err := <-ended; !errors.As(err, &own) || own.code != exitStopped {
		t.Errorf("%v", err)
	}
	if text := out.String(); strings.Count(text, noWrap) != strings.Count(text, wrap) || strings.Contains(text, "\u00a0") {
		t.Errorf("%q", text)
	}
}

// A watch that nobody looks at ends with its daemon.
func TestWatchEndsWithTheDaemon(t *testing.T) {
	p := perform(t, nil)
	_, closed := p.reach(t, nil)
	var out paper
	s := &statusing{watch: true, every: time.Second, lang: display.NB, out: &out}
	ended := make(chan error, 1)
	go func() { ended <- s.follow(t.Context(), daemonOf()) }()
	until(t, "ledig", func() bool { return strings.Contains(out.String(), "LEDIG   måler ok   kontaktor åpen") })
	closed()
	var own coded
	if err := <-ended; !errors.As(err, &own) || own.code != exitNoDaemon {
		t.Errorf("%v", err)
	}
}

func TestStatusOfOneEVSE(t *testing.T) {
	p := perform(t, nil)
	p.reach(t, nil)
	if got := command("status", "--evse", "2"); got.code != exitNotFound || !strings.Contains(got.stderr, "post DEMO has no EVSE 2") {
		t.Errorf("%+v", got)
	}
	if got := command("status", "--evse", "1", "--json"); got.code != 0 || !strings.Contains(got.stdout, `"evse":1`) {
		t.Errorf("%+v", got)
	}
}

// Everything that may be wrong is drawn, in both languages, and nothing that is not told.
func TestStatusInWords(t *testing.T) {
	t.Parallel()
	number := func(n int64) *int64 { return &n }
	amount := func(a payment.Amount) *payment.Amount { return &a }
	ill := postStatus{
		Post: "A12", Name: "Storgata 1", Version: "1.0", At: "2026-11-20T10:02:00Z", Clock: "holdover", Zone: "Europe/Oslo", Up: 3600,
		EVSEs: []evseStatus{
			{EVSE: 1, Code: "A12", State: "charging", Phase: "charging", Contactor: "closed", Plug: "in",
				Meter:  meterStatus{Model: "sdm630", Quality: "ok", Register: number(12_345_678), Power: number(7200), Age: number(400)},
				Charge: &chargeStatus{Ref: "A12-1-000042", Seconds: 4320, Energy: 8640, Power: 7200, Cost: amount(4743), Reserved: amount(20_000), Currency: "NOK"}},
			{EVSE: 2, Code: "A13", State: "faulted", Phase: "idle", Contactor: "mismatch", Plug: "unknown", Meter: meterStatus{Quality: "stale"},
				Faults:    []faultStatus{{Code: "CON-001", Text: "contactor welded", Opens: true}, {Code: "PAY-002", Text: "reading payments back"}},
				Unsettled: owedStatus{Count: 2, Stuck: 1}},
			{EVSE: 3, Code: "A14", State: "authorised", Phase: "waiting", Contactor: "open", Meter: meterStatus{Quality: "implausible"}, Charge: &chargeStatus{Left: 61}},
		},
		Payment: moneyStatus{Through: "vipps", State: "trouble", Trouble: "timed out"}, MQTT: &mqttStatus{Waiting: 3}, Ledger: "disk is full",
		Displays: []displayStatus{{Name: "oled"}, {Name: "kiosk", Code: "DIS-001", Text: "x"}},
	}
	for _, row := range []struct {
		lang display.Lang
		wide bool
		want []string
	}{
		{display.EN, false, []string{
			"A12   CHARGING 1 h 12 min   8.64 kWh   NOK 47.43 of NOK 200   7.2 kW   meter ok   contactor closed   vipps TROUBLE   mqtt AWAY   3 events waiting   kiosk DIS-001\n",
			"A13   OUT OF ORDER   CON-001 contactor welded   PAY-002 reading payments back   meter stale   contactor DOES NOT DO AS TOLD   ",
			"2 not settled, 1 STUCK -> stolpe sessions settle --all-stuck\n", "A14   APPROVED 1:01   meter implausible   contactor open",
		}},
		{display.NB, false, []string{"A12   LADER 1 t 12 min   8,64 kWh   47,43 kr av 200 kr   7,2 kW   måler ok   kontaktor lukket   vipps SVARER IKKE   mqtt BORTE"}},
		{display.EN, true, []string{
			"Stolpe A12 · Storgata 1 · stolpe 1.0 · up 1 h 0 min · 2026-11-20 11:02:00 (clock on its own)\n", "charge      A12-1-000042\n",
			"ok   12,345.678 kWh   0.4 s ago   sdm630\n", "closed   plug in\n", "CON-001  contactor welded (opens the contactor)\n", "PAY-002  reading payments back\n",
			"vipps TROUBLE (timed out), mqtt AWAY", "Ledger        disk is full\n",
		}},
		{display.NB, true, []string{"(klokken går av seg selv)", "(åpner kontaktoren)", "for 0.4 s siden"}},
	} {
		var out paper
		s := &statusing{lang: row.lang, out: &out, wide: row.wide}
		if err := s.print(ill); err != nil {
			t.Fatal(err)
		}
		for _, want := range row.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s\nwant %q", out.String(), want)
			}
		}
		if strings.Contains(out.String(), "%!") || strings.Contains(out.String(), "\x1b") {
			t.Errorf("%q", out.String())
		}
	}
	var out paper
	s := &statusing{lang: display.EN, out: &out, wide: true, paint: painter{on: true}}
	if err := s.print(ill); err != nil || !strings.Contains(out.String(), "\x1b[31mCON-001") || !strings.Contains(out.String(), "\x1b[32mCHARGING") {
		t.Errorf("%v, %q", err, out.String())
	}
}

func TestEveryStateHasAWord(t *testing.T) {
	t.Parallel()
	for state := display.State(0); state <= display.LastState; state++ {
		if got, ok := stateNamed(state.String()); !ok || got != state {
			t.Errorf("%v: %v, %v", state, got, ok)
		}
	}
	if _, ok := stateNamed("singing"); ok {
		t.Error("singing is a state")
	}
}

// What is known of the payment service is what the last asking has found.
func TestHeard(t *testing.T) {
	t.Parallel()
	at := hal.Instant{Mono: time.Minute}
	p := &parts{}
	way := &saying{}
	h := p.hear(way, world{mono: func() time.Duration { return at.Mono }})
	if asked, _, _ := p.money.last(); asked {
		t.Error("asked before anybody has")
	}
	for _, row := range []struct {
		answer payment.Answer
		err    error
		want   string
	}{
		{payment.Answer{Status: payment.Held}, nil, ""},
		{payment.Answer{}, errors.New("no route"), "no route"},
		{payment.Answer{Status: payment.Refused, Reason: payment.Rejected}, errors.New("no"), ""},
		{payment.Answer{Status: payment.Refused, Reason: payment.Setup, Code: "401"}, errors.New("bad keys"), "bad keys"},
		{payment.Answer{Status: payment.Settled}, nil, ""},
	} {
		way.answer, way.err = row.answer, row.err
		if got, err := h.Ask(t.Context(), payment.Order{}); got != row.answer || !errors.Is(err, row.err) {
			t.Errorf("%+v, %v", got, err)
		}
		at.Mono += time.Second
		if asked, ago, trouble := p.money.last(); !asked || ago != time.Second || !strings.Contains(trouble, row.want) || (row.want == "") != (trouble == "") {
			t.Errorf("%+v, %v: %v, %v, %q", row.answer, row.err, asked, ago, trouble)
		}
	}
	way.answer, way.err = payment.Answer{}, context.Canceled
	h.Ask(t.Context(), payment.Order{}) //nolint:errcheck // cut short
	if _, ago, trouble := p.money.last(); trouble != "" || ago != time.Second {
		t.Errorf("%v, %q: want nothing of an asking that was cut short", ago, trouble)
	}
}

// saying is a payment service that says one thing.
type saying struct {
	answer payment.Answer
	err    error
}

func (s *saying) Ask(context.Context, payment.Order) (payment.Answer, error) { return s.answer, s.err }
