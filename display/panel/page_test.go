package panel

import (
	"reflect"
	"testing"
	"unicode/utf8"

	"stolpe/display"
)

// pairs are all two languages, in both orders, and each language alone.
func pairs() [][2]display.Lang {
	var all [][2]display.Lang
	for _, first := range display.Langs() {
		for _, second := range display.Langs() {
			all = append(all, [2]display.Lang{first, second})
		}
	}
	return all
}

// eachPage calls fn with every page of every table.
func eachPage(t *testing.T, fn func(t *testing.T, s Sample, p Page)) {
	t.Helper()
	for _, langs := range pairs() {
		for _, s := range Samples(langs[0], langs[1]) {
			t.Run(langs[0].Tag()+"-"+langs[1].Tag()+"/"+s.Name, func(t *testing.T) { fn(t, s, s.Scene.Page()) })
		}
	}
}

func TestNoTextIsLongerThanItsPlace(t *testing.T) {
	eachPage(t, func(t *testing.T, _ Sample, p Page) {
		room := map[string]int{"Big": BigMost, "Title": LineMost, "ShortDo": LineMost, "Long": LongMost, "Do": LongMost,
			"Within": LineMost, "Money": LineMost, "Named": LineMost, "Updated": LineMost, "VAT": LineMost, "Caption": LineMost}
		v := reflect.ValueOf(p)
		for name, most := range room {
			for _, text := range v.FieldByName(name).Interface().(Said) {
				if n := utf8.RuneCountInString(text); n > most {
					t.Errorf("%s: %q has %d characters, there is room for %d", name, text, n, most)
				}
			}
		}
		for _, fee := range p.Fees {
			for _, text := range fee {
				if n := utf8.RuneCountInString(text); n > LineMost {
					t.Errorf("fee %q has %d characters, there is room for %d", text, n, LineMost)
				}
			}
		}
		for _, r := range p.Rows {
			for _, text := range r.Word {
				if n := utf8.RuneCountInString(text); n > BigMost {
					t.Errorf("word %q has %d characters, there is room for %d", text, n, BigMost)
				}
			}
		}
	})
}

func TestThereIsASampleOfEveryFace(t *testing.T) {
	var seen [faces]bool
	for _, s := range Samples(display.NB, display.EN) {
		seen[s.Scene.Page().Face] = true
	}
	for f, ok := range seen {
		if !ok {
			t.Errorf("no sample of face %d", f)
		}
	}
}

func BenchmarkPage(b *testing.B) {
	s := Samples(display.NB, display.EN)[0]
	b.ReportAllocs()
	for b.Loop() {
		s.Scene.Page()
	}
}
