package ledger

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"stolpe/payment"
)

const accountRef payment.Ref = "A12-1-000007"

func refundEntry(kind Kind, key string, amount payment.Amount) Entry {
	return Entry{Kind: kind, EVSE: 1, Ref: accountRef, Refund: &Refund{Key: key, Amount: amount, Currency: payment.NOK, Reason: "r"}}
}

// What is known of the refunds of a charge, and what the next one would be.
func TestRefundsGoOnWhereTheyWereLeft(t *testing.T) {
	const first, second = "rf-A12-1-000007-1", "rf-A12-1-000007-2"
	for _, x := range []struct {
		name    string
		entries []Entry
		keys    []string // at the service
		want    string
	}{
		{"none yet", nil, nil, "0 back, next " + first},
		{"one done", []Entry{refundEntry(RefundIntent, first, 500), refundEntry(Refunded, first, 500)}, nil, "500 back, next " + second},
		{"one refused", []Entry{refundEntry(RefundIntent, first, 500), refundEntry(RefundRefused, first, 500)}, nil, "0 back, next " + second},
		{"one open", []Entry{refundEntry(RefundIntent, first, 500)}, nil, "0 back, open " + first},
		{"one open that was said twice", []Entry{refundEntry(RefundIntent, first, 500), refundEntry(RefundIntent, first, 500)}, nil, "0 back, open " + first},
		{"one open, for something else", []Entry{refundEntry(RefundIntent, first, 400)}, nil, "0 back, no: an earlier refund has no answer yet: 4.00 NOK, key " + first},
		{"one done, one open", []Entry{refundEntry(RefundIntent, first, 1), refundEntry(Refunded, first, 1), refundEntry(RefundIntent, second, 500)}, nil, "1 back, open " + second},
		{"two open: the older first", []Entry{refundEntry(RefundIntent, first, 500), refundEntry(RefundIntent, second, 500)}, nil, "0 back, open " + first},
		{"done without an intent, by a book that lost a line", []Entry{refundEntry(Refunded, first, 500)}, nil, "500 back, next " + second},
		{"a book that is younger than the payment", nil, []string{"A12-1-000007-c1", first, "rf-A12-1-000008-9", "rf-A12-1-000007-x", "rf-A12-1-000007-09"}, "0 back, next " + second},
	} {
		a := Account{Ref: accountRef}
		for _, e := range x.entries {
			a.Take(e)
		}
		r, open, err := a.NextRefund(Refund{Amount: 500, Currency: payment.NOK}, x.keys)
		got := fmt.Sprintf("%d back, ", a.Back)
		switch {
		case errors.Is(err, ErrOpenRefund):
			got += "no: " + err.Error()
		case open:
			got += "open " + r.Key
		default:
			got += "next " + r.Key
		}
		if got != x.want {
			t.Errorf("%s: %s, want %s", x.name, got, x.want)
		}
	}
}

func sold(captured, released payment.Amount) *Sale {
	return &Sale{Approved: true, Reserved: 35_000, Captured: captured, Released: released}
}

func held(taken, freed, refunded payment.Amount) payment.Found {
	return payment.Found{
		State: payment.Authorised, Amount: 35_000, Held: 35_000, Taken: taken, Freed: freed, Refunded: refunded,
		Terms: payment.Terms{EVSE: "A12/1"},
	}
}

func TestEveryDifferenceIsFound(t *testing.T) {
	foreign := held(100, 0, 0)
	foreign.Terms = payment.Terms{}
	aborted := payment.Found{State: payment.DeclinedByPayer, Amount: 35_000, Terms: payment.Terms{EVSE: "A12/1"}}
	for _, x := range []struct {
		name    string
		account Account
		found   payment.Found
		want    string // topics
	}{
		{"all agree", Account{Sale: sold(6808, 28_192)}, held(6808, 28_192, 0), ""},
		{"agree, some given back", Account{Sale: sold(6808, 28_192), Back: 500}, held(6808, 28_192, 500), ""},
		{"never approved", Account{Sale: &Sale{}}, aborted, ""},
		{"never made", Account{Sale: &Sale{}}, payment.Found{}, ""},
		{"neither has anything", Account{}, payment.Found{}, ""},
		{"less was captured", Account{Sale: sold(6808, 28_192)}, held(6807, 28_193, 0), "captured released"},
		{"captured, by a book that knows of none", Account{Sale: sold(0, 35_000)}, held(100, 34_900, 0), "captured released"},
		{"not released", Account{Sale: sold(6808, 28_192)}, held(6808, 0, 0), "still_held"},
		{"released in part", Account{Sale: sold(6808, 28_192)}, held(6808, 192, 0), "still_held"},
		{"released by nobody we know", Account{Sale: sold(6808, 0)}, held(6808, 28_192, 0), "released"},
		{"given back in the portal", Account{Sale: sold(6808, 28_192)}, held(6808, 28_192, 500), "refunded"},
		{"not given back", Account{Sale: sold(6808, 28_192), Back: 500}, held(6808, 28_192, 0), "refunded"},
		{"a refund without an end", Account{Sale: sold(6808, 28_192), Open: []Refund{{Key: "k", Amount: 5}}}, held(6808, 28_192, 0), "open_refund"},
		{"unknown to the ledger", Account{}, held(6808, 28_192, 0), "unknown_to_ledger"},
		{"unknown to the ledger, and open", Account{}, held(0, 0, 0), "unknown_to_ledger"},
		{"unknown to the ledger, and nothing of it", Account{}, aborted, "unknown_to_ledger"},
		{"unknown to the service", Account{Sale: sold(6808, 28_192)}, payment.Found{}, "unknown_to_service"},
		{"unknown to the service, released only", Account{Sale: sold(0, 35_000)}, payment.Found{}, "unknown_to_service"},
		{"unknown to the service, of which nothing came", Account{Sale: &Sale{Approved: true}}, payment.Found{}, "unknown_to_service"},
		{"unknown to the service, and captured without an approval", Account{Sale: &Sale{Captured: 1}}, payment.Found{}, "unknown_to_service"},
		{"one øre still held", Account{Sale: sold(6808, 28_192)}, held(6808, 28_191, 0), "still_held"},
		{"refused and captured all the same", Account{Sale: &Sale{}}, held(6808, 0, 0), "captured still_held"},
		{"another's under our reference", Account{}, foreign, "foreign"},
		{"another's that we gave up", Account{Sale: &Sale{}}, foreign, "foreign"},
	} {
		x.account.Ref, x.account.EVSE = accountRef, 1
		var topics []string
		for _, d := range x.account.Against(x.found) {
			topics = append(topics, d.Topic)
			if d.Ref != accountRef || d.EVSE != 1 || d.Text == "" {
				t.Errorf("%s: %+v", x.name, d)
			}
		}
		if got := strings.Join(topics, " "); got != x.want {
			t.Errorf("%s: %q, want %q", x.name, got, x.want)
		}
	}
}

