package oled

import (
	"image"
	"image/color"
	"image/draw"
	"testing"

	"stolpe/display/panel"
)

// BenchmarkShow is one Show: the processor's time, and how many bytes go over the bus. On
// I2C each is nine bits, so 1000 bytes are 90 ms at 100 kHz and 23 ms at 400 kHz.
func BenchmarkShow(b *testing.B) {
	for _, c := range []struct {
		name  string
		model Model
		kind  string
		dots  image.Rectangle // that change
	}{
		{"figure of ssd1306 on i2c", SSD1306, "i2c", image.Rect(20, 24, 92, 48)}, // six big digits
		{"page of ssd1306 on i2c", SSD1306, "i2c", image.Rect(0, 0, Width, Height)},
		{"figure of sh1106 on i2c", SH1106, "i2c", image.Rect(20, 24, 92, 48)},
		{"page of sh1106 on i2c", SH1106, "i2c", image.Rect(0, 0, Width, Height)},
		{"ssd1306 on spi", SSD1306, "spi", image.Rect(20, 24, 92, 48)},
		{"sh1106 on spi", SH1106, "spi", image.Rect(20, 24, 92, 48)},
	} {
		b.Run(c.name, func(b *testing.B) {
			k := newCable(c.model)
			k.deaf = true
			d, err := Open(c.model, k.wiring(c.kind))
			if err != nil {
				b.Fatal(err)
			}
			var frames [2]panel.Frame
			for i := range frames {
				p := image.NewPaletted(image.Rect(0, 0, Width, Height), color.Palette{color.Black, color.White})
				draw.Draw(p, c.dots, image.NewUniform(p.Palette[i]), image.Point{}, draw.Src)
				frames[i].Image = p
			}
			if err := d.Show(frames[1]); err != nil {
				b.Fatal(err)
			}
			before, n := k.bytes, 0
			b.ReportAllocs()
			for b.Loop() {
				if err := d.Show(frames[n%2]); err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(float64(k.bytes-before)/float64(n), "bus-bytes/op")
		})
	}
}
