package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.uber.org/goleak"

	"stolpe/payment"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What the gateway asks is what the post asked, and what the post hears is what the
// gateway heard; but for Seq, which the post keeps to itself.
func TestOrdersAndAnswersComeThroughAsTheyAre(t *testing.T) {
	for _, o := range []payment.Order{{Ref: payment.NewRef(post, 1, 12), Currency: payment.NOK}, reserve(), settle(), inform()} {
		t.Run(o.Verb.String(), func(t *testing.T) {
			d := &desk{answer: func(payment.Order) (payment.Answer, error) { return full(), errors.New("vipps: 500 from the service") }}
			a, err := newWire(t, d).client.Ask(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), "500 from the service") {
				t.Errorf("error %v: want what the gateway logged", err)
			}
			if diff := cmp.Diff(full(), a); diff != "" {
				t.Errorf("answer (-sent +got):\n%s", diff)
			}
			o.Seq = 0
			if diff := cmp.Diff([]payment.Order{o}, d.orders()); diff != "" {
				t.Errorf("order (-sent +got):\n%s", diff)
			}
		})
	}
}

// A gateway is told apart by its clock alone: the first asking of a post carries no
// time and does nothing but learn it.
func TestFirstAskingLearnsTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		w := newWire(t, d)
		for range 2 {
			if a, err := w.client.Ask(t.Context(), reserve()); a.Status != payment.Missing || err != nil {
				t.Fatalf("%v, %v: want missing", a.Status, err)
			}
		}
		if n, asked := len(w.said(AskLeaf)), len(d.orders()); n != 3 || asked != 2 {
			t.Errorf("%d askings and %d calls for two orders: want 3 and 2", n, asked)
		}
		time.Sleep(forgetAfter + time.Second)
		w.client.Ask(t.Context(), reserve()) //nolint:errcheck // counted below
		if n := len(w.said(AskLeaf)); n != 5 {
			t.Errorf("%d askings: want 5, as what was heard an hour ago is not relied on", n)
		}
	})
}

// Whoever has no time any more asks for nothing, however fast the answer would be.
func TestNothingIsAskedWithoutTime(t *testing.T) {
	d := &desk{answer: func(payment.Order) (payment.Answer, error) { return full(), nil }}
	w := newWire(t, d)
	ctx, end := context.WithCancel(t.Context())
	end()
	if a, err := w.client.Ask(ctx, reserve()); a.Status != payment.Unknown || !errors.Is(err, context.Canceled) || len(w.said(AskLeaf)) != 0 || len(d.orders()) != 0 {
		t.Errorf("%v, %v: want unknown, and no asking", a.Status, err)
	}
}

// A message that has lain in the broker is not acted upon.
func TestLateAskingDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		w := newWire(t, d)
		w.client.Ask(t.Context(), settle()) //nolint:errcheck // to learn the time
		before := len(d.orders())
		var kept []byte
		w.mend = func(leaf string, text []byte) [][]byte {
			if leaf == AskLeaf {
				kept = text
				return nil
			}
			return [][]byte{text}
		}
		if a, err := w.client.Ask(t.Context(), settle()); a.Status != payment.Unknown || err == nil {
			t.Fatalf("%v, %v: want unknown, with an error", a.Status, err)
		}
		w.mend = nil
		time.Sleep(time.Second)
		w.server.Take(tenant, post, kept)
		synctest.Wait()
		if n := len(d.orders()); n != before {
			t.Errorf("%d calls after the time was over: want none", n-before)
		}
	})
}

func TestNoAnswerIsUnknown(t *testing.T) {
	for name, mend := range map[string]func(leaf string, text []byte) [][]byte{
		"asking lost": func(string, []byte) [][]byte { return nil },
		"answer lost": func(leaf string, text []byte) [][]byte {
			if leaf == AnswerLeaf {
				return nil
			}
			return [][]byte{text}
		},
		"answer to another": func(leaf string, text []byte) [][]byte {
			return [][]byte{[]byte(strings.Replace(string(text), `"id":"`, `"id":"x`, 1))}
		},
		"state nobody knows": func(leaf string, text []byte) [][]byte {
			return [][]byte{[]byte(strings.Replace(string(text), `"status":"missing"`, `"status":"gone"`, 1))}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t, &desk{})
				w.mend = mend
				began := time.Now()
				a, err := w.client.Ask(t.Context(), settle())
				if a != (payment.Answer{}) || err == nil {
					t.Errorf("%+v, %v: want unknown and nothing else, with an error", a, err)
				}
				if took := time.Since(began); took > 20*time.Second {
					t.Errorf("took %v: want at most 20 s", took)
				}
				if n := len(w.client.waits); n != 0 {
					t.Errorf("%d places are still kept for answers", n)
				}
			})
		})
	}
}

