package main

import (
	"strconv"

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

// frame is a page with what the medium takes of it.
func (m medium) frame(p panel.Page, o draw.Options) panel.Frame {
	f := panel.Frame{Page: p}
	switch {
	case m.dots:
		f.Image = draw.Draw(m.size, p, o)
	case m.cols > 0:
		f.Lines = draw.Letters(m.cols, m.rows, p)
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
