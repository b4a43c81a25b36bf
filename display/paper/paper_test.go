package paper

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"strings"
	"testing"
	"unicode"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

const hostile = `"><script>alert(1)</script>) Tj ET (`

func picture(t *testing.T, side int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray16(image.Rect(0, 0, side, side))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// wellFormed reads a whole XML document and gives its text.
func wellFormed(t *testing.T, doc []byte) string {
	t.Helper()
	var text strings.Builder
	d := xml.NewDecoder(bytes.NewReader(doc))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return text.String()
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "script" {
			t.Fatal("a script")
		}
		if chars, ok := token.(xml.CharData); ok {
			text.Write(chars)
		}
	}
}

func TestStickerIsDrawnAroundThePicture(t *testing.T) {
	s := Sticker{Code: "A12", Domain: "lad.example.no", Helpdesk: "+47 22 00 00 00", Picture: []byte(`<svg xmlns="http://www.w3.org/2000/svg"><rect/></svg>`)}
	var svg bytes.Buffer
	if err := s.SVG(&svg); err != nil {
		t.Fatal(err)
	}
	for _, l := range display.Langs() {
		local, written := s, bytes.Buffer{}
		local.Lang = l
		if err := local.SVG(&written); err != nil {
			t.Fatal(err)
		}
		for _, want := range []display.Text{l.Words().Scan, display.EN.Words().Scan} {
			if !strings.Contains(wellFormed(t, written.Bytes()), string(want)) {
				t.Errorf("%s: no %q", l.Tag(), want)
			}
		}
		for _, line := range local.fitted() {
			if strings.HasSuffix(line.text, "…") {
				t.Errorf("%s: %q does not fit", l.Tag(), line.text)
			}
		}
	}
	text := wellFormed(t, svg.Bytes())
	for _, want := range []string{"A12", "lad.example.no", "+47 22 00 00 00", string(display.NB.Words().Scan), string(display.EN.Words().Scan)} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	s.Picture = picture(t, 300)
	var first, second bytes.Buffer
	if err := errors.Join(s.PDF(&first), s.PDF(&second)); err != nil || !bytes.HasPrefix(first.Bytes(), []byte("%PDF-")) {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same sticker, two files")
	}
}

func TestHostileNamesStayText(t *testing.T) {
	s := Sticker{Code: hostile, Domain: hostile, Helpdesk: strings.Repeat("æøå ", 100), Picture: picture(t, 100)}
	var svg, pdf bytes.Buffer
	if err := errors.Join(s.SVG(&svg), s.PDF(&pdf)); err != nil {
		t.Fatal(err)
	}
	wellFormed(t, svg.Bytes())
	for _, l := range s.fitted() {
		sheet := newSheet("", "", hal.Stamp{}.Time())
		if width := sheet.in(l.pt, l.bold, black).pdf.GetStringWidth(latin(l.text)); width > inner+1 {
			t.Errorf("%q is %.1f mm wide, the most is %.1f", l.text, width, inner)
		}
	}
}

func TestPicturesThatCannotBePlaced(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing": nil, "text": []byte("no picture"), "half": picture(t, 100)[:60], "open": []byte("<svg><rect>"),
		"another drawing": []byte("<html></html>"), "too many pixels": picture(t, maxPixels+1), "too long": make([]byte, maxPicture+1),
	} {
		s := Sticker{Code: "A12", Picture: b}
		if err := s.PDF(io.Discard); !errors.Is(err, ErrPicture) {
			t.Errorf("%s in a PDF: %v", name, err)
		}
		if err := s.SVG(io.Discard); !errors.Is(err, ErrPicture) {
			t.Errorf("%s in an SVG: %v", name, err)
		}
	}
	svg := Sticker{Code: "A12", Picture: []byte("<svg></svg>")}
	if err := svg.PDF(io.Discard); !errors.Is(err, ErrPicture) {
		t.Errorf("a drawing in a PDF: %v", err)
	}
}

// A receipt is one page and the same file however often it is drawn; names that
// mean something in a PDF mean nothing.
func TestReceiptIsOnePage(t *testing.T) {
	p := payment.Price{Currency: payment.NOK, VAT: 2500, KWh: 549, Minute: 50, Session: 1000, Idle: payment.Idle{Minute: 100}}
	c := display.Charge{
		Ref: "A12-1-000042", Price: p, Captured: 5000, Bill: p.Cost(payment.Use{Energy: 5000, Time: 3600e9, Idle: 600e9}, 5000),
		Receipt: "A12/1-000042", Meter: display.Meter{Model: hostile, Serial: hostile, Start: 1, End: 5001},
	}
	post := display.Post{ID: "A12", Name: hostile, Helpdesk: hostile, Seller: display.Seller{Name: strings.Repeat(hostile, 5), Address: "Ærlig gate 5, Ålesund – “øst”"}}
	d, ok := display.NB.Document(post, "A12", c)
	if !ok {
		t.Fatal("no document")
	}
	var first, second bytes.Buffer
	if err := errors.Join(Receipt(&first, d), Receipt(&second, d)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same receipt, two files")
	}
	if n := bytes.Count(first.Bytes(), []byte("/Type /Page\n")); n != 1 {
		t.Errorf("%d pages", n)
	}
	if err := Receipt(broken{}, d); err == nil {
		t.Error("a writer that fails is not told of")
	}
}

// What a letter is drawn as, if it is not drawn as itself, is for names from
// elsewhere: no text of ours may need it.
func TestEveryLetterOfEveryLanguageIsDrawn(t *testing.T) {
	for _, l := range display.Langs() {
		text := fmt.Sprintf("%+v", *l.Words())
		for _, c := range []payment.Currency{payment.NOK, payment.DKK, payment.EUR} {
			text += l.Money(123456789, c)
		}
		for _, r := range text {
			drawn := latin(string(r))
			if (drawn == "?") != (r == '?') || (unicode.IsLetter(r) && rune(drawn[0]) != r) {
				t.Errorf("%s: %q is drawn as %q", l.Tag(), r, drawn)
			}
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no") }
