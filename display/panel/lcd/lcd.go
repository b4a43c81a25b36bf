// Package lcd shows pages on text displays with the controller HD44780 or one of its many
// copies: 20 by 4 or 16 by 2 letters, on an I2C backpack (PCF8574) or on six lines.
//
// # Why
//
// The library that the post's lines come from has a driver, which cannot define letters;
// and the display's own letters, whose character set A00 is on nearly every display sold,
// have neither æ, ø nor å. The controller has room for eight letters of one's own. They are given
// to what the page at hand needs, those first that nothing resembles, so that a display
// whose own letters are another set shows the same. Only where a page needs more than eight
// are the rest taken from the set A00, or written as the plain letter.
//
// Only what has changed is written: a page of 80 letters takes 40 ms on the bus, new
// figures 7 ms. A spike on the wires may still have changed a letter, or have made the
// controller take the second half of a letter for the first, or shift all rows. So once a
// minute (Again) everything is written again, from the controller's mode on.
//
// Nothing is read back: on most backpacks that works, but many lines are wired to write
// only, and the times of the data sheet (Hitachi ADE-207-272, tables 6 and 12) are kept
// for the slowest clock it allows. Without an answer a display on lines that is not there
// goes unnoticed; a backpack acknowledges every byte.
package lcd

import (
	"bytes"
	"fmt"
	"time"

	"stolpe/display/panel"
)

// Instructions.
const (
	insClear    = 0x01
	insHome     = 0x02 // no row is shifted
	insEntry    = 0x06 // the next letter is to the right; nothing is shifted
	insOff      = 0x08
	insOn       = 0x0c // without a cursor
	insFunction = 0x28 // four lines of data, two rows of memory, 5 by 8 dots
	insLetters  = 0x40 // place in the memory of one's own letters
	insPlace    = 0x80 // place in the memory of what is shown

	wide8 = 0x3 // upper half of the function with eight lines of data
	wide4 = 0x2 // upper half of the function with four
)

// Waits of the data sheet's figure 24, with what the slowest clock adds.
const (
	powerWait  = 50 * time.Millisecond  // after power: 40 ms
	firstWait  = 5 * time.Millisecond   // 4.1 ms
	secondWait = 200 * time.Microsecond // 100 µs
	clearWait  = 3 * time.Millisecond   // 1.52 ms, and 2.16 ms with the slowest clock; also for home
)

// Again is how often everything is written again, so that a page wants to be shown
// although nothing is new. Chosen by us: what stands there wrongly may be a price, and it
// costs as much as a handful of changes.
const Again = time.Minute

// wires carry halves of bytes to the controller.
type wires interface {
	half(b byte) error                  // the upper half of an instruction alone
	write(letter bool, b ...byte) error // whole bytes: letters, or instructions of the quick kind
}

// Options say which display it is.
type Options struct {
	Columns int // letters of a row: 16 or 20
	Rows    int // 2 or 4
}

// Device is one display. It is used by one goroutine at a time.
type Device struct {
	options Options
	wires   wires
	name    string
	shown   [][]byte // codes on the display, row by row; nil: not known
	own     letters
	whole   time.Time // everything was written
}

// open sets a display up. It is dark until the first page.
func open(w wires, name string, o Options) (*Device, error) {
	if o.Columns != 16 && o.Columns != 20 || o.Rows != 2 && o.Rows != 4 {
		return nil, fmt.Errorf("%s: a display of %d by %d letters is not known; 16 by 2 and 20 by 4 are", name, o.Columns, o.Rows)
	}
	d := &Device{options: o, wires: w, name: name}
	time.Sleep(powerWait)
	if err := d.begin(insOff, insClear); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	time.Sleep(clearWait)
	if err := w.write(false, insEntry); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}

// begin brings the controller to four lines of data, whatever half it waits for, and
// gives it instructions.
func (d *Device) begin(then ...byte) error {
	for _, wait := range []time.Duration{firstWait, secondWait, secondWait} {
		if err := d.wires.half(wide8); err != nil {
			return err
		}
		time.Sleep(wait)
	}
	if err := d.wires.half(wide4); err != nil {
		return err
	}
	time.Sleep(secondWait)
	return d.wires.write(false, append([]byte{insFunction}, then...)...)
}

// mend sets up what a disturbance may have changed, without clearing what stands there.
func (d *Device) mend() error {
	if err := d.begin(insHome); err != nil {
		return err
	}
	time.Sleep(clearWait)
	return d.wires.write(false, insEntry)
}

// Show writes the frame's lines; what is longer than the display is cut. After an error
// the display must be opened anew.
func (d *Device) Show(f panel.Frame) error {
	if err := d.show(f.Lines); err != nil {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	return nil
}

func (d *Device) show(lines []string) error {
	rows, changed := d.own.encode(lines, d.options)
	if now := time.Now(); d.shown == nil || now.Sub(d.whole) >= Again {
		if !d.whole.IsZero() { // else it has just been set up
			if err := d.mend(); err != nil {
				return err
			}
		}
		d.shown, d.whole, changed = nil, now, d.own.used()
	}
	was := d.shown
	d.shown = nil // until it stands
	for _, slot := range changed {
		if err := d.put(insLetters|byte(slot*8), d.own.dots(slot)); err != nil {
			return err
		}
	}
	for y, row := range rows {
		from, to := 0, len(row)
		if was != nil {
			from, to = differ(was[y], row)
		}
		if from == to {
			continue
		}
		if err := d.put(insPlace|place(y, d.options)+byte(from), row[from:to]); err != nil {
			return err
		}
	}
	if was == nil {
		if err := d.wires.write(false, insOn); err != nil {
			return err
		}
	}
	d.shown = rows
	return nil
}

// put writes bytes from a place on.
func (d *Device) put(at byte, b []byte) error {
	if err := d.wires.write(false, at); err != nil {
		return err
	}
	return d.wires.write(true, b...)
}

// Close leaves the page as it is. Bus and lines are the caller's.
func (d *Device) Close() error { return nil }

// place gives where a row begins in the controller's memory: it knows two rows, and the
// third and fourth go on behind them.
func place(row int, o Options) byte {
	return [4]byte{0x00, 0x40, byte(o.Columns), 0x40 + byte(o.Columns)}[row]
}

// differ gives the part in which two rows differ, [from, to).
func differ(was, is []byte) (from, to int) {
	if bytes.Equal(was, is) {
		return 0, 0
	}
	for from = 0; was[from] == is[from]; from++ {
	}
	for to = len(is); was[to-1] == is[to-1]; to-- {
	}
	return from, to
}
