package paper

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"stolpe/display"
)

// Sticker is what is stuck on a post: the payment service's code, and how a driver
// knows that it is the right one.
type Sticker struct {
	Lang     display.Lang // what it says first; below it stands English
	Code     string       // of the EVSE
	Domain   string       // where the page that opens lives
	Helpdesk string       // telephone number; may be empty
	// Picture is the code as the payment service drew it, PNG or SVG. It is placed
	// as it is, with its own white border: never drawn anew, cropped or coloured.
	Picture []byte
}

// ErrPicture is what SVG and PDF wrap when they cannot use the picture.
var ErrPicture = errors.New("picture cannot be placed")

// Bounds of a picture. Chosen by us: the service's own are below a tenth of it.
const (
	maxPicture = 2 << 20   // bytes
	maxPixels  = 4096.0    // of a side
	sticker    = "sticker" // the picture's name in a PDF
)

// The sticker, in mm, in the middle of a sheet of A4. Chosen by us: a code of
// 60 mm is read from two arm's lengths, and two stickers fit the door of a post.
const (
	cardWidth  = 90.0
	cardHeight = 140.0
	codeSide   = 60.0
	cardLeft   = (pageWidth - cardWidth) / 2
	cardTop    = (pageHeight - cardHeight) / 2
	inner      = cardWidth - 10 // that wide a line may be
	markAway   = 3.0            // of a cut mark from the corner
	markLength = 6.0
	perPoint   = 25.4 / 72 // mm
)

// words is a centred line of a sticker.
type words struct {
	text string
	y    float64 // of the baseline, mm below the upper edge
	pt   float64 // size of its type, points
	bold bool
}

// lines are all that is written on it.
func (t Sticker) lines() []words {
	own, en := t.Lang.Words(), display.EN.Words()
	lines := []words{
		{string(own.Post) + " / " + string(en.Post), 10, 11, false},
		{t.Code, 27, 46, true},
		{string(own.Scan), 99, 11.5, true},
		{string(en.Scan), 105, 10.5, false},
		{t.Domain, 115.5, 16, true},
		{own.SameAddress.With("domain", t.Domain), 121.5, 8, false},
		{en.SameAddress.With("domain", t.Domain), 125.5, 8, false},
	}
	if t.Helpdesk != "" {
		lines = append(lines, words{string(own.HelpShort) + " / " + string(en.HelpShort) + ": " + t.Helpdesk, 134, 11.5, true})
	}
	return lines
}

// corner is a corner of the sticker, and which way is out.
type corner struct {
	x, y       float64 // mm on the sheet
	outX, outY float64 // 1 or -1
}

func corners() []corner {
	return []corner{
		{cardLeft, cardTop, -1, -1}, {cardLeft + cardWidth, cardTop, 1, -1},
		{cardLeft, cardTop + cardHeight, -1, 1}, {cardLeft + cardWidth, cardTop + cardHeight, 1, 1},
	}
}

// The upper left corner of the code on the sheet, in mm.
const (
	codeX = (pageWidth - codeSide) / 2
	codeY = cardTop + 32
)

// PDF writes the sheet to print, with marks to cut along. The picture must be a
// PNG, else the error wraps ErrPicture.
func (t Sticker) PDF(w io.Writer) error {
	picture, size, err := t.png()
	if err != nil {
		return err
	}
	s := newSheet(t.Code, t.Lang.Tag(), time.Unix(0, 0).UTC()) // no date: the same sticker is the same file
	for _, l := range t.fitted() {
		s.in(l.pt, l.bold, black).centre(pageWidth/2, cardTop+l.y, latin(l.text))
	}
	scale := codeSide / float64(max(size.X, size.Y))
	wide, high := float64(size.X)*scale, float64(size.Y)*scale
	kind := fpdf.ImageOptions{ImageType: "PNG"}
	s.pdf.RegisterImageOptionsReader(sticker, kind, bytes.NewReader(picture))
	s.pdf.ImageOptions(sticker, codeX+(codeSide-wide)/2, codeY+(codeSide-high)/2, wide, high, false, kind, 0, "")
	s.pdf.SetLineWidth(hairline)
	for _, c := range corners() {
		s.pdf.Line(c.x+c.outX*markAway, c.y, c.x+c.outX*(markAway+markLength), c.y)
		s.pdf.Line(c.x, c.y+c.outY*markAway, c.x, c.y+c.outY*(markAway+markLength))
	}
	return s.write(w)
}

