package draw

import (
	"image"
	"slices"
	"strings"
	"testing"

	"stolpe/display"
	"stolpe/display/panel"
)

// complete finds what is missing: a picture may leave out what there is no room for, but
// never the figures, the price, the code, what to do when something is wrong, nor a
// language.
func complete(t *testing.T, s shot, marks []mark) {
	t.Helper()
	var texts []string
	for _, m := range marks {
		texts = append(texts, strings.ReplaceAll(m.what, noBreak, " "))
	}
	all := strings.Join(texts, " ")
	for _, want := range needed(s) {
		if !slices.ContainsFunc(strings.Split(want, "|"), func(text string) bool { return strings.Contains(all, text) }) {
			t.Errorf("%s: %q is not on it; there is %q", s.file(), want, all)
		}
	}
	for i, lang := range s.langs {
		if !speaks(all, s.page, i) {
			t.Errorf("%s: nothing on it is in %s; there is %q", s.file(), lang.Tag(), all)
		}
	}
	if has := slices.ContainsFunc(marks, isCode); has != showsCode(s.size, s.page) {
		t.Errorf("%s: has a code: %v, showsCode says otherwise", s.file(), has)
	}
}

func isCode(m mark) bool { return strings.HasPrefix(m.what, "code ") }

// needed are the texts that must be on a picture; of those with a bar between them, one.
func needed(s shot) []string {
	p := s.page
	want := []string{}
	more := "" // instead of a part of the price, where there is no room for it
	if s.size == Small {
		more = "|+ …"
	}
	switch p.Face {
	case panel.Free, panel.FreeButton:
		want = append(want, p.Price, p.Unit, p.Big[0])
		if p.Face == panel.FreeButton {
			want = append(want[:2], p.ShortDo[0])
		}
		for _, fee := range p.Fees {
			if s.size == Paper || p.Face == panel.FreeButton {
				want = append(want, fee[0]+more)
			}
		}
	case panel.Charging, panel.Suspended, panel.NearLimit, panel.Stopping, panel.Interrupted, panel.Finished:
		want = append(want, p.Energy, p.Cost)
	case panel.NoEnergy:
		want = append(want, p.Cost)
	case panel.Faulted, panel.Emergency, panel.OutOfOrder:
		want = append(want, p.Fault, p.Help, p.ShortDo[0]+"|"+p.Do[0], p.ShortDo[1]+"|"+p.Do[1])
	case panel.PayOffline, panel.Unavailable:
		want = append(want, p.Help)
	case panel.Paying, panel.Authorised, panel.PayCode:
		want = append(want, p.ShortDo[0]+"|"+p.Do[0], p.ShortDo[1]+"|"+p.Do[1])
		if s.size == Small {
			want = append(want, p.Left)
		} else {
			want = append(want, p.Within[0])
		}
	}
	if p.Stale && s.size == Small && p.Face == panel.Charging {
		want = append(want, p.At)
	}
	if p.Stale && s.size == Paper {
		want = append(want, p.Updated[0])
	}
	return want
}

// speaks says whether a text in a language is there, of those that are not the same in both.
func speaks(all string, p panel.Page, lang int) bool {
	same := true
	for _, text := range []panel.Said{p.Big, p.Title, p.Long, p.ShortDo, p.Do, p.Caption, p.Within} {
		if text[1] == "" { // the same in both
			if text[0] != "" && strings.Contains(all, text[0]) {
				return true
			}
			continue
		}
		same = false
		if text[lang] != "" && strings.Contains(all, text[lang]) {
			return true
		}
	}
	return same
}

// TestACodeIsShownOnlyWhereThePageHasOne: whoever pays at a post that cannot sell has paid
// for nothing.
func TestACodeIsShownOnlyWhereThePageHasOne(t *testing.T) {
	for _, s := range shots(Sizes()...) {
		s.page.Code, s.page.Rows = nil, slices.Clone(s.page.Rows)
		for i := range s.page.Rows {
			s.page.Rows[i].Scan = nil
		}
		if _, marks := render(s.size, s.page, Options{}); showsCode(s.size, s.page) || slices.ContainsFunc(marks, isCode) {
			t.Errorf("%s shows a code, its page has none", s.file())
		}
	}
}

// TestCodesFit: how large a module may be, by the version of the code (ISO/IEC 18004: a code
// of version v is 17 + 4v modules wide), and that one too dense is not drawn at all.
func TestCodesFit(t *testing.T) {
	for _, c := range []struct{ version, small, paper int }{{1, 2, 4}, {2, 2, 4}, {3, 2, 3}, {4, 0, 3}, {5, 0, 2}, {9, 0, 2}, {10, 0, 0}} {
		code := &panel.Code{Size: 17 + 4*c.version}
		if got := scale(code, 64, quietSmall); got != c.small {
			t.Errorf("version %d on 64 dots: %d dots a module, want %d", c.version, got, c.small)
		}
		if got := scale(code, 122, quietPaper); got != c.paper {
			t.Errorf("version %d on 122 dots: %d dots a module, want %d", c.version, got, c.paper)
		}
	}
}

// TestStrangeValuesStayInside: a text that is far too long is cut, and nothing is drawn
// where it must not be.
func TestStrangeValuesStayInside(t *testing.T) {
	for _, s := range panel.Samples(display.NB, display.EN) {
		p := s.Scene.Page()
		wide := strings.Repeat("W", 60)
		p.Big, p.Title, p.Long, p.Do, p.ShortDo = panel.Said{wide, wide}, panel.Said{wide, wide}, panel.Said{wide, wide}, panel.Said{wide, wide}, panel.Said{wide, wide}
		p.Energy, p.Cost, p.Help, p.Fault, p.Price = wide, wide, wide, wide, wide
		for _, size := range []Size{Small, Paper} {
			_, marks := render(size, p, Options{Shift: image.Pt(ShiftMost, ShiftMost)})
			for _, m := range marks {
				if !m.cut && !m.box.In(image.Rectangle{Max: size.Dots()}) {
					t.Errorf("%v %s: %q at %v is outside", size, s.Name, m.what, m.box)
				}
			}
		}
		for _, l := range Letters(20, 4, p) {
			if count(l) > 20 {
				t.Errorf("%s: %q is longer than the display", s.Name, l)
			}
		}
	}
}

// showsCode says whether the picture of a page has the page's code: where there is one, it
// is worth its room on that size, and it is not too dense for a camera to read it there.
func showsCode(size Size, p panel.Page) bool {
	switch size {
	case Paper:
		_, dots, _ := paperCode(p, Paper.Dots().Y)
		return dots > 0
	case Wide:
		scan := func(r panel.Row) bool { return r.Scan != nil }
		return p.Code != nil && len(p.Rows) == 0 || len(p.Rows) == 2 && slices.ContainsFunc(p.Rows, scan)
	default:
		return smallScale(p) > 0
	}
}