// A broker that delivers twice makes no second call while the gateway lives, and both
// deliveries are answered with the same words.
func TestDoubleDeliveryIsOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		w := newWire(t, d)
		w.client.Ask(t.Context(), settle()) //nolint:errcheck // to learn the time
		w.mend = func(leaf string, text []byte) [][]byte { return [][]byte{text, text} }
		before := len(d.orders())
		if _, err := w.client.Ask(t.Context(), settle()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := len(d.orders()) - before; n != 1 {
			t.Errorf("%d calls for one asking delivered twice: want 1", n)
		}
		w.server.Take(tenant, post, []byte(w.said(AskLeaf)[len(w.said(AskLeaf))-1])) // and once more, much later
		synctest.Wait()
		said := w.said(AnswerLeaf)
		if n := len(said); said[n-1] != said[n-2] {
			t.Errorf("answers differ:\n%s\n%s", said[n-2], said[n-1])
		}
		if n := len(d.orders()) - before; n != 1 {
			t.Errorf("%d calls: want 1", n)
		}
	})
}

// The rules of what a post may ask, each broken once.
func TestWhatIsNotThePostsToAsk(t *testing.T) {
	for name, spoil := range map[string]func(*payment.Order){
		"another post's payment":     func(o *payment.Order) { o.Ref = payment.NewRef("A13", 1, 12) },
		"a post with a longer name":  func(o *payment.Order) { o.Ref = payment.NewRef("A12-1", 1, 12) },
		"no number":                  func(o *payment.Order) { o.Ref = "A12-1-" },
		"too few digits":             func(o *payment.Order) { o.Ref = "A12-1-12" },
		"other letters":              func(o *payment.Order) { o.Ref = "a12-1-000012" },
		"a path":                     func(o *payment.Order) { o.Ref = "A12-1-000012/../../x" },
		"more than one may reserve":  func(o *payment.Order) { o.Amount = 50_001 },
		"another currency":           func(o *payment.Order) { o.Currency = payment.EUR },
		"another EVSE in the terms":  func(o *payment.Order) { o.Terms.EVSE = "A12/2" },
		"another post in the terms":  func(o *payment.Order) { o.Terms.EVSE = "A13/1" },
		"a page of somebody else":    func(o *payment.Order) { o.Return = "https://evil.example/" },
		"a page that only begins so": func(o *payment.Order) { o.Return = "https://lad.example.no.evil.example/" },
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{}
			o := reserve()
			spoil(&o)
			a, err := newWire(t, d).client.Ask(t.Context(), o)
			if a.Status != payment.Refused || a.Reason != payment.Rejected || err == nil {
				t.Errorf("%v %v, %v: want it refused, with what is wrong", a.Status, a.Reason, err)
			}
			if n := len(d.orders()); n != 0 {
				t.Errorf("%d calls: want none", n)
			}
		})
	}
	for _, o := range []payment.Order{{Ref: payment.NewRef("A13", 1, 12)}, {Verb: payment.Settle, Ref: payment.NewRef("A13", 1, 12), Currency: payment.NOK}, {Verb: payment.Inform, Ref: payment.NewRef("A13", 1, 12), Currency: payment.NOK}} {
		d := &desk{}
		if a, _ := newWire(t, d).client.Ask(t.Context(), o); a.Status != payment.Refused || len(d.orders()) != 0 {
			t.Errorf("%v of another post's payment: %v, %d calls", o.Verb, a.Status, len(d.orders()))
		}
	}
}

