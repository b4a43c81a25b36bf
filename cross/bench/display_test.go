package bench

import (
	"syscall"
	"testing"
	"time"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"

	"stolpe/display"
	"stolpe/display/panel"
	"stolpe/display/panel/draw"
	"stolpe/display/panel/epaper"
	"stolpe/display/panel/lcd"
	"stolpe/display/panel/oled"
)

// counting is a bus of either kind that only counts bytes, with those that say whom they
// are for.
type counting struct{ bytes int }

func (c *counting) String() string { return "counting" }

type countingI2C struct{ *counting }
type countingSPI struct{ *counting }

func (c countingI2C) SetSpeed(physic.Frequency) error { return nil }
func (c countingI2C) Tx(_ uint16, w, _ []byte) error {
	c.bytes += 1 + len(w)
	return nil
}

func (c countingSPI) Connect(physic.Frequency, spi.Mode, int) (spi.Conn, error) { return c, nil }
func (c countingSPI) TxPackets([]spi.Packet) error                              { return syscall.ENOTSUP }
func (c countingSPI) Duplex() conn.Duplex                                       { return conn.Full }
func (c countingSPI) Tx(w, _ []byte) error {
	c.bytes += len(w)
	return nil
}

// ready is the busy line of an e-paper that takes no time: it is high at every second look
// only.
type ready struct {
	gpiotest.Pin
	looks int
}

func (r *ready) In(gpio.Pull, gpio.Edge) error { return nil }
func (r *ready) Read() gpio.Level {
	r.looks++
	return r.looks%2 == 0
}

// shower is a device.
type shower interface{ Show(panel.Frame) error }

// charging gives two pages of a charge, a second apart.
func charging(b *testing.B) (pages [2]panel.Page) {
	b.Helper()
	for _, s := range panel.Samples(display.NB, display.EN) {
		if s.Name == "charging" {
			pages[0], pages[1] = s.Scene.Page(), s.Scene.Page()
			pages[1].Energy, pages[1].Cost = "12,41 kWh", "68,13 kr"
			return pages
		}
	}
	b.Fatal("no page of a charge among the samples")
	return pages
}

// BenchmarkDisplay is an update while somebody charges: from the page to the last byte, on
// buses that take no time. What the processor does in it is counted, what it waits for is
// not.
func BenchmarkDisplay(b *testing.B) {
	pages := charging(b)
	dots := func(s draw.Size) func(panel.Page) panel.Frame {
		return func(p panel.Page) panel.Frame {
			return panel.Frame{Page: p, Image: draw.Draw(s, p, draw.Options{})}
		}
	}
	for _, c := range []struct {
		name string
		has  int // bytes of all it can show
		open func(*counting) (shower, error)
		draw func(panel.Page) panel.Frame
	}{
		{"oled-i2c", oled.Width * oled.Height / 8, func(k *counting) (shower, error) {
			return oled.Open(oled.SSD1306, oled.Wiring{Bus: countingI2C{k}, Address: 0x3c})
		}, dots(draw.Small)},
		{"oled-spi", oled.Width * oled.Height / 8, func(k *counting) (shower, error) {
			return oled.Open(oled.SSD1306, oled.Wiring{Port: countingSPI{k}, DC: &gpiotest.Pin{N: "DC"}})
		}, dots(draw.Small)},
		{"epaper", epaper.Width * (epaper.Height + 6) / 8, func(k *counting) (shower, error) {
			pins := epaper.Pins{Data: &gpiotest.Pin{N: "DC"}, Reset: &gpiotest.Pin{N: "RST"}, Busy: &ready{}}
			return epaper.Open(countingSPI{k}, pins, epaper.Options{Coldest: epaper.AnyCold})
		}, dots(draw.Paper)},
		{"lcd", 20 * 4, func(k *counting) (shower, error) {
			return lcd.OpenI2C(countingI2C{k}, 0x27, lcd.Options{Columns: 20, Rows: 4})
		}, func(p panel.Page) panel.Frame { return panel.Frame{Page: p, Lines: draw.Letters(20, 4, p)} }},
	} {
		b.Run(c.name, func(b *testing.B) {
			k := &counting{}
			d, err := c.open(k)
			if err != nil {
				b.Fatal(err)
			}
			if err := d.Show(c.draw(pages[1])); err != nil {
				b.Fatal(err)
			}
			n, before, cpu := 0, k.bytes, busyFor(b)
			for b.Loop() {
				if err := d.Show(c.draw(pages[n%2])); err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(float64(busyFor(b)-cpu)/float64(n), "cpu-ns/op")
			b.ReportMetric(float64(k.bytes-before)/float64(n), "bus-B/op")
			b.ReportMetric(float64(c.has), "whole-B/op")
		})
	}
}

// busyFor is how long the processor has worked for this program.
func busyFor(b *testing.B) time.Duration {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