func TestReportIsCompared(t *testing.T) {
	a := Account{Ref: accountRef, Sale: sold(6808, 28_192), Back: 500}
	for _, x := range []struct {
		taken, back payment.Amount
		want        int
	}{{6808, 500, 0}, {6807, 500, 1}, {0, 500, 1}, {6808, 0, 1}, {13_616, 1000, 2}} {
		if got := a.AgainstReport(x.taken, x.back); len(got) != x.want {
			t.Errorf("%v, %v: %+v", x.taken, x.back, got)
		}
	}
	if got := (&Account{}).AgainstReport(5, 0); len(got) != 1 {
		t.Errorf("a movement for a charge that is not in the book: %+v", got)
	}
}

func TestNameOfTheEVSE(t *testing.T) {
	for ref, want := range map[payment.Ref]string{"A12-1-000042": "A12/1", "north-A12-10-1234567": "north-A12/10", "": "", "A12": "", "A12-1": ""} {
		if got := nameOf(ref); got != want {
			t.Errorf("%s: %q, want %q", ref, got, want)
		}
	}
}

func TestSeriesHasNoGaps(t *testing.T) {
	void := func(from, to uint64) Entry { return Entry{Kind: Void, EVSE: 1, Gap: &Gap{From: from, To: to}} }
	document := func(n uint64) Entry { return Entry{Kind: Sold, EVSE: 1, Ref: accountRef, Sale: &Sale{Document: n}} }
	for _, x := range []struct {
		name    string
		entries []Entry
		want    string
	}{
		{"none", nil, ""},
		{"in order", []Entry{document(1), document(0), document(2), document(3)}, ""},
		{"one of a charge that ended in trouble", []Entry{document(1), {Kind: Ended, EVSE: 1, Sale: &Sale{Document: 2}}, document(3)}, ""},
		{"void ones between", []Entry{document(1), void(2, 18), document(19)}, ""},
		{"a void one first", []Entry{void(1, 18), document(19)}, ""},
		{"missing", []Entry{document(1), document(4)}, "numbers 2 to 3, before this one, are neither used nor void"},
		{"missing at the beginning", []Entry{document(2)}, "number 1, before this one, is neither used nor void"},
		{"twice", []Entry{document(1), document(1), document(2)}, "number 1 comes after 1"},
		{"out of order", []Entry{document(1), document(2), void(1, 2)}, "number 1 comes after 2"},
		{"void and used", []Entry{void(1, 5), document(5)}, "number 5 comes after 5"},
	} {
		s := Series{EVSE: 1}
		for _, e := range x.entries {
			s.Take(e)
		}
		var got string
		for _, d := range s.Gaps() {
			got += d.Text
		}
		if x.want == "" && got != "" || !strings.Contains(got, x.want) || len(s.Gaps()) > 1 {
			t.Errorf("%s: %q, want %q", x.name, got, x.want)
		}
	}
}

func TestAccountIsReadFromTheBook(t *testing.T) {
	l, _ := open(t, t.TempDir()+"/ledger.jsonl")
	add(t, l, sale(6), sale(7), refundEntry(RefundIntent, "rf-A12-1-000007-1", 500))
	a, err := l.Account(accountRef)
	if err != nil || a.Sale == nil || a.Sale.Number != 7 || len(a.Open) != 1 || a.EVSE != 1 {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err := l.Account("A12-1-000009"); err != nil || a.Sale != nil || a.At != 0 {
		t.Errorf("%+v, %v", a, err)
	}
	if d := (Damage{"line 3: checksum"}).Differences(); len(d) != 1 || d[0].Topic != "ledger_damage" || !strings.Contains(d[0].Text, "line 3") {
		t.Errorf("%+v", d)
	}
}
