package draw

import (
	"image"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stolpe/display"
	"stolpe/display/panel"
)

// TestAnyPageCanBeDrawn: whatever a page says, a display shows something of it, and nothing
// outside of its picture. A page with nothing at all is a picture, too.
func TestAnyPageCanBeDrawn(t *testing.T) {
	codes := codesOf(t, "https://a.no/A1", "https://lad.example.no/A12/7F3K9Q", "https://lad.example.no/"+strings.Repeat("A12", 20), "https://lad.example.no/"+strings.Repeat("A12", 100))
	rapid.Check(t, func(t *rapid.T) {
		p := anyPage(t)
		p.Code = rapid.SampledFrom(codes).Draw(t, "code to scan")
		for _, size := range Sizes() {
			if size == Wide && rapid.IntRange(0, 9).Draw(t, "seldom") > 0 {
				continue // it takes ten times as long
			}
			picture, marks := render(size, p, Options{Shift: image.Pt(1, 2)})
			if picture.Bounds() != (image.Rectangle{Max: size.Dots()}) {
				t.Fatalf("%v: a picture of %v", size, picture.Bounds())
			}
			for _, m := range marks {
				if size != Wide && !m.cut && !m.box.In(picture.Bounds()) {
					t.Errorf("%v: %q at %v is outside", size, m.what, m.box)
				}
			}
		}
		for _, size := range lcds() {
			lines := Letters(size.cols, size.rows, p)
			if len(lines) != size.rows {
				t.Errorf("%v: %d lines", size, len(lines))
			}
			for _, l := range lines {
				if count(l) > size.cols {
					t.Errorf("%v: %q is longer than the display", size, l)
				}
			}
		}
	})
}

// anyPage is a page of any face, with any texts.
func anyPage(t *rapid.T) panel.Page {
	text := func(name string) string {
		return rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[A-Za-zÆØÅæøå0-9 ,./–]{1,24}`), rapid.StringN(0, 40, -1)).Draw(t, name)
	}
	said := func(name string) panel.Said { return panel.Said{text(name), text(name + " too")} }
	p := panel.Page{
		Face: panel.Face(rapid.IntRange(0, int(panel.LastFace)).Draw(t, "face")),
		Post: text("post"), Named: said("named"), Big: said("big"), Title: said("title"), Long: said("long"), Do: said("do"),
		ShortDo: said("short do"), Within: said("within"), Money: said("money"),
		Energy: text("energy"), Cost: text("cost"), Reserved: text("reserved"), Used: rapid.IntRange(-5, 2000).Draw(t, "used"),
		Power: text("power"), Time: text("time"), Left: text("left"), At: text("at"), Updated: said("updated"), Stale: rapid.Bool().Draw(t, "stale"),
		Price: text("price"), Unit: text("unit"), VAT: said("vat"), Fault: text("fault"), Help: text("help"), Where: text("where"),
		Notice: said("notice"), Caption: said("caption"), Domain: text("domain"), Version: text("version"),
	}
	for range rapid.IntRange(0, 6).Draw(t, "fees") {
		p.Fees = append(p.Fees, said("fee"))
	}
	for range rapid.IntRange(0, 8).Draw(t, "rows") {
		p.Rows = append(p.Rows, panel.Row{Code: text("code"), Face: panel.Face(rapid.IntRange(0, int(panel.LastFace)).Draw(t, "its face")), Word: said("word"), Figure: text("figure")})
	}
	return p
}

// codesOf are none, and those of some addresses.
func codesOf(t *testing.T, links ...string) []*panel.Code {
	t.Helper()
	all := []*panel.Code{nil}
	for _, s := range panel.Samples(display.NB, display.EN) {
		if s.Name != "free" {
			continue
		}
		for _, link := range links {
			s.Scene.EVSEs[0].Link = link
			all = append(all, s.Scene.Page().Code)
		}
	}
	if len(all) != 1+len(links) {
		t.Fatalf("%d codes of %d addresses", len(all)-1, len(links))
	}
	return all
}
