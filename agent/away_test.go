package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/ledger"
	"stolpe/agent/mqtt"
	"stolpe/agent/telemetry"
	"stolpe/cross/schema"
	"stolpe/payment/envelope"
)

// eventIn reads an event as a consumer does.
func eventIn(t *testing.T, m mqtt.Message) telemetry.Event {
	t.Helper()
	var e telemetry.Event
	if err := json.Unmarshal(m.Payload, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// consumer is somebody's bookkeeping on the fleet's side. It keeps each event once, by
// its id, and knows which numbers it misses.
type consumer struct {
	t      *testing.T
	schema *schema.Schema

	mu     sync.Mutex
	events map[string]telemetry.Event // by id
	texts  map[string][]byte          // as they came
	ids    map[uint64]string          // by number
	again  int                        // that it had already
	newest uint64                     // number of the newest that was new
	late   int                        // new ones that came after a newer one
	came   []time.Time                // of all events
	before []telemetry.Leaf           // what came before the first event of a connection
	deaf   func(uint64) bool          // loses the event of that number
	each   func()                     // called with each event that is new
}

func newConsumer(t *testing.T) *consumer {
	s, err := schema.ReadStrictly("..")
	if err != nil {
		t.Fatal(err)
	}
	return &consumer{t: t, schema: s, events: map[string]telemetry.Event{}, texts: map[string][]byte{}, ids: map[uint64]string{}, deaf: func(uint64) bool { return false }, each: func() {}}
}

func (c *consumer) hear(m mqtt.Message) {
	leaf := telemetry.Leaf(strings.TrimPrefix(m.Topic, envelope.Base("acme", "A12")))
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.schema.Message(leaf, m.Payload); err != nil {
		c.t.Error(err)
	}
	if !strings.HasPrefix(string(leaf), string(telemetry.EventLeaf)+"/") {
		if len(c.came) == 0 {
			c.before = append(c.before, leaf)
		}
		return
	}
	e := eventIn(c.t, m)
	c.came = append(c.came, time.Now())
	if c.deaf(e.Seq) {
		return
	}
	if _, had := c.events[e.ID]; had {
		c.again++
		if !bytes.Equal(c.texts[e.ID], m.Payload) {
			c.t.Errorf("two events with the id %s:\n%s\n%s", e.ID, c.texts[e.ID], m.Payload)
		}
		return
	}
	if other, had := c.ids[e.Seq]; had {
		c.t.Errorf("event %d has the ids %s and %s", e.Seq, other, e.ID)
	}
	if leaf != e.Leaf() {
		c.t.Errorf("%s came under %s", e.Type, leaf)
	}
	if e.Seq < c.newest {
		c.late++
	}
	c.events[e.ID], c.texts[e.ID], c.ids[e.Seq], c.newest = e, m.Payload, e.ID, max(c.newest, e.Seq)
	c.each()
}

// known says how many events it has, and the number of the newest.
func (c *consumer) known() (events int, newest uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.events), c.newest
}

// set changes what it does from now on.
func (c *consumer) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// gaps are the numbers that are missing up to the newest.
func (c *consumer) gaps() []uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var missing []uint64
	for n := uint64(1); n <= c.newest; n++ {
		if c.ids[n] == "" {
			missing = append(missing, n)
		}
	}
	return missing
}

// holds says what of a book the consumer lacks, or has otherwise.
func (c *consumer) holds(book []ledger.Entry) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(book) != len(c.events) {
		c.t.Errorf("%d events came, the book has %d", len(c.events), len(book))
	}
	for _, e := range book {
		got, ok := c.events[c.ids[e.Seq]]
		if want, _ := json.Marshal(e.Data()); !ok || got.Type != string(e.Kind) || got.Ref != string(e.Ref) || !bytes.Equal(got.Data, want) { //nolint:errcheck // it has been written before
			c.t.Errorf("%s %d (%s) of the book is %+v", e.Kind, e.Seq, e.Ref, got)
		}
	}
}

