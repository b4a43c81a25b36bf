package qr

import (
	"bytes"
	"encoding/xml"
	"image/png"
	"io"
	"strings"
	"testing"
)

// The three finder patterns are where they belong, in text and in the picture, and the
// margin is light.
func TestOf(t *testing.T) {
	c, err := Of("https://lad.example.no/A12")
	if err != nil {
		t.Fatal(err)
	}
	var text, dots, lines bytes.Buffer
	for _, err := range []error{c.Text(&text), c.PNG(&dots), c.SVG(&lines)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	n := c.modules.GetSize()
	rows := strings.Split(strings.TrimRight(text.String(), "\n"), "\n")
	if len(rows) != (n+2*quiet+1)/2 || len([]rune(rows[0])) != n+2*quiet || strings.Trim(rows[0], "█") != "" {
		t.Errorf("%d rows of %d letters, %d modules:\n%s", len(rows), len([]rune(rows[0])), n, text.String())
	}
	if row := []rune(rows[quiet/2]); row[quiet] != ' ' || row[quiet+1] != '▄' && row[quiet+1] != '▀' || row[quiet-1] != '█' {
		t.Errorf("finder pattern: %q", string(row))
	}
	picture, err := png.Decode(&dots)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range [][3]int{{0, 0, 0}, {6, 0, 0}, {n - 1, 0, 0}, {0, n - 1, 0}, {1, 1, 1}, {-1, -1, 1}} {
		level, _, _, _ := picture.At((at[0]+quiet)*picture.Bounds().Dx()/(n+2*quiet)+1, (at[1]+quiet)*picture.Bounds().Dx()/(n+2*quiet)+1).RGBA()
		if light := level > 0x8000; light != (at[2] == 1) {
			t.Errorf("module %d,%d: light is %v", at[0], at[1], light)
		}
	}
	for d := xml.NewDecoder(&lines); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Of(strings.Repeat("x", 5000)); err == nil {
		t.Error("5000 characters fit")
	}
}