// SVG writes the sheet as a drawing of its real size, in one file. The picture may
// be an SVG or a PNG, else the error wraps ErrPicture.
func (t Sticker) SVG(w io.Writer) error {
	link, err := t.link()
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="%gmm" height="%gmm" viewBox="0 0 %g %g">`+"\n",
		pageWidth, pageHeight, pageWidth, pageHeight)
	fmt.Fprintf(&b, `<title>%s</title>`+"\n"+`<rect width="%g" height="%g" fill="#fff"/>`+"\n", escaped(t.Code), pageWidth, pageHeight)
	fmt.Fprintf(&b, `<image x="%.2f" y="%.2f" width="%g" height="%g" preserveAspectRatio="xMidYMid meet" xlink:href="%s"/>`+"\n", codeX, codeY, codeSide, codeSide, link)
	b.WriteString(`<g font-family="Helvetica, Arial, sans-serif" text-anchor="middle" fill="#000">` + "\n")
	for _, l := range t.fitted() {
		weight := "400"
		if l.bold {
			weight = "700"
		}
		fmt.Fprintf(&b, `<text x="%g" y="%.2f" font-size="%.2f" font-weight="%s">%s</text>`+"\n", pageWidth/2, cardTop+l.y, l.pt*perPoint, weight, escaped(l.text))
	}
	fmt.Fprintf(&b, "</g>\n"+`<path fill="none" stroke="#000" stroke-width="%g" d="`, hairline)
	for _, c := range corners() {
		fmt.Fprintf(&b, "M%.2f %.2fh%.2fM%.2f %.2fv%.2f", c.x+c.outX*markAway, c.y, c.outX*markLength, c.x, c.y+c.outY*markAway, c.outY*markLength)
	}
	b.WriteString(`"/>` + "\n</svg>\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("paper: write: %w", err)
	}
	return nil
}

// fitted are the lines, made smaller where they would not fit, and cut off where
// even that is too long.
func (t Sticker) fitted() []words {
	const least = 6.0 // points
	s := newSheet("", "", time.Unix(0, 0))
	lines := t.lines()
	for i := range lines {
		l := &lines[i]
		if width := s.in(l.pt, l.bold, black).pdf.GetStringWidth(latin(l.text)); width > inner {
			l.pt = max(least, l.pt*inner/width)
		}
		s.in(l.pt, l.bold, black)
		for text := []rune(l.text); len(text) > 1 && s.pdf.GetStringWidth(latin(l.text)) > inner+.1; {
			text = text[:len(text)-1]
			l.text = string(text) + "…"
		}
	}
	return lines
}

// png is the picture as a PDF takes it: eight bits, not interlaced. Every pixel
// keeps its place and colour.
func (t Sticker) png() ([]byte, image.Point, error) {
	if len(t.Picture) > maxPicture {
		return nil, image.Point{}, fmt.Errorf("paper: %w: %d bytes, the most is %d", ErrPicture, len(t.Picture), maxPicture)
	}
	head, err := png.DecodeConfig(bytes.NewReader(t.Picture))
	if err != nil {
		return nil, image.Point{}, fmt.Errorf("paper: %w into a PDF: want a PNG: %w", ErrPicture, err)
	}
	if max(head.Width, head.Height) > maxPixels {
		return nil, image.Point{}, fmt.Errorf("paper: %w: %d x %d pixels, the most is %g a side", ErrPicture, head.Width, head.Height, maxPixels)
	}
	from, err := png.Decode(bytes.NewReader(t.Picture))
	if err != nil {
		return nil, image.Point{}, fmt.Errorf("paper: %w: %w", ErrPicture, err)
	}
	to := image.NewNRGBA(image.Rectangle{Max: from.Bounds().Size()})
	draw.Draw(to, to.Bounds(), from, from.Bounds().Min, draw.Src)
	var b bytes.Buffer
	if err := png.Encode(&b, to); err != nil {
		return nil, image.Point{}, fmt.Errorf("paper: %w: %w", ErrPicture, err)
	}
	return b.Bytes(), to.Bounds().Size(), nil
}

// link is the picture as an address that holds all of it.
func (t Sticker) link() (string, error) {
	if len(t.Picture) > maxPicture {
		return "", fmt.Errorf("paper: %w: %d bytes, the most is %d", ErrPicture, len(t.Picture), maxPicture)
	}
	kind := "image/svg+xml"
	if _, _, err := t.png(); err == nil {
		kind = "image/png"
	} else if !drawing(t.Picture) {
		return "", fmt.Errorf("paper: %w: want an SVG or a PNG", ErrPicture)
	}
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(t.Picture), nil
}

// drawing says whether b is one SVG element that is whole.
func drawing(b []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		token, err := d.Token()
		if err != nil {
			return false
		}
		if start, ok := token.(xml.StartElement); ok {
			return start.Name.Local == "svg" && d.Skip() == nil
		}
	}
}

// escaped is a text as XML holds it.
func escaped(text string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(text)) //nolint:errcheck // a Builder takes everything
	return b.String()
}
