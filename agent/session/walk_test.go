package session

import (
	cli "flag"
	"hash/maphash"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"stolpe/hal"
	"stolpe/payment"
)

// A walk goes from a post in service through everything that can happen in a few
// events, however unlikely: every letter of its alphabet in every state. States
// that will behave alike are one state (walk_portrait_test.go). The whole alphabet
// goes as far as there is time for; its two halves, money and hardware, go further.
const (
	walkDepth = 16               // the deepest there is room for
	soon      = 16 * time.Second // every limit that can be set, so that it is reached in one event
	walkLimit = 5_000_000        // states; more would mean that the canonical form has come apart
)

var deeper = cli.Int("deeper", 0, "let the walks go so many events further; 2 is for the night")

// spot is a state on the walk, with what a State does not know of its world.
type spot struct {
	state    State
	now      time.Duration
	register hal.Energy // true one, Wh
	flights  []payment.Order
	stopped  uint64 // the newest charge that was stopped, or has left Charging
	path     [walkDepth]byte
	steps    uint8
}

func TestWalk(t *testing.T) {
	if testing.Short() {
		t.Skip("walks for some seconds")
	}
	for _, walk := range []struct {
		name    string
		depth   int
		letters []string
	}{
		{"everything", 5, everything},
		{"money", 10, money},
		{"hardware", 10, hardware},
	} {
		t.Run(walk.name, func(t *testing.T) {
			w := newWalker(walk.letters)
			level := []spot{w.begin()}
			for depth := 1; depth <= walk.depth+*deeper && len(level) > 0 && !t.Failed(); depth++ {
				level = w.wave(t, level)
				t.Logf("after %d events: %d states, %d transitions", depth, w.states, w.transitions)
				if w.states > walkLimit {
					t.Fatalf("%d states after %d events: want at most %d", w.states, depth, walkLimit)
				}
			}
			for _, phase := range []Phase{Idle, Approving, Charging, Stopping} {
				if w.reached[phase] == 0 {
					t.Errorf("never came to phase %v", phase)
				}
			}
			if slices.Contains(walk.letters, "test") == (w.tested == 0) {
				t.Errorf("%d states with a contactor that is tested", w.tested)
			}
		})
	}
}

// walker holds what has been seen. Its lock guards the fields below it.
type walker struct {
	rules    Rules
	letters  []letter
	features features
	seed     maphash.Seed

	mu          sync.Mutex
	seen        map[uint64]bool
	states      int
	reached     [Phases]int // states in each phase
	transitions int
	tested      int // states in which the contactor is closed for a test
}

func newWalker(names []string) *walker {
	rules := testRules()
	rules.Limits = Limits{Approve: soon, PlugIn: soon, NoEnergy: soon, CarFull: soon, Longest: 2 * soon}
	w := &walker{rules: rules, features: features{}.learn(reflect.TypeFor[State](), false), seed: maphash.MakeSeed(), seen: map[uint64]bool{}}
	for _, name := range names {
		w.letters = append(w.letters, letter{name, alphabet[name]})
	}
	return w
}

// begin is a post in service.
func (w *walker) begin() spot {
	p := spot{register: 1000, now: time.Second}
	p.state = w.rules.Recover(Kept{}, Whole, p.instant())
	w.loop(&p)
	for len(p.flights) > 0 {
		alphabet["missing"](w, &p) // the search finds nothing
		w.loop(&p)
	}
	for _, name := range []string{"sense open", "plug out", "meter same", "meter same"} {
		alphabet[name](w, &p)
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
	before := portrait{}.draw(nil, reflect.ValueOf(&from.state).Elem())
	for i := range w.letters {
		p := *from
		p.flights = append([]payment.Order(nil), from.flights...)
		p.path[p.steps] = byte(i)
		p.steps++
		if !w.letters[i].play(w, &p) {
			continue
		}
		w.loop(&p)
		for _, complaint := range w.complaints(from, &p, w.letters[i].name) {
			t.Errorf("%s\nafter %s", complaint, w.story(&p))
		}
		next = append(next, p)
		hashes = append(hashes, w.hash(&p))
	}
	if after := (portrait{}).draw(nil, reflect.ValueOf(&from.state).Elem()); string(after) != string(before) {
		t.Errorf("Step changed the state it was given\nafter %s", w.story(from))
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
			w.reached[next[i].state.Phase]++
			if w.rules.testing(&next[i].state, next[i].now) {
				w.tested++
			}
			kept = append(kept, next[i])
		}
	}
	return kept
}

func (w *walker) story(p *spot) string {
	text := ""
	for _, i := range p.path[:p.steps] {
		text += w.letters[i].name + ", "
	}
	return text
}
