package main

import (
	"reflect"
	"strconv"
	"sync"

	"stolpe/agent/config"
	"stolpe/display/panel"
	"stolpe/display/panel/draw"
)

// medium is what a display takes of a page: dots, letters, or a colour alone.
type medium struct {
	name string // as people write it: "128x64" in dots, "20x4" in letters, "light"

	dots       bool
	size       draw.Size // with dots
	cols, rows int       // with letters, characters
}

// allMedia lists all of them.
func allMedia() (all []medium) {
	for _, s := range draw.Sizes() {
		all = append(all, medium{name: s.String(), dots: true, size: s})
	}
	return append(all, letters(20, 4), letters(16, 2), medium{name: string(config.Light)})
}

func letters(cols, rows int) medium {
	return medium{name: strconv.Itoa(cols) + "x" + strconv.Itoa(rows), cols: cols, rows: rows}
}

// mediumNamed finds one by its name.
func mediumNamed(name string) (medium, bool) {
	for _, m := range allMedia() {
		if m.name == name {
			return m, true
		}
	}
	return medium{}, false
}

// mediumOf is that of a display.
func mediumOf(d config.Display) medium {
	name := draw.Wide.String() // Framebuffer and Kiosk, whatever dots they make of it
	switch d.Kind {
	case config.OLED:
		name = draw.Small.String()
	case config.EPaper:
		name = draw.Paper.String()
	case config.LCD:
		name = letters(20, 4).name
		if d.Model == "hd44780_16x2" {
			name = letters(16, 2).name
		}
	case config.PNG:
		name = strconv.Itoa(d.At.Width) + "x" + strconv.Itoa(d.At.Height)
	case config.Light:
		name = string(config.Light)
	case config.Framebuffer, config.Kiosk:
	}
	m, _ := mediumNamed(name) // the configuration allows no other
	return m
}

// drawn is a frame with what the medium takes of its page.
func (m medium) drawn(f panel.Frame, o draw.Options) panel.Frame {
	switch {
	case m.dots:
		f.Image = draw.Draw(m.size, f.Page, o)
	case m.cols > 0:
		f.Lines = draw.Letters(m.cols, m.rows, f.Page)
	}
	return f
}

// pattern is the test pattern of the medium. A light has all its colours on.
func (m medium) pattern(turned bool) panel.Frame {
	f := panel.Frame{Page: panel.Page{Face: panel.Here, Light: panel.Light{Red: 255, Green: 255, Blue: 255}}}
	switch {
	case m.dots:
		f.Image = draw.Pattern(m.size, turned)
	case m.cols > 0:
		f.Lines = draw.PatternLetters(m.cols, m.rows)
	}
	return f
}

// toldPrice remembers whether all of a price stands on a page: that takes a drawing to find
// out, and is asked each second.
type toldPrice struct {
	mu   sync.Mutex // the loop of a display asks, and whoever presses its button
	of   medium     // that was asked about last
	page panel.Page // on it
	yes  bool
}

// by says whether all of the page's price stands on what the medium shows.
func (t *toldPrice) by(m medium, p panel.Page) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of != m || !reflect.DeepEqual(t.page, p) {
		t.of, t.page, t.yes = m, p, m.dots && draw.TellsPrice(m.size, p)
	}
	return t.yes
}
