package panel

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"stolpe/display"
)

// texts of a language, by where they stand.
func texts(l display.Lang) map[string]string {
	all := map[string]string{}
	v := reflect.ValueOf(*wordsOf(l))
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if name != "faces" {
			all[name] = v.Field(i).String()
			continue
		}
		for f := range int(faces) {
			for j := range v.Field(i).Index(f).NumField() {
				all[fmt.Sprintf("face %d, %s", f, v.Field(i).Index(f).Type().Field(j).Name)] = v.Field(i).Index(f).Field(j).String()
			}
		}
	}
	return all
}

func TestEveryTextIsThereInEveryLanguage(t *testing.T) {
	brace := regexp.MustCompile(`\{[^}]*\}`)
	nb := texts(display.NB)
	if len(nb) < 100 {
		t.Fatalf("%d texts", len(nb))
	}
	nothing := []string{fmt.Sprintf("face %d, do", Here), fmt.Sprintf("face %d, shortDo", Here),
		fmt.Sprintf("face %d, do", Several), fmt.Sprintf("face %d, shortDo", Several)}
	for _, l := range display.Langs() {
		for at, text := range texts(l) {
			if (text == "") != slices.Contains(nothing, at) {
				t.Errorf("%s: %s is %q", l.Tag(), at, text)
			}
			if got, want := brace.FindAllString(text, -1), brace.FindAllString(nb[at], -1); !slices.Equal(got, want) {
				t.Errorf("%s: %s has %v, in Norwegian %v", l.Tag(), at, got, want)
			}
			if strings.HasSuffix(at, "big") && strings.ToUpper(text) != text {
				t.Errorf("%s: %s is no capitals: %q", l.Tag(), at, text)
			}
			if strings.TrimSpace(text) != text || strings.Contains(text, "  ") {
				t.Errorf("%s: %s has spaces too many: %q", l.Tag(), at, text)
			}
		}
	}
}

// The letters of displays are drawn by hand: what is said must need no others than these.
func TestPagesNeedFewLetters(t *testing.T) {
	eachPage(t, func(t *testing.T, _ Sample, p Page) {
		everyString(reflect.ValueOf(p), func(text string) {
			for _, r := range text {
				if (r < ' ' || r > '~') && (r <= 0xa0 || r > 0xff) && r != '€' {
					t.Errorf("%q needs %q", text, r)
				}
			}
			if strings.ContainsAny(text, "{}") {
				t.Errorf("a place was not filled: %q", text)
			}
		})
	})
}

// One language alone says everything once.
func TestOneLanguageIsNotRepeated(t *testing.T) {
	for _, s := range Samples(display.NB, display.NB) {
		p := s.Scene.Page()
		v := reflect.ValueOf(p)
		for i := range v.NumField() {
			if text, ok := v.Field(i).Interface().(Said); ok && text[1] != "" {
				t.Errorf("%s: %s is %q", s.Name, v.Type().Field(i).Name, text)
			}
		}
	}
}

func TestNoticeIsSaidInTheLanguagesThatThereAre(t *testing.T) {
	for _, x := range []struct {
		notice display.Notice
		want   Said
	}{
		{display.Notice{}, Said{}},
		{display.Notice{display.NB: "hei"}, Said{"hei"}},
		{display.Notice{display.EN: "hi"}, Said{"hi"}},
		{display.Notice{display.NB: "hei", display.EN: "hi"}, Said{"hei", "hi"}},
		{display.Notice{display.FI: "moi"}, Said{"moi"}},
	} {
		k := testEasel()
		e := k.free("A12")
		e.View.Notice = x.notice
		if got := k.scene(e).Page().Notice; got != x.want {
			t.Errorf("%v: %q, want %q", x.notice, got, x.want)
		}
	}
}
