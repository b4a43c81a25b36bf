// Package qr draws a code that leads a phone to an address: as text for a terminal, or as
// a picture.
//
// # Why
//
// The sticker on a post has the payment service's own code (display/paper), since only
// those open in the app's scanner and can be led elsewhere later. This one is for a bench,
// a test and a screen: it is made here, needs no key and no network, and any camera reads
// it. Error correction is medium: a code on a screen does not get dirty, and a denser one
// is harder to read from a distance. On a small display (Small) even that is too much: there
// the modules are made as big as they can be, and what room is left corrects errors.
//
// These are words: what they say depends on nothing but the text, so that display/panel
// can put a code on a page.
package qr

import (
	"bytes"
	"fmt"
	"io"

	go_qr "github.com/piglig/go-qr"
)

// quiet is the margin around a code, in modules (ISO/IEC 18004, 9.1).
const quiet = 4

// scale is the width of a module in a picture, in pixels. Chosen by us: sharp on a page.
const scale = 8

// Code is a code. Make one with Of.
type Code struct{ modules *go_qr.QrCode }

// Of makes the code of a text, which is an address as a rule.
func Of(text string) (Code, error) {
	q, err := go_qr.EncodeText(text, go_qr.Medium)
	if err != nil {
		return Code{}, fmt.Errorf("code of %d characters: %w", len(text), err)
	}
	return Code{q}, nil
}

// Small makes the code of a text with as few modules as it can have, and as much error
// correction as these have room for. A text of capitals, digits and $%*+-./: has fewest.
func Small(text string) (Code, error) {
	q, err := go_qr.EncodeText(text, go_qr.Low)
	if err != nil {
		return Code{}, fmt.Errorf("small code of %d characters: %w", len(text), err)
	}
	return Code{q}, nil
}

// Tough makes the code of a text with as much error correction as fits into that many
// modules of width, and Small's where none does: for a display that has room for more
// modules without making them smaller.
func Tough(text string, most int) (Code, error) {
	segments, err := go_qr.MakeSegments(text)
	if err != nil {
		return Code{}, fmt.Errorf("tough code of %d characters: %w", len(text), err)
	}
	version := (most - 17) / 4 // ISO/IEC 18004, 5.3.1: a code of version v has 17 + 4v modules
	if version < go_qr.MinVersion {
		return Small(text)
	}
	for _, level := range []go_qr.Ecc{go_qr.High, go_qr.Quartile, go_qr.Medium, go_qr.Low} {
		if q, err := go_qr.EncodeSegments(segments, level, go_qr.MinVersion, min(version, go_qr.MaxVersion), -1, true); err == nil {
			return Code{q}, nil
		}
	}
	return Small(text)
}

// Size is the width of the code in modules, without its margin.
func (c Code) Size() int { return c.modules.GetSize() }

// Dark says whether a module is dark. What lies outside belongs to the margin.
func (c Code) Dark(x, y int) bool {
	n := c.modules.GetSize()
	return x >= 0 && y >= 0 && x < n && y < n && c.modules.GetModule(x, y)
}

// Text draws the code for a terminal with light letters on a dark ground, two modules in
// each letter.
func (c Code) Text(w io.Writer) error {
	var b bytes.Buffer
	end := c.modules.GetSize() + quiet
	for y := -quiet; y < end; y += 2 {
		for x := -quiet; x < end; x++ {
			upper, lower := !c.Dark(x, y), !c.Dark(x, y+1) && y+1 < end
			switch {
			case upper && lower:
				b.WriteString("█")
			case upper:
				b.WriteString("▀")
			case lower:
				b.WriteString("▄")
			default:
				b.WriteString(" ")
			}
		}
		b.WriteString("\n")
	}
	_, err := w.Write(b.Bytes())
	return err
}

// SVG draws the code as a picture that can be printed at any size.
func (c Code) SVG(w io.Writer) error {
	return c.modules.WriteAsSVG(go_qr.NewQrCodeImgConfig(scale, quiet, go_qr.WithOptimalSVG()), w)
}

// PNG draws the code as a picture of dots.
func (c Code) PNG(w io.Writer) error {
	return c.modules.WriteAsPNG(go_qr.NewQrCodeImgConfig(scale, quiet), w)
}
