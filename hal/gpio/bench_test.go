package gpio

import (
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"stolpe/hal"
)

// BenchmarkTrip is the way from the edge of an emergency stop to the end of the order
// that opens the contactor, while the other inputs bounce 20,000 times a second. Beside
// it stands the same in silence. What the kernel needs to
// give the edge and to set the line comes on top.
func BenchmarkTrip(b *testing.B) {
	b.Run("silence", func(b *testing.B) { trips(b, 0) })
	b.Run("chatter", func(b *testing.B) { trips(b, 50*time.Microsecond) })
}

// trips takes the time of b.N trips. Instead of the 100 ms after which a stop that has
// been let go is over, the loops are told that all is well, between two looks.
func trips(b *testing.B, every time.Duration) {
	p := pi(b)
	p.forgets = true
	l := mustOpen(b, p, full())
	rest(p)
	opened, again, ready, stop := make(chan time.Time, 1), make(chan struct{}), make(chan struct{}), make(chan struct{})
	w := watch{Lines: l, changed: func(on hal.Signals) {
		if on&hal.EmergencyStop == 0 {
			return
		}
		if err := l.Set(hal.Open); err != nil {
			b.Error(err)
		}
		select {
		case opened <- time.Now():
		default: // told again, of another signal
		}
	}}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-again:
				p.do(func(p *board) { p.set.events, p.set.idle = nil, false })
				w.looked, w.spoken, w.told = true, true, 0
				for i := range l.inputs {
					in := &l.inputs[i]
					in.made, in.settled, in.seen, in.since = true, true, true, -settle
				}
				ready <- struct{}{}
			default:
				if err := w.next(); err != nil {
					b.Error(err)
				}
			}
		}
	})
	group.Go(func() { chatter(p, every, stop) })
	var took []time.Duration
	for b.Loop() {
		p.do(func(p *board) { p.set.events = append(p.set.events, event{22, true}); p.set.wake() }) // to end its wait
		again <- struct{}{}
		<-ready
		for waits := false; !waits; p.do(func(p *board) { waits = p.set.idle }) {
			runtime.Gosched()
		}
		select {
		case <-opened: // of the last time
		default:
		}
		from := time.Now()
		p.move("GPIO24", down)
		took = append(took, (<-opened).Sub(from))
		p.move("GPIO24", up)
	}
	close(stop)
	group.Wait()
	percentiles(b, took)
}

// chatter makes all other inputs bounce.
func chatter(p *board, every time.Duration, stop <-chan struct{}) {
	if every == 0 {
		return
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for i := 0; ; i++ {
		select {
		case <-ticker.C:
			p.move([]string{"GPIO27", "GPIO22", "GPIO23", "GPIO5"}[i%4], []wire{up, down}[i/4%2])
		case <-stop:
			return
		}
	}
}

// BenchmarkOpen is an order to open, alone and while others give orders without pause.
func BenchmarkOpen(b *testing.B) {
	for name, others := range map[string]int{"alone": 0, "against three": 3} {
		b.Run(name, func(b *testing.B) {
			p := pi(b)
			p.forgets = true
			l := mustOpen(b, p, Config{Line: "GPIO17", Sense: "GPIO27"})
			stop := make(chan struct{})
			var group sync.WaitGroup
			for range others {
				group.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
							l.Set(hal.Closed) // always taken here
							runtime.Gosched()
						}
					}
				})
			}
			var took []time.Duration
			for b.Loop() {
				from := time.Now()
				if err := l.Set(hal.Open); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(from))
			}
			close(stop)
			group.Wait()
			percentiles(b, took)
		})
	}
}

func percentiles(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	at := func(permille int) float64 { return float64(took[min(len(took)*permille/1000, len(took)-1)]) }
	b.ReportMetric(at(500), "p50-ns")
	b.ReportMetric(at(999), "p99.9-ns")
}
