package gpio

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// buttoned runs a test with a post that has an accept button on a line with a pull-up,
// which is at rest when the watch begins unless held says otherwise.
func buttoned(t *testing.T, held bool, test func(*post)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &post{T: t, board: pi(t), began: time.Now()}
		p.lines = mustOpen(t, p.board, Config{Line: "GPIO17", Sense: "GPIO27", Accept: "!GPIO26", EStop: "GPIO24"})
		p.board.move("GPIO24", up)
		if held {
			p.board.move("GPIO26", down)
		}
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			p.lines.Watch(t.Context(), p.changed)
		}()
		p.sleep(time.Second)
		test(p)
		if err := p.lines.Close(); err != nil {
			t.Error(err)
		}
		<-watched
		p.mustTell(told{settle, 0}) // a button is no signal
	})
}

// pressed says whether there was a press since the last call.
func (p *post) pressed() bool {
	select {
	case <-p.lines.Presses():
		return true
	default:
		return false
	}
}

// hold presses the button for so long and lets it go.
func (p *post) hold(d time.Duration) {
	p.board.move("GPIO26", down)
	p.sleep(d)
	p.board.move("GPIO26", cut)
	p.sleep(d)
}

func TestAPressIsOnePress(t *testing.T) {
	buttoned(t, false, func(p *post) {
		if held, err := p.lines.Pressed(); held || err != nil || p.pressed() {
			t.Errorf("at rest: held %v, %v", held, err)
		}
		p.board.move("GPIO26", down)
		p.sleep(settle - time.Millisecond)
		if p.pressed() {
			t.Error("it counts before it has lasted")
		}
		p.sleep(time.Millisecond)
		if held, err := p.lines.Pressed(); !held || err != nil || !p.pressed() {
			t.Errorf("pressed: held %v, %v", held, err)
		}
		p.sleep(time.Hour) // somebody leans on it
		if p.pressed() {
			t.Error("one press counts twice")
		}
		p.board.move("GPIO26", cut)
		p.sleep(settle)
		if p.hold(settle); !p.pressed() || p.pressed() {
			t.Error("the second press does not count once")
		}
		for range 5 {
			p.hold(settle)
		}
		if !p.pressed() || p.pressed() {
			t.Error("presses that nobody takes are more than one")
		}
	})
}

// What no person does is no press.
func TestWhatIsNoPress(t *testing.T) {
	buttoned(t, true, func(p *post) { // it sticks from the start
		p.sleep(time.Minute)
		if p.pressed() {
			t.Error("a button that is held at the start is pressed")
		}
		p.board.move("GPIO26", cut)
		p.sleep(settle)
		if p.hold(settle); !p.pressed() {
			t.Error("it is of no use after it was let go")
		}
	})
	buttoned(t, false, func(p *post) { // it bounces, and its wire flutters
		for range 500 {
			p.hold(settle / 3)
		}
		p.board.move("GPIO26", down)
		p.sleep(time.Minute)
		if p.pressed() {
			t.Error("a wire that has fluttered presses when it comes to rest")
		}
	})
	buttoned(t, false, func(p *post) { // the lines cannot be read for a while
		p.board.do(func(b *board) { b.broken = syscall.ENODEV })
		p.sleep(5 * time.Second)
		if held, err := p.lines.Pressed(); held || err == nil {
			t.Errorf("unread: held %v, %v", held, err)
		}
		p.board.move("GPIO26", down)
		p.board.do(func(b *board) { b.broken = nil })
		p.sleep(time.Minute)
		if p.pressed() {
			t.Error("what changed unseen is a press")
		}
		p.told = p.told[:1] // the lines that could not be read were told of, and not the button
	})
}

// A post without the button never has a press, and can be asked all the same.
func TestWithoutAnAcceptButton(t *testing.T) {
	bubble(t, nil, func(p *post) {
		p.sleep(time.Second)
		if held, err := p.lines.Pressed(); held || err != nil || p.pressed() {
			t.Errorf("held %v, %v", held, err)
		}
	})
}

// However a wire behaves, there is a press only where the level has lasted, and one was
// at rest for as long before it since the last.
func TestPressesAlternateWithRests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, p := loop{}, press{}
		var now, changed time.Duration
		var level, rested bool
		for range rapid.IntRange(1, 200).Draw(t, "looks") {
			now += time.Duration(rapid.IntRange(1, 150).Draw(t, "ms")) * time.Millisecond
			next := rapid.Bool().Draw(t, "made")
			if next != level {
				level, changed = next, now
			}
			l.level(now, level)
			hit := p.look(now, &l)
			lasted := now-changed >= settle
			if hit && (!level || !lasted || !rested) {
				t.Fatalf("a press at %v: made %v since %v, at rest before: %v", now, level, changed, rested)
			}
			if lasted {
				rested = !level || rested && !hit
			}
		}
	})
}
