package oled

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// Whatever happens to a display, for whatever time: a minute after it is well again it shows
// what it is told to show, and is opened anew only after an error.
func TestWhateverHappens(t *testing.T) {
	for seed := range uint64(40) {
		m := []Model{SSD1306, SH1106}[seed%2]
		kind := []string{"i2c", "spi"}[seed/2%2]
		synctest.Test(t, func(t *testing.T) {
			r, c := rand.New(rand.NewPCG(seed, 3)), newCable(m)
			d := mustOpen(t, c, kind)
			show := func() {
				f := random(r.Uint64N(20))
				f.Night = r.IntN(2) == 0
				if d == nil {
					var err error
					if d, err = Open(m, c.wiring(kind)); err != nil {
						return
					}
				}
				if err := d.Show(f); err != nil {
					if d = nil; r.IntN(3) == 0 {
						d, _ = Open(m, c.wiring(kind)) // or at the next time
					}
				}
				if c.lit && c.glass.pump && c.glass.byPages && r.IntN(20) == 0 {
					c.memory[r.IntN(8)][r.IntN(128)]++ // noise
				}
			}
			for range 60 {
				switch r.IntN(8) {
				case 0:
					c.power(r.Uint64())
				case 1:
					c.away = !c.away
				case 2:
					odds := r.IntN(30)
					c.fails = func(int) error {
						if r.IntN(30) < odds {
							return syscall.EIO
						}
						return nil
					}
				case 3:
					lag := time.Duration(r.IntN(300)) * time.Millisecond
					c.lag = func(int) time.Duration { return lag }
				case 4:
					c.fails, c.lag, c.away = nil, nil, false
				}
				show()
				pass(time.Duration(r.IntN(40)) * time.Second)
			}
			if c.away { // whoever plugs it in gives it its power
				c.away = false
				c.power(r.Uint64())
			}
			c.fails, c.lag = nil, nil
			pass(Again)
			if d == nil {
				d = mustOpen(t, c, kind)
			}
			mustShow(t, d, c, random(seed))
			for _, w := range c.wrong {
				t.Errorf("seed %d: against the data sheet: %s", seed, w)
			}
		})
	}
}
