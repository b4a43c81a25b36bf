package config

import (
	"fmt"
	"slices"

	"stolpe/agent/config/strict"
)

// checkPages wants the address of the pages where a display or a button cannot do without:
// with a gateway, nothing else in the file says it.
func (r *reader) checkPages(f *file) {
	if f.Payment.Through != ThroughGateway || f.Payment.Gateway.Pages != "" || !r.Fine("payment.through", "payment.gateway", "payment.gateway.pages") {
		return
	}
	const want = ", or payment.gateway.pages given: the address of the pages that it leads to"
	for i, d := range f.Display {
		if at := fmt.Sprintf("display[%d].code", i); r.Given(at) && r.Fine(at) && d.Code != CodeNone {
			r.Fail(at, string(d.Code), string(CodeNone)+want)
		}
	}
	for i, e := range f.EVSEs {
		if at := fmt.Sprintf("evses[%d].inputs.accept", i); e.Inputs.Accept != "" && r.Fine(at) {
			r.Fail(at, strict.Quote(e.Inputs.Accept), "it left out"+want)
		}
	}
}

// checkAccept wants a display at a button: what is accepted by it must be shown, and so
// must the code that it makes. On one that is for several EVSEs nobody could tell which
// of them the button is for.
func (r *reader) checkAccept(f *file) {
	all := f.displays()
	for i, e := range f.EVSEs {
		at := fmt.Sprintf("evses[%d].inputs.accept", i)
		if e.Inputs.Accept == "" || !r.Fine(at, "display", fmt.Sprintf("evses[%d].id", i)) {
			continue
		}
		alone := func(d Display) bool { return d.Code != CodeNone && slices.Equal(d.EVSEs, []int{e.ID}) }
		if !slices.ContainsFunc(all, alone) {
			r.Fail(at, strict.Quote(e.Inputs.Accept), fmt.Sprintf("it left out, as no display with a code is for EVSE %d alone: nobody could see what is accepted, nor pay", e.ID))
		}
	}
}

// maxSmallLink is the longest address that the code of a display of 128x64 has room for, in
// characters: what version 3 holds of capitals and digits (ISO/IEC 18004, table 7), whose
// modules are two dots wide there.
const maxSmallLink = 77

// checkRotating wants a rotating code to be on its display whenever somebody may begin:
// where it is not, nobody can.
func (r *reader) checkRotating(f *file) {
	for i, d := range f.displays() {
		at := fmt.Sprintf("display[%d].code", i)
		if d.Code != CodeRotating || !r.Fine(at, fmt.Sprintf("display[%d].evses", i), fmt.Sprintf("display[%d].url", i), "evses") {
			continue
		}
		width := d.dots()
		most := 1
		if width >= wideDots {
			most = 2
		}
		const other = "sticker or none, as "
		if n := len(d.EVSEs); n > most {
			r.Fail(at, string(d.Code), fmt.Sprintf(other+"the display is for %d EVSEs and always has room for the codes of %d", n, most))
			continue
		}
		for _, e := range f.EVSEs {
			if width > smallDots || !slices.Contains(d.EVSEs, e.ID) {
				continue
			}
			link := len(f.pages()) + len("/"+e.Code+"/") + passChars
			switch {
			case e.Inputs.Accept != "":
				r.Fail(at, string(d.Code), fmt.Sprintf(other+"EVSE %d has an accept button: beside price and button this display has no room for a code", e.ID))
			case link > maxSmallLink:
				r.Fail(at, string(d.Code), fmt.Sprintf(other+"the address of EVSE %d would have %d characters, and the code has room for %d on this display", e.ID, link, maxSmallLink))
			}
		}
	}
}

// passChars is the length of the pass in a rotating code, in characters.
const passChars = 6

// The widths of pictures that there are layouts for, dots.
const (
	smallDots = 128
	paperDots = 250
	wideDots  = 800
)

// dots is the width of a display's picture, where it has one.
func (d Display) dots() int {
	switch d.Kind {
	case OLED:
		return smallDots
	case Framebuffer, Kiosk:
		return wideDots
	case PNG:
		return d.At.Width
	}
	return paperDots
}

// pages is the address of the driver's pages, as far as the file says it.
func (f *file) pages() string {
	if f.Payment.Through == ThroughGateway {
		return f.Payment.Gateway.Pages
	}
	return f.Web.PublicURL
}