func TestPostWithoutAUnitWaits(t *testing.T) {
	a, err := newWire(t).client.Ask(t.Context(), reserve())
	if a.Status != payment.Busy || a.Wait != unitWait || err == nil {
		t.Errorf("%v, wait %v, %v: want busy, a minute, and why", a.Status, a.Wait, err)
	}
}

// A post that sells through another unit now finds what it made through the one
// before; and where that one cannot be asked, nobody knows.
func TestPaymentsOfTheUnitBeforeAreFound(t *testing.T) {
	none := &desk{}
	there := &desk{answer: func(payment.Order) (payment.Answer, error) { return full(), nil }}
	mute := &desk{answer: func(payment.Order) (payment.Answer, error) { return payment.Answer{}, errors.New("no network") }}
	w := newWire(t, none, none, there)
	for _, o := range []payment.Order{settle(), {Ref: settle().Ref}} {
		if a, err := w.client.Ask(t.Context(), o); a.Status != payment.Held || err != nil {
			t.Errorf("%v: %v, %v: want held", o.Verb, a.Status, err)
		}
	}
	if a, err := newWire(t, none, mute, there).client.Ask(t.Context(), settle()); a.Status != payment.Unknown || err == nil {
		t.Errorf("%v, %v: want unknown", a.Status, err)
	}
	before := len(there.orders())
	if a, _ := w.client.Ask(t.Context(), reserve()); a.Status != payment.Missing || len(there.orders()) != before {
		t.Errorf("%v, %d calls: nothing new is asked of the unit before", a.Status, len(there.orders())-before)
	}
}

// What is asked while the gateway ends is answered; and a crowd of one post leaves
// room for others.
func TestEndAnswersWhatWasTakenIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		unit := Unit{Payments: []Payments{blocking{&desk{}, free}}, Currency: payment.NOK}
		var mu sync.Mutex
		kinds, sent := map[SightKind]int{}, 0
		s := NewServer(ServerOptions{
			Unit: func(string, string) (Unit, bool) { return unit, true },
			Publish: func(context.Context, string, string, string, []byte) error {
				mu.Lock()
				defer mu.Unlock()
				sent++
				return nil
			},
			Within: time.Minute, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Saw: func(x Sight) {
				mu.Lock()
				defer mu.Unlock()
				kinds[x.Kind]++
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { s.Run(ctx); close(ended) }()
		for i := range maxOfPost + 5 {
			s.Take(tenant, post, write(ask{V: 1, ID: fmt.Sprint(i), Until: time.Now().Add(time.Second).UnixMilli(), Order: order{Verb: "look", Ref: settle().Ref}}))
		}
		s.Take(tenant, "B1", write(ask{V: 1, ID: "x", Until: time.Now().Add(time.Second).UnixMilli(), Order: order{Verb: "look", Ref: "B1-1-000001"}}))
		cancel()
		synctest.Wait()
		select {
		case <-ended:
			t.Fatal("ended before it had answered")
		default:
		}
		close(free)
		<-ended
		if sent != maxOfPost+1 || kinds[Crowded] != 5 || kinds[Asked] != maxOfPost+1 {
			t.Errorf("%d answers, %v: want %d, and 5 that were too many", sent, kinds, maxOfPost+1)
		}
		if n := len(s.busy); n != 0 {
			t.Errorf("%d posts are counted as busy when all is done", n)
		}
	})
}

type blocking struct {
	Payments
	free <-chan struct{}
}

func (b blocking) Ask(ctx context.Context, o payment.Order) (payment.Answer, error) {
	<-b.free
	return b.Payments.Ask(ctx, o)
}

