package gpio

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// change is a loop that changes at an instant, or is looked at then.
type change struct {
	at   int // ms
	made bool
}

func TestAChangeCountsWhenItHasLasted(t *testing.T) {
	made := []change{{0, true}, {100, true}} // settled at 100 ms
	for _, c := range []struct {
		name          string
		eager         bool
		changes       []change
		made, settled bool
	}{
		{"never looked at", false, nil, false, false},
		{"one look", false, []change{{0, true}}, false, false},
		{"not yet", false, []change{{0, true}, {99, true}}, false, false},
		{"settled", false, made, true, true},
		{"not made from the start", false, []change{{0, false}, {100, false}}, false, true},
		{"a change", false, append(made, change{200, false}), true, true},
		{"a change for 99 ms", false, append(made, change{200, false}, change{299, false}), true, true},
		{"a change for 100 ms", false, append(made, change{200, false}, change{300, false}), false, true},
		{"a pulse", false, append(made, change{200, false}, change{299, true}, change{399, true}), true, true},
		{"bouncing restarts", false, append(made, change{200, false}, change{250, true}, change{260, false}, change{359, false}), true, true},
		{"and ends", false, append(made, change{200, false}, change{250, true}, change{260, false}, change{360, false}), false, true},
		{"eager, one look", true, []change{{0, true}}, false, false},
		{"eager, not made at the first look", true, []change{{0, false}}, false, true},
		{"eager, settled", true, made, true, true},
		{"eager, a change", true, append(made, change{200, false}), false, true},
		{"eager, a pulse", true, append(made, change{200, false}, change{201, true}), false, true},
		{"eager, the end of a pulse waits", true, append(made, change{200, false}, change{201, true}, change{300, true}), false, true},
		{"eager, and comes", true, append(made, change{200, false}, change{201, true}, change{301, true}), true, true},
	} {
		l := loop{eager: c.eager}
		for _, x := range c.changes {
			l.level(time.Duration(x.at)*time.Millisecond, x.made)
		}
		if l.made != c.made || l.settled != c.settled {
			t.Errorf("%s: made %v, settled %v", c.name, l.made, l.settled)
		}
	}
}

// The level may be back before anybody looks: then there is only the edge.
func TestAnEdgeCountsWithoutALevel(t *testing.T) {
	for _, eager := range []bool{false, true} {
		l := loop{eager: eager}
		l.level(0, true)
		l.level(settle, true)
		l.edge(time.Second)
		l.level(time.Second, true)
		if l.made == eager {
			t.Errorf("eager %v: made %v after an edge", eager, l.made)
		}
		l.level(time.Second+settle-1, true)
		if l.made == eager {
			t.Errorf("eager %v: made %v before it has settled", eager, l.made)
		}
		if l.level(time.Second+settle, true); !l.made {
			t.Errorf("eager %v: not made when it has settled", eager)
		}
	}
}

func TestALoopThatFluttersIsNotMade(t *testing.T) {
	l := loop{}
	l.level(0, true)
	l.level(settle, true)
	from := 5 * time.Second
	for d := time.Duration(0); d < 3*time.Second; d += 10 * time.Millisecond { // 50 Hz
		l.level(from+d, d/(10*time.Millisecond)%2 == 1)
		if want := d < flutterMost; l.made != want {
			t.Fatalf("made %v after %v", l.made, d)
		}
	}
	l.level(from+3*time.Second, true)
	if l.level(from+3*time.Second+settle, true); !l.made {
		t.Error("not made when it is over")
	}
}

// play plays a random loop as Watch sees it: an edge at each change, a look at once,
// and looks whenever it wants one. It calls check after each.
func play(t *rapid.T, l *loop, check func(now, same time.Duration, level bool)) {
	level := rapid.Bool().Draw(t, "level")
	now, changed := time.Duration(0), time.Duration(0)
	l.begin(now)
	look := func() {
		l.level(now, level)
		check(now, now-changed, level)
	}
	look()
	gaps := rapid.SliceOfN(rapid.IntRange(0, 250), 1, 60).Draw(t, "gaps in ms")
	for i, ms := range gaps {
		until := now + time.Duration(ms)*time.Millisecond
		for due := l.due(now); due > 0 && now+due < until; due = l.due(now) {
			now += due
			look()
		}
		now, changed, level = until, until, !level
		l.edge(now)
		if i+1 == len(gaps) || gaps[i+1] > 0 { // else it changes again before anybody can look
			look()
		}
	}
}

func TestNoNoiseGetsThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := loop{}
		before := l
		play(t, &l, func(now, same time.Duration, level bool) {
			if l.made != before.made && same < settle && now-l.restless < flutterMost {
				t.Fatalf("made %v at %v, %v after a change", l.made, now, same)
			}
			if l.made && !before.made && same < settle {
				t.Fatalf("made at %v, %v after a change", now, same)
			}
			before = l
		})
	})
}

func TestALastingChangeGetsThroughAtTheNextLook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := loop{eager: rapid.Bool().Draw(t, "eager")}
		play(t, &l, func(now, same time.Duration, level bool) {
			if same >= settle && (!l.settled || l.made != level) {
				t.Fatalf("made %v, settled %v at %v: it has been %v for %v", l.made, l.settled, now, level, same)
			}
			if due := l.due(now); due > settle || due == 0 != (same >= settle) {
				t.Fatalf("wants a look in %v, %v after a change", due, same)
			}
		})
	})
}

func TestAnEagerLoopIsMadeOnlyWhenNothingSpeaksAgainst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := loop{eager: true}
		play(t, &l, func(now, same time.Duration, level bool) {
			if l.made && (!level || same < settle) {
				t.Fatalf("made at %v: it has been %v for %v", now, level, same)
			}
			if !level && !l.settled {
				t.Fatalf("not settled at %v, though seen not made", now)
			}
		})
	})
}
