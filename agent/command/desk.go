package command

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"stolpe/agent/telemetry"
	"stolpe/hal"
)

// Deed is how a post does a command.
type Deed struct {
	// Do does it. An error is a Refusal, or else means that it failed.
	Do func(context.Context, Command) (Answer, error)
	// Urgent deeds harm nobody and wait for nothing: neither for others, nor for the
	// ledger, nor for a clock that has been set.
	Urgent bool
}

// Answer is what a deed tells who gave the command.
type Answer struct {
	Text string // one short sentence
	Data any    // becomes JSON; nil for none
	Then func() // called when the answer is on its way, for what would prevent it; may be nil
}

// Kind is what is written down of a command.
type Kind string

// The kinds, which are types of events.
const (
	AcceptedKind Kind = "command.accepted" // it is about to be done
	RefusedKind  Kind = "command.refused"
	DoneKind     Kind = "command.done" // or was tried: see its code
)

// Record is what is written down.
type Record struct {
	Kind    Kind
	At      hal.Stamp
	ID      string
	Name    Name
	Issuer  string
	EVSE    int // its number; 0 for none
	Expires time.Time
	Code    Code
	Text    string
}

// Options say what a desk knows, and what it may do.
type Options struct {
	Base       string // of the post's topics
	Keys       []Key  // names differ
	Allow      []Name // others are refused, whoever gives them
	Deeds      map[Name]Deed
	Remembered []Record // accepted before, by an earlier life of the program, the oldest first

	Now     func() hal.Instant
	TimeSet func() bool        // whether the clock has been set from outside since the program began; nil for only if Now says so
	Note    func(Record) error // writes one down so that it lasts; nil when there is no ledger
	Publish func(context.Context, telemetry.Leaf, []byte) error
	Log     *slog.Logger
}

// Chosen by us.
const (
	mostWait   = 16               // commands of a kind that wait to be looked at
	mostNotes  = 64               // records that wait for a slow disk
	mostGiven  = 10               // commands of one key in a minute
	mostRefuse = 6                // refusals of a kind, see source, that are answered and written down in a while
	deedTime   = 30 * time.Second // for a deed
	remembered = 1000             // ids: what is given in Longest, many times over
)

// Desk takes in commands. Make one with New.
type Desk struct {
	Options
	keys         map[string]Key
	urgent, rest chan message
	notes        chan Record

	mu      sync.Mutex          // guards what follows
	seen    memory              // of what was admitted
	spent   memory              // of what was not: apart, or a key could have others' commands forgotten
	given   map[string]*limiter // by issuer: one that asks all the time must not hold up another's stop
	refused [sources]limiter
	unsaid  int // refusals that were neither answered nor written down
	dropped int // messages for which there was no room, and records
}

// message is one that came.
type message struct {
	name     Name   // by the topic
	payload  []byte // nil if it was too large
	retained bool
}

// New makes a desk.
func New(o Options) *Desk {
	d := &Desk{
		Options: o, keys: map[string]Key{}, urgent: make(chan message, mostWait), rest: make(chan message, mostWait), notes: make(chan Record, mostNotes),
		given: map[string]*limiter{},
	}
	for from := range d.refused {
		d.refused[from] = limiter{most: mostRefuse, within: source(from).while()}
	}
	for _, k := range o.Keys {
		d.keys[k.Name] = k
		d.given[k.Name] = &limiter{most: mostGiven, within: time.Minute}
	}
	for _, r := range o.Remembered {
		d.seen.add(r.ID)
	}
	return d
}

// Take takes in a message, if it is for the desk. It never waits.
func (d *Desk) Take(topic string, payload []byte, retained bool) bool {
	name, ours := strings.CutPrefix(topic, d.Base+string(telemetry.CommandLeaf)+"/")
	if !ours || strings.Contains(name, "/") {
		return false
	}
	m := message{name: Name(name), payload: payload, retained: retained}
	if len(payload) > Largest {
		m.payload = nil
	}
	lane := d.rest
	if d.Deeds[m.name].Urgent {
		lane = d.urgent
	}
	select {
	case lane <- m:
	default:
		d.lose("commands come faster than they can be looked at, and are dropped")
	}
	return true
}

