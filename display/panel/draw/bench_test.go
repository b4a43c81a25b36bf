package draw

import (
	"testing"

	"stolpe/display"
	"stolpe/display/panel"
)

// BenchmarkDraw is the time of one picture: the ordinary page of a charge, and the one with
// the most texts that do not fit.
func BenchmarkDraw(b *testing.B) {
	for _, size := range []Size{Small, Paper} {
		for _, s := range panel.Samples(display.NB, display.EN) {
			if s.Name != "charging" && s.Name != "free-long" {
				continue
			}
			p := s.Scene.Page()
			b.Run(size.String()+"/"+s.Name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					Draw(size, p, Options{})
				}
			})
		}
	}
}
