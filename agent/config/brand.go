package config

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"stolpe/agent/config/strict"
	"stolpe/agent/config/strict/legal"
	"stolpe/display"
)

// maxLogo is the largest logo, in bytes. Chosen by us: it is a part of every
// page, and a first page has 30 kB in all.
const maxLogo = 8 << 10

// Brand is how an owner's pages look, as it stands in a file.
type Brand struct {
	Name   string // above every page
	Colour string // "#rrggbb"
	Logo   string // absolute path
}

// BrandKeys is the section of a Brand, for every file that has one.
func BrandKeys() strict.Key {
	return strict.Key{Name: "brand", Kind: strict.Section, Doc: "How the owner's pages look.", Keys: []strict.Key{
		{Name: "name", Kind: strict.Text, Unset: "no name above the page", Want: someText(maxName), Legal: legal.Shorter(maxName), Doc: "Stands above every page."},
		{Name: "colour", Kind: strict.Text, Unset: "the pages' own", Want: `"#rrggbb" in quotes, on which white can be read (contrast 4.5 to 1, WCAG 2.2)`, Legal: colour,
			Doc: "Colour of what is pressed."},
		{Name: "logo", Kind: strict.Text, Unset: "none", Want: "an absolute path that ends in .svg or .png", Legal: picture,
			Doc: "Stands above every page. At most 8 KiB, as it is a part of each."},
	}}
}

// Load gives the brand with the picture itself in it, so that nothing else is
// fetched for a page. A picture that is none is noted with r; path is that of the
// section.
func (b Brand) Load(r *strict.Reader, path string) display.Brand {
	logo := ""
	if path += ".logo"; b.Logo != "" && r.Fine(path) {
		var err error
		if logo, err = readPicture(b.Logo); err != nil {
			r.Fail(path, strict.Quote(b.Logo)+", but "+err.Error(), "an SVG or PNG there")
		}
	}
	return display.Brand{Name: b.Name, Colour: b.Colour, Logo: logo}
}

// readPicture gives the picture in a file as a data: URI.
func readPicture(path string) (string, error) {
	info, err := os.Stat(path) // before opening: opening a pipe would wait for its writer
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", errors.New("there is no such file")
	case err != nil:
		return "", errors.New("this program may not look there: mend owner and mode")
	case !info.Mode().IsRegular():
		return "", errors.New("this is not an ordinary file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", errors.New("this program may not read it: mend owner and mode")
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxLogo+1))
	switch {
	case err != nil:
		return "", errors.New("it cannot be read")
	case len(data) > maxLogo:
		return "", fmt.Errorf("it has more than %d KiB", maxLogo>>10)
	case strings.HasSuffix(path, ".png") && bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")): // PNG 3, 5.2
		return "data:image/png;base64," + base64.StdEncoding.EncodeToString(data), nil
	case strings.HasSuffix(path, ".svg") && utf8.Valid(data) && bytes.Contains(data, []byte("<svg")):
		return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(data), nil
	}
	return "", errors.New("what is in it is something else")
}

// picture checks the name of a file with a picture.
func picture(s string) bool {
	return legal.Absolute(s) && (strings.HasSuffix(s, ".svg") || strings.HasSuffix(s, ".png"))
}

// colour says whether s is #rrggbb, and white on it can be read.
func colour(s string) bool {
	digits, ok := strings.CutPrefix(s, "#")
	if !ok || !legal.Hexadecimal(digits, 6) {
		return false
	}
	rgb, err := strconv.ParseUint(digits, 16, 32)
	return err == nil && contrastToWhite(uint32(rgb)) >= 4.5 // WCAG 2.2, 1.4.3
}

// contrastToWhite gives the contrast of a colour 0xrrggbb to white, from 1 to 21
// (WCAG 2.2, "contrast ratio" and "relative luminance").
func contrastToWhite(rgb uint32) float64 {
	linear := func(shift uint) float64 {
		c := float64(rgb>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 1.05 / (0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0) + 0.05)
}
