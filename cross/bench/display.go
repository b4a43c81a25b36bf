package bench

// displays measures what a post's own displays cost while somebody charges. The floor of
// the bytes on a bus is all that a display has room for, sent once. A screen has no bus; the
// letters of a page are kept for the next ones, and the first is drawn without.
func displays(l *lab) ([]Row, error) {
	var small []benchRow
	for _, d := range []struct{ bench, name string }{
		{"oled-i2c", "OLED on I2C"}, {"oled-spi", "OLED on SPI"}, {"epaper", "e-paper"}, {"lcd", "text display"},
	} {
		bench := "BenchmarkDisplay/" + d.bench
		small = append(small,
			benchRow{
				Row:  Row{What: d.name + ", processor an update", Unit: "µs"},
				ours: metric{bench, "cpu-ns/op"},
				per:  1e3,
			},
			benchRow{
				Row:   Row{What: d.name + ", bytes on the bus an update", Unit: "bytes", FloorIs: "its whole memory once"},
				ours:  metric{bench, "bus-B/op"},
				floor: metric{bench, "whole-B/op"},
				per:   1,
			})
	}
	screen := func(what, bench string) benchRow {
		return benchRow{Row: Row{What: "screen of 800x480, drawing " + what, Unit: "ms"}, ours: metric{bench, "ns/op"}, per: 1e6}
	}
	rows, err := goBench("./cross/bench", "^BenchmarkDisplay$", small...)(l)
	if err != nil {
		return nil, err
	}
	large, err := goBench("./display/panel/draw", "^BenchmarkWide$",
		screen("the first page", "BenchmarkWide/first"), screen("a page", "BenchmarkWide/again"))(l)
	return append(rows, large...), err
}
