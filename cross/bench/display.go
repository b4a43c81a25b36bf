package bench

// displays measures what a post's own displays cost while somebody charges. The floor of
// the bytes on a bus is all that a display has room for, sent once.
func displays() func(*lab) ([]Row, error) {
	const once = "its whole memory once"
	var rows []benchRow
	for _, d := range []struct{ bench, name string }{
		{"oled-i2c", "OLED on I2C"}, {"oled-spi", "OLED on SPI"}, {"epaper", "e-paper"}, {"lcd", "text display"},
	} {
		bench := "BenchmarkDisplay/" + d.bench
		rows = append(rows,
			benchRow{
				Row:  Row{What: d.name + ", processor an update", Unit: "µs"},
				ours: metric{bench, "cpu-ns/op"},
				per:  1e3,
			},
			benchRow{
				Row:   Row{What: d.name + ", bytes on the bus an update", Unit: "bytes", FloorIs: once},
				ours:  metric{bench, "bus-B/op"},
				floor: metric{bench, "whole-B/op"},
				per:   1,
			})
	}
	return goBench("./cross/bench", "^BenchmarkDisplay$", rows...)
}

// screen measures what a page in colours costs. The letters of a page are kept for the next
// ones; the first is drawn without.
func screen() func(*lab) ([]Row, error) {
	row := func(what, bench string) benchRow {
		return benchRow{Row: Row{What: "screen of 800x480, drawing " + what, Unit: "ms"}, ours: metric{bench, "ns/op"}, per: 1e6}
	}
	return goBench("./display/panel/draw", "^BenchmarkWide$",
		row("the first page", "BenchmarkWide/first"), row("a page", "BenchmarkWide/again"))
}