func TestStatementsAndNudges(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	when, all, err := ReadStatement(post, Statement(at, openPayments()))
	if diff := cmp.Diff(openPayments(), all); diff != "" || !when.Equal(at) || err != nil {
		t.Errorf("%v, %v\n%s", when, err, diff)
	}
	if when, all, err := ReadStatement(post, Statement(time.Time{}, nil)); !when.IsZero() || len(all) != 0 || err != nil {
		t.Errorf("%v %v %v: want nothing, at no time", when, all, err)
	}
	if ref, err := ReadNudge(Nudge("A12-1-000012")); ref != "A12-1-000012" || err != nil {
		t.Errorf("%v, %v", ref, err)
	}
	for _, bad := range []string{
		`{"v":1,"open":[{"ref":"A13-1-000012","currency":"NOK","limit":1000,"due":1}]}`,
		`{"v":1,"open":[{"ref":"A12-1-000012","currency":"NOK","limit":1000,"due":1001}]}`,
		`{"v":1,"open":[{"ref":"A12-1-000012","currency":"NOK","limit":1000,"due":-1}]}`,
		`{"v":1,"open":[{"ref":"A12-1-000012","currency":"SEK","limit":1000,"due":1}]}`,
		`{"v":1,"open":[{"ref":"A12-1-000012","currency":"NOK","limit":1000000000,"due":1}]}`,
		`{"v":2,"open":[]}`, `[]`, `null`, ``,
	} {
		if _, _, err := ReadStatement(post, []byte(bad)); !errors.Is(err, errMessage) {
			t.Errorf("%s: %v: want it refused", bad, err)
		}
	}
	for _, bad := range []string{`{"v":1,"ref":"A12"}`, `{"v":1,"ref":"A12-000012"}`, `{"v":0,"ref":"A12-1-000012"}`, strings.Repeat(" ", maxMessage) + `{}`} {
		if _, err := ReadNudge([]byte(bad)); !errors.Is(err, errMessage) {
			t.Errorf("%.40s: %v: want it refused", bad, err)
		}
	}
}

// Every message that the two ends write is one that the published schema has.
func TestMessagesFitTheSchema(t *testing.T) {
	c := jsonschema.NewCompiler()
	file := filepath.Join("..", "..", "testdata", "relay", "schema.json")
	d := &desk{answer: func(payment.Order) (payment.Answer, error) { return full(), errors.New(strings.Repeat("ø", 300)) }}
	w := newWire(t, d)
	for _, o := range []payment.Order{{Ref: settle().Ref}, reserve(), settle(), inform()} {
		w.client.Ask(t.Context(), o) //nolint:errcheck // what was said is looked at
	}
	messages := map[string][]string{"ask": w.said(AskLeaf), "answer": w.said(AnswerLeaf), "nudge": {string(Nudge("A12-1-000012"))},
		"open": {string(Statement(time.Now(), openPayments())), string(Statement(time.Time{}, nil))}}
	for kind, all := range messages {
		schema, err := c.Compile(file + "#/$defs/" + kind)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) == 0 {
			t.Errorf("no %s was said", kind)
		}
		for _, text := range all {
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(value); err != nil {
				t.Errorf("%s %s: %v", kind, text, err)
			}
		}
		if value, _ := jsonschema.UnmarshalJSON(strings.NewReader(`{"v":2}`)); schema.Validate(value) == nil {
			t.Errorf("%s: the schema takes anything", kind)
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

// Whatever comes, nothing is called that was not asked, nothing panics, and an answer
// is to an asking.
func FuzzMessages(f *testing.F) {
	for _, o := range []payment.Order{{Ref: settle().Ref}, reserve(), settle(), inform()} {
		f.Add(write(ask{V: 1, ID: "x", Until: 1, Order: fromOrder(o)}))
	}
	f.Add(write(fromAnswer(full(), nil)))
	f.Add(Nudge("A12-1-000012"))
	f.Add(Statement(time.Time{}, openPayments()))
	f.Fuzz(func(t *testing.T, text []byte) {
		var a ask
		if read(text, &a) == nil {
			if o, err := a.Order.order(); err == nil {
				if back, err := fromOrder(o).order(); err != nil || cmp.Diff(o, back) != "" {
					t.Errorf("written and read again it differs: %v\n%s", err, cmp.Diff(o, back))
				}
			}
		}
		var w answer
		if read(text, &w) == nil {
			if got, err := w.answer(); err == nil && got.Wait > longestWait {
				t.Errorf("makes a post wait %v", got.Wait)
			}
		}
		if _, all, err := ReadStatement(post, text); err == nil {
			for _, o := range all {
				if err := allow(Unit{Currency: o.Currency}, post, o.Settle()); err != nil || o.Due > o.Limit {
					t.Errorf("%+v: %v", o, err)
				}
			}
		}
		if ref, err := ReadNudge(text); err == nil && ref.Post() == "" {
			t.Errorf("nudged about %q", ref)
		}
	})
}
