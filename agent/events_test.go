package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/control"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/cross/schema"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// Every kind of line that a ledger may have is an event in the schema, with as much and
// with as little in it as there can be. A day of a post's life does not see all of them.
func TestEveryEventFitsTheSchema(t *testing.T) {
	s, err := schema.ReadStrictly("..")
	if err != nil {
		t.Fatal(err)
	}
	const ref = "A12-1-000012"
	noon := hal.Stamp{Unix: 1_795_780_800, Clock: hal.ClockSynced}
	full := session.Debt{
		Charge: session.Charge{
			Number: 12, Limit: 35_000, Held: true, Start: 10_344_156, End: 10_355_500, Elapsed: 98 * time.Minute, Idle: time.Minute,
			Started: noon, Ended: noon, Why: display.ByDriver,
			Price: payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549, Minute: 1, Session: 100, Idle: payment.Idle{After: 15 * time.Minute, Minute: 100, Cap: 20_000}},
		},
		Due: 6228, Captured: 6228, Released: 28_772, Closed: noon, Receipt: 7, Trouble: payment.FundsGone,
	}
	bare := session.Debt{Charge: session.Charge{Number: 1, Price: payment.Price{Currency: payment.EUR}, Why: display.NoAnswer}}
	sale := func(d session.Debt, receipt string) *ledger.Sale {
		s := ledger.SaleOf(d, receipt, "eastron_sdm630", "22110345")
		return &s
	}
	id := commands.NewID(noon.Time())
	refund := &ledger.Refund{Key: "k", Amount: 100, Currency: payment.NOK, Reason: "bad cable"}
	gap := &ledger.Gap{From: 3, To: 4, Why: "lost with a card"}
	priced := ledger.Post{Boot: "7M3KQ2ZC"}.Priced(full.Price)
	local := control.Record{Kind: control.Refused, ID: id, Route: "contactor/test", Caller: control.Caller{Name: strings.Repeat("k", 32), As: strings.Repeat("p", 32)}, Code: control.NotPermitted, Text: "x"}
	entries := []ledger.Entry{
		entryOfLocal(local, noon), {Kind: ledger.PostBooted, Post: &priced},
		{Kind: ledger.Sold, Ref: ref, Sale: sale(full, "A12-1-7")}, {Kind: ledger.Ended, Ref: ref, Sale: sale(bare, "")},
		{Kind: ledger.Void, Gap: gap}, {Kind: ledger.Trimmed, Gap: gap}, {Kind: ledger.Informed, Ref: ref, Told: "never"},
		{Kind: ledger.RefundIntent, Ref: ref, Refund: refund}, {Kind: ledger.Refunded, Ref: ref, Refund: refund}, {Kind: ledger.RefundRefused, Ref: ref, Refund: refund},
		{Kind: ledger.SessionCreated, Ref: ref, Session: ledger.Created(&full.Charge)}, {Kind: ledger.SessionCreated, Ref: ref, Session: ledger.Created(&bare.Charge)},
		{Kind: ledger.SessionAuthorised, Ref: ref, Session: ledger.Under(&full.Charge)}, {Kind: ledger.SessionStarted, Ref: ref, Session: ledger.Under(&full.Charge)},
		{Kind: ledger.SessionSuspended, Ref: ref, Session: ledger.Under(&full.Charge)}, {Kind: ledger.SessionResumed, Ref: ref, Session: ledger.Under(&full.Charge)},
		{Kind: ledger.SessionEnded, Ref: ref, Session: ledger.Owed(&full)}, {Kind: ledger.SessionEnded, Ref: ref, Session: ledger.Owed(&bare)},
		{Kind: ledger.PaymentFailed, Ref: ref, Session: ledger.Owed(&full)},
		{Kind: ledger.FaultRaised, Fault: &ledger.Fault{Code: "MET-001", Class: "meter", Text: "meter silent"}},
		{Kind: ledger.FaultCleared, Fault: &ledger.Fault{Code: "MET-001", Class: "meter", Text: "meter silent", Seconds: 60}},
		{Kind: ledger.CommandAccepted, Command: &ledger.Command{ID: id, Name: "stop", Issuer: "desk", Expires: noon.Unix}},
		{Kind: ledger.CommandRefused, Command: &ledger.Command{Code: "unsigned", Text: "no key of that name here"}},
		{Kind: ledger.CommandDone, Command: &ledger.Command{ID: id, Name: "stop", Issuer: "desk", Code: "done"}},
		{Kind: ledger.PostBooted, Post: &ledger.Post{Version: "1.0.0", System: "linux/arm64", Boot: "7M3KQ2ZC", Config: "0123456789ab"}},
		{Kind: ledger.PostClock, Post: &ledger.Post{Jump: -3600, Was: "unknown"}}, {Kind: ledger.PostConfig, Post: &ledger.Post{Config: "0123456789ab"}},
		{Kind: ledger.PostConfig, Post: &ledger.Post{Config: "0123456789ab", Seal: "the seal that kari made has been taken off without its PIN"}},
		{Kind: ledger.PostCommissioned, Post: &ledger.Post{Config: "0123456789ab", Report: strings.Repeat("0a", 32), Previous: strings.Repeat("0b", 32), By: "kari"}},
	}
	for i, e := range entries {
		e.Seq, e.At, e.Clock, e.EVSE = uint64(i+1), noon.Unix, noon.Clock.String(), 1
		event, err := eventFrom(ledger.Sending{ID: id, Entry: e})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(&event)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Message(event.Leaf(), text); err != nil {
			t.Error(err)
		}
	}
}