// fastest is how many events came within five seconds at most.
func (c *consumer) fastest() int {
	most, from := 0, 0
	for i, at := range c.came {
		for at.Sub(c.came[from]) >= 5*time.Second {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// The broker is away for a day with thirty charges, in which the program is killed at
// its worst moments. Then everything arrives: no event is missing, they come in their
// order and not too fast, and after how things stand; what comes twice has one id. Who
// has lost some gets them again.
func TestBrokerIsAwayForADay(t *testing.T) {
	if testing.Short() {
		t.Skip("lives a day")
	}
	t.Parallel()
	c := newConsumer(t)
	inQuarter(t, func(q *quarter) {
		q.open()
		q.listen(c.hear, "stolpe/v1/#")
		q.start("frugal")
		q.until(10 * time.Minute)
		if n, _ := c.known(); len(c.gaps()) > 0 || n == 0 {
			t.Errorf("%d events came while the broker was there, without %v", n, c.gaps())
		}
		q.hush()
		q.lose()
		for i := range 30 {
			q.until(15*time.Minute + time.Duration(i)*47*time.Minute)
			q.thirtieth(i)
		}
		q.until(24*time.Hour + 10*time.Minute)
		c.set(func() {
			c.came, c.before = nil, nil
			c.each = func() { // the line breaks between two of those that belong together
				if len(c.events) == 30 {
					q.cut()
				}
			}
		})
		q.open()
		q.listen(c.hear, "stolpe/v1/#")
		n, newest := c.known()
		for range 1200 { // until some of it has come, and not all of that is written down as sent
			if n > 90 && q.sent() < newest {
				break
			}
			q.pass(250 * time.Millisecond)
			n, newest = c.known()
		}
		first := slices.Index(c.before, telemetry.StateLeaf.Of(1))
		if first < 0 || slices.Index(c.before, telemetry.InfoLeaf) < 0 || slices.Index(c.before, envelope.AvailabilityLeaf) < 0 {
			t.Errorf("before the first event came %v", c.before)
		}
		q.kill() // and again, in the middle of telling
		q.start("frugal")
		q.pass(10 * time.Minute)
		if n := c.fastest(); n > 5*20+3*18 { // twenty a second, and what each of three connections begins with
			t.Errorf("%d events came within five seconds", n)
		}
		if n == len(c.events) || c.again == 0 {
			t.Errorf("%d events came before the last killing, %d after, and %d of them twice", n, len(c.events), c.again)
		}
		if c.late > 0 || len(c.gaps()) > 0 {
			t.Errorf("%d events came out of order, and %v never", c.late, c.gaps())
		}
		c.holds(q.entries())
		q.audit(c)
		t.Logf("%d events, %d of them twice, at most %d in five seconds; %d lives", len(c.events), c.again, c.fastest(), q.lives)

		q.replays(c)
		c.holds(q.entries())
	})
}

// thirtieth is one of the day's charges, and what goes wrong in it.
func (q *quarter) thirtieth(i int) {
	switch i {
	case 5: // while energy flows
		q.arrive(i)
		q.pass(8 * time.Minute)
		q.kill()
		q.start("frugal")
		q.pass(2 * time.Minute)
	case 11: // while it is settled
		q.arrive(i)
		q.pass(20 * time.Minute)
		q.must(q.life.parts.Act(q.t.Context(), "A12", holderOf(i), 0))
		q.pass(3200 * time.Millisecond)
		q.kill()
		q.start("frugal")
	case 17: // when it has just been settled, and nobody is there
		q.charge(i, 20*time.Minute)
		q.kill()
		q.start("frugal")
	case 23: // twice in a row, in the first seconds of a charge
		q.arrive(i)
		q.kill()
		q.start("frugal")
		q.kill()
		q.start("frugal")
		q.pass(2 * time.Minute)
	default:
		q.charge(i, 20*time.Minute)
	}
}

// sent is the number up to which the post has written down that events have arrived.
func (q *quarter) sent() uint64 {
	q.t.Helper()
	text, err := os.ReadFile(strings.TrimSuffix(ledgerPath(q.life.state), ".jsonl") + "-sent.json")
	q.must(err)
	var c struct{ Acknowledged uint64 }
	q.must(json.Unmarshal(text, &c))
	return c.Acknowledged
}

// audit holds what a consumer knows of money against what the payment service does.
func (q *quarter) audit(c *consumer) {
	q.t.Helper()
	settled := map[string]string{}
	for _, e := range c.events {
		if e.Type == string(ledger.Sold) || e.Type == string(ledger.Ended) {
			var d struct{ Captured, Released int64 }
			if err := json.Unmarshal(e.Data, &d); err != nil {
				q.t.Error(err)
			}
			if settled[e.Ref] != "" {
				q.t.Errorf("%s has been settled twice", e.Ref)
			}
			settled[e.Ref] = fmt.Sprint(d.Captured, " ", d.Released)
		}
	}
	if len(settled) != 30 || len(q.money.found) != 30 {
		q.t.Errorf("%d charges have been settled, and %d paid for: want 30", len(settled), len(q.money.found))
	}
	for ref, f := range q.money.found {
		if told := settled[string(ref)]; told != fmt.Sprint(int64(f.Taken), " ", int64(f.Freed)) || f.Left() != 0 {
			q.t.Errorf("%s: told %q, captured %v and released %v", ref, told, f.Taken, f.Freed)
		}
	}
}

// replays has the consumer lose some, and ask for them.
func (q *quarter) replays(c *consumer) {
	q.t.Helper()
	_, newest := c.known()
	c.set(func() { c.deaf = func(seq uint64) bool { return seq > newest && seq <= newest+4 } })
	q.charge(30, 5*time.Minute)
	q.pass(time.Minute)
	lost := c.gaps()
	if len(lost) != 4 {
		q.t.Fatalf("lost %v", lost)
	}
	c.set(func() { c.deaf = func(uint64) bool { return false } })
	q.command(commands.Replay, 0, fmt.Sprintf(`{"from":%d}`, lost[0]))
	q.pass(time.Minute)
	if lost := c.gaps(); len(lost) > 0 {
		q.t.Errorf("still without %v", lost)
	}
}