// lose counts what found no room, and says so at the first, second, fourth, eighth.
func (d *Desk) lose(what string) {
	d.mu.Lock()
	d.dropped++
	n := d.dropped
	d.mu.Unlock()
	if n&(n-1) == 0 {
		d.Log.Warn(what, "dropped", n)
	}
}

// Run does what comes until ctx ends. It is called once.
func (d *Desk) Run(ctx context.Context) {
	var lanes, clerk sync.WaitGroup
	clerk.Go(func() {
		for r := range d.notes {
			if err := d.write(r); err != nil {
				d.Log.Error("what a command did cannot be written down", "id", r.ID, "name", r.Name, "err", err)
			}
		}
	})
	for _, lane := range []chan message{d.urgent, d.rest} {
		lanes.Go(func() { d.serve(ctx, lane) })
	}
	lanes.Wait()
	close(d.notes)
	clerk.Wait()
}

func (d *Desk) serve(ctx context.Context, lane <-chan message) {
	for {
		select {
		case m := <-lane:
			d.work(ctx, m)
		case <-ctx.Done():
			return
		}
	}
}

// work does what one message wants.
func (d *Desk) work(ctx context.Context, m message) {
	c, err := d.open(m)
	if err != nil {
		d.refuse(ctx, m, c, err, stranger)
		return
	}
	if err := d.admit(c); err != nil {
		d.refuse(ctx, m, c, err, holder)
		return
	}
	started := d.record(AcceptedKind, c, "", "")
	if deed := d.Deeds[c.Name]; deed.Urgent {
		d.leave(started)
	} else if err := d.write(started); err != nil {
		d.reply(ctx, c, Answer{}, Refusal{Failed, "nothing was done, as it cannot be written down: " + err.Error()})
		return
	}
	d.do(ctx, c)
}

// do does a command and tells what has come of it.
func (d *Desk) do(ctx context.Context, c Command) {
	within, end := context.WithTimeout(ctx, deedTime)
	answer, err := d.Deeds[c.Name].Do(within, c)
	end()
	said, kind := Refusal{Done, answer.Text}, DoneKind
	if err != nil {
		said = refusalOf(err)
		if said.Code != Failed {
			kind = RefusedKind
		}
	}
	d.Log.Info("a command", "name", c.Name, "evse", c.EVSE, "by", c.Issuer, "id", c.ID, "code", said.Code, "text", said.Text)
	d.leave(d.record(kind, c, said.Code, said.Text))
	d.reply(ctx, c, answer, said)
	if err == nil && answer.Then != nil {
		answer.Then()
	}
}

func (d *Desk) record(k Kind, c Command, code Code, text string) Record {
	return Record{
		Kind: k, At: d.Now().Wall, ID: c.ID, Name: c.Name, Issuer: c.Issuer, EVSE: c.EVSE,
		Expires: c.Expires, Code: code, Text: cut(text, maxText),
	}
}

// leave has a record written without waiting for the disk.
func (d *Desk) leave(r Record) {
	select {
	case d.notes <- r:
	default:
		d.lose("what commands did cannot be written down as fast as they come")
	}
}

// reply answers. A reply that is lost is lost: who gave the command may ask again.
func (d *Desk) reply(ctx context.Context, c Command, a Answer, said Refusal) {
	r := Reply{Head: telemetry.HeadAt(d.Now().Wall), ID: c.ID, OK: said.Code == Done, Code: said.Code, Text: said.Text, Data: a.Data}
	if err := d.Publish(ctx, c.Name.ReplyLeaf(), r.write()); err != nil && ctx.Err() == nil {
		d.Log.Warn("the answer to a command did not get through", "id", c.ID, "name", c.Name, "err", err)
	}
}
