package meters

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text decodes what a meter says of itself: a serial, a maker, a version. words[i]
// are the bytes of r.Places()[i]. It is empty when the meter cannot tell: all
// zeros and all ones are memory that was never written. Registers that hold no
// text where there must be one are an error.
func (m *Map) Text(r *Register, words [][]byte) (string, error) {
	if err := r.fits(words); err != nil {
		return "", err
	}
	registers := words[0]
	if blank(registers, 0x00) || blank(registers, 0xFF) {
		return "", nil
	}
	switch {
	case r.Type == Hex:
		return fmt.Sprintf("%X", registers), nil
	case r.Type.text():
		return characters(r, registers)
	}
	raw, err := m.raw(r.Addr, r.Type, registers)
	if err != nil {
		return "", nil // it has none
	}
	if r.Type.floating() {
		return strconv.FormatFloat(r.Type.float(raw), 'f', -1, 16*int(r.Words())), nil
	}
	d := r.Type.decimal(raw)
	if d.negative {
		return strconv.FormatInt(d.signed(), 10), nil
	}
	return strconv.FormatUint(d.digits, 10), nil
}

// blank says whether every byte is b.
func blank(registers []byte, b byte) bool {
	return !slices.ContainsFunc(registers, func(c byte) bool { return c != b })
}

// characters gives the text in registers without the NULs and blanks around it.
// What stands after a NUL is left from before.
func characters(r *Register, registers []byte) (string, error) {
	text := registers
	if r.Type == String1 {
		text = make([]byte, 0, r.Length)
		for i := 1; i < len(registers); i += 2 {
			text = append(text, registers[i])
		}
	}
	text = bytes.TrimLeft(text, "\x00 ")
	text, _, _ = bytes.Cut(text, []byte{0})
	text = bytes.TrimSpace(text)
	if !utf8.Valid(text) || strings.ContainsFunc(string(text), unicode.IsControl) {
		return "", fmt.Errorf("register %#04x holds %q: want a text", r.Addr, text)
	}
	return string(text), nil
}
