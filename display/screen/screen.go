// Package screen runs one display of a post: it looks what is to be shown, decides when
// that is drawn, and keeps the panel going.
//
// # Why
//
// A display is the least of a post's devices, so nothing waits for it: it looks at what
// the rest makes public, and never holds up who made it. A panel is slow at best (seconds
// on e-paper) and may hang, so its calls are made by a worker beside the loop. There is
// one worker, and what it is stuck in is not begun a second time: two of them on one bus
// would only disturb each other.
//
// A contactor that switches next to a cable of a display can leave the panel's controller
// dark, shifted or deaf, without an error on the bus. Nothing can be read back from most
// panels, so after each switch the panel is set up anew.
//
// What a panel shows stays when the program ends; so the last page says that the post is
// out of order. Who kills the program has to draw that in its place.
package screen

import (
	"log/slog"
	"sync"
	"time"

	"stolpe/display/panel"
)

// Device is a panel that is open. Every call returns after some time, as a rule; one call
// at a time is made. What it shows last stays when it is closed, if the panel can do that.
type Device interface {
	Show(panel.Frame) error
	Close() error
}

// Options are what one display is made of.
type Options struct {
	Name string // as people tell it from the post's other displays, as in "oled"

	// Open opens the panel and sets it up, whatever state it is in. A device that is
	// panel.Pulsing is called again as it asks for.
	Open func() (Device, error)
	// Frame is what is to be shown now, but for the picture; end says that nobody will look
	// after the panel any more, and that this is what stays. It must not wait for anything.
	Frame func(end bool) panel.Frame
	// Draw adds the picture or the letters to a frame. It is called only for what is
	// shown, and by the worker: never twice at a time. Nil where the panel needs neither.
	Draw func(panel.Frame) panel.Frame

	// Changed says that there may be something new to show; what changes by itself is
	// seen once a second in any case. Nil for never.
	Changed <-chan struct{}
	// Switched says that a contactor of the post has just been switched. Nil for never.
	Switched <-chan struct{}

	Refresh panel.Refresh
	Again   time.Duration // after how long a page is shown once more though nothing is new; 0 for never
	Keeps   bool          // the picture stays without the controller: after a switch the panel is only set up anew before the next page

	Log *slog.Logger
}

// The codes of a display, for a technician. None is a reason not to charge.
const (
	Failing = "DIS-001" // it does not answer, or says that it cannot
	Resting = "DIS-002" // too cold to be drawn
)

// Health is how a display is doing.
type Health struct {
	Name     string
	Code     string        // Failing, Resting, or empty where all is well
	Trouble  string        // what went wrong last, while Code is there
	Face     panel.Face    // what the panel shows, as far as is known
	Known    bool          // that Face is on the panel: something has been shown, and no failure since
	Since    time.Time     // when Code was last another
	Shown    time.Time     // when something was last shown; zero for never
	Took     time.Duration // for that, with opening if it was
	Pages    uint64        // shown since the program began
	Failures uint64        // of opening and showing since then
	Opened   uint64        // how often it was opened since then
}

// Screen is a display. Make it with New; Run runs it.
type Screen struct {
	o    Options
	poke chan struct{} // there is another frame to show instead; takes one

	mu      sync.Mutex // guards what follows, for moments
	health  Health
	instead panel.Frame
	until   time.Time  // instead is shown before this
	truth   panel.Face // while this is so
	asked   int        // how often that was asked for
}

// New makes a display of its options.
func New(o Options) *Screen {
	return &Screen{o: o, poke: make(chan struct{}, 1), health: Health{Name: o.Name, Since: time.Now()}}
}

// Health is how it is doing now.
func (s *Screen) Health() Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.health
}

// Instead shows another frame for so long: what a technician wants to see. It is drawn
// as any other where it has no picture and no letters yet. The end of the program goes
// before it, and so does another face of what is really so: a driver who comes meanwhile
// must not look at what is made up. The last frame that was given counts; no time takes it
// down.
func (s *Screen) Instead(f panel.Frame, d time.Duration) {
	truth := s.o.Frame(false).Page.Face
	s.mu.Lock()
	s.instead, s.until, s.truth = f, time.Now().Add(d), truth
	s.asked++
	s.mu.Unlock()
	select {
	case s.poke <- struct{}{}:
	default:
	}
}
