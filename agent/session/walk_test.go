package session

import (
	"hash/maphash"
	"reflect"
	"runtime"
	"sync"
	"testing"
	"time"

	"stolpe/hal"
)

// The walk goes from a post in service through everything that can happen in a
// few events, however unlikely: every letter of the alphabet in every state.
// States that differ only in when they happened are one state.
const (
	walkDepth = 12
	walkLimit = 1_500_000 // states; more would mean that the canonical form has come apart
)

// spot is a state on the walk, with what a State does not know of its world.
type spot struct {
	state    State
	now      time.Duration
	register hal.Energy // true one, Wh
	flights  []flight
	stopped  uint64 // the newest charge that was stopped, or has left Charging
	path     [walkDepth]byte
	steps    uint8
}

func TestWalk(t *testing.T) {
	if testing.Short() {
		t.Skip("walks for some seconds")
	}
	w := newWalker()
	level := []spot{w.begin()}
	for depth := 0; depth < walkDepth && len(level) > 0 && !t.Failed(); depth++ {
		level = w.wave(t, level)
		t.Logf("after %d events: %d states, %d transitions", depth+1, w.states, w.transitions)
		if w.states > walkLimit {
			t.Fatalf("%d states after %d events: want at most %d", w.states, depth+1, walkLimit)
		}
	}
}

// walker holds what has been seen. Its lock guards the fields below it.
type walker struct {
	rules Rules
	seed  maphash.Seed

	mu          sync.Mutex
	seen        map[uint64]bool
	states      int
	transitions int
}

func newWalker() *walker {
	w := newWorld()
	return &walker{rules: w.rules, seed: maphash.MakeSeed(), seen: map[uint64]bool{}}
}

// begin is a post in service.
func (w *walker) begin() spot {
	p := spot{register: 1000, now: time.Second}
	p.state = w.rules.Recover(Kept{}, Whole, p.instant())
	w.loop(&p)
	for range 2 {
		for _, letter := range []string{"missing", "sense open", "plug out", "meter same", "tick 11m calm"} {
			alphabet[indexOf(letter)].play(w, &p)
			w.loop(&p)
		}
	}
	return p
}

func (p *spot) instant() hal.Instant {
	return hal.Instant{Mono: p.now, Wall: hal.Stamp{Unix: 1_800_000_000, Clock: hal.ClockSynced}}
}

// wave plays every letter in every spot of a level and gives the new spots.
func (w *walker) wave(t *testing.T, level []spot) []spot {
	parts := make([][]spot, runtime.GOMAXPROCS(0))
	var group sync.WaitGroup
	for i := range parts {
		group.Go(func() {
			for n := i; n < len(level) && !t.Failed(); n += len(parts) {
				parts[i] = append(parts[i], w.branch(t, &level[n])...)
			}
		})
	}
	group.Wait()
	var next []spot
	for _, part := range parts {
		next = append(next, part...)
	}
	return next
}

// branch gives the unseen spots that one more event leads to.
func (w *walker) branch(t *testing.T, from *spot) []spot {
	var next []spot
	var hashes []uint64
	before := canon(nil, reflect.ValueOf(&from.state).Elem(), 0)
	for i := range alphabet {
		p := *from
		p.flights = append([]flight(nil), from.flights...)
		p.path[p.steps] = byte(i)
		p.steps++
		if !alphabet[i].play(w, &p) {
			continue
		}
		w.loop(&p)
		for _, complaint := range w.complaints(from, &p, alphabet[i].name) {
			t.Errorf("%s\nafter %s", complaint, p.story())
		}
		next = append(next, p)
		hashes = append(hashes, w.hash(&p))
	}
	if after := canon(nil, reflect.ValueOf(&from.state).Elem(), 0); string(after) != string(before) {
		t.Errorf("Step changed the state it was given\nafter %s", from.story())
	}
	return w.unseen(next, hashes)
}

func (w *walker) unseen(next []spot, hashes []uint64) []spot {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.transitions += len(next)
	kept := next[:0]
	for i, h := range hashes {
		if !w.seen[h] {
			w.seen[h] = true
			w.states++
			kept = append(kept, next[i])
		}
	}
	return kept
}

func (p *spot) story() string {
	text := ""
	for _, i := range p.path[:p.steps] {
		text += alphabet[i].name + ", "
	}
	return text
}

// hash is of the canonical form: times as seconds before now.
func (w *walker) hash(p *spot) uint64 {
	b := canon(make([]byte, 0, 1024), reflect.ValueOf(&p.state).Elem(), p.now)
	for _, f := range p.flights {
		b = append(b, byte(f.order.Verb), byte(f.order.Ref.Number()))
	}
	b = append(b, byte(p.stopped), byte(p.register), byte(p.register>>8))
	return maphash.Bytes(w.seed, b)
}

// lengths are the fields that tell how long something took; every other duration
// in a State is an instant.
var lengths = map[string]bool{"Elapsed": true, "Idle": true, "idle": true, "After": true}

// canon writes v behind b so that two states differ only if they may behave
// differently. Instants are told in seconds before now; with now 0, as they are.
func canon(b []byte, v reflect.Value, now time.Duration) []byte {
	switch v.Kind() {
	case reflect.Struct:
		t := v.Type()
		for i := range v.NumField() {
			at := now
			switch name := t.Field(i).Name; {
			case name == "seq", name == "sequence":
				if now != 0 {
					continue // names of askings
				}
			case lengths[name]:
				at = 0
			}
			b = canon(b, v.Field(i), at)
		}
	case reflect.Pointer:
		if v.IsNil() {
			return append(b, 0)
		}
		return canon(append(b, 1), v.Elem(), now)
	case reflect.Slice, reflect.Array:
		b = append(b, byte(v.Len()))
		for i := range v.Len() {
			b = canon(b, v.Index(i), now)
		}
	case reflect.String:
		b = append(append(b, byte(v.Len())), v.String()...)
	case reflect.Bool:
		if v.Bool() {
			return append(b, 1)
		}
		b = append(b, 0)
	case reflect.Int, reflect.Int64:
		b = whole(b, since(v, now))
	default:
		b = whole(b, int64(v.Uint()))
	}
	return b
}

// since gives a number, or how many seconds ago an instant was, as far as anybody
// can care. Zero is no instant at all.
func since(v reflect.Value, now time.Duration) int64 {
	if now == 0 || v.Type() != reflect.TypeFor[time.Duration]() || v.Int() == 0 {
		return v.Int()
	}
	const far = int64(4 * time.Hour / time.Second)
	ago := (now - time.Duration(v.Int())).Round(time.Second)
	return 1 + max(-far, min(far, int64(ago/time.Second)))
}

func whole(b []byte, n int64) []byte {
	for ; n >= 0x80 || n < 0; n = int64(uint64(n) >> 7) {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}
