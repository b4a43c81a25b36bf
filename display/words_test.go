package display

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// each calls fn with the path and value of every text of a language.
func each(v reflect.Value, path string, fn func(path string, t Text)) {
	switch v.Kind() {
	case reflect.String:
		fn(path, Text(v.String()))
	case reflect.Struct:
		for i := range v.NumField() {
			each(v.Field(i), path+"."+v.Type().Field(i).Name, fn)
		}
	case reflect.Array:
		for i := range v.Len() {
			each(v.Index(i), fmt.Sprintf("%s[%d]", path, i), fn)
		}
	}
}

func textsOf(l Lang) map[string]Text {
	all := map[string]Text{}
	each(reflect.ValueOf(*l.Words()), "", func(path string, t Text) { all[path] = t })
	return all
}

// mayBeEmpty says which texts no language has: numbers without a trouble, ends
// that are none, and what a charge's end says better.
func mayBeEmpty(path string) bool {
	return path == ".Ends[0]" || strings.HasPrefix(path, ".Troubles[")
}

func TestEveryTextIsThereInEveryLanguage(t *testing.T) {
	norwegian := textsOf(NB)
	for _, l := range Langs() {
		for path, text := range textsOf(l) {
			if text == "" && !mayBeEmpty(path) {
				t.Errorf("%s: %s is empty", l.Tag(), path)
			}
			if (text == "") != (norwegian[path] == "") {
				t.Errorf("%s: %s is %q, in Norwegian %q", l.Tag(), path, text, norwegian[path])
			}
			if strings.TrimSpace(string(text)) != string(text) || strings.Contains(string(text), "  ") {
				t.Errorf("%s: %s has spaces too many: %q", l.Tag(), path, text)
			}
		}
	}
}

var brace = regexp.MustCompile(`\{[^}]*\}`)

func places(t Text) []string {
	all := brace.FindAllString(string(t), -1)
	slices.Sort(all)
	return slices.Compact(all)
}

func TestEveryPlaceForAValueIsTheSameInEveryLanguage(t *testing.T) {
	norwegian := textsOf(NB)
	for _, l := range Langs() {
		for path, text := range textsOf(l) {
			if !slices.Equal(places(text), places(norwegian[path])) {
				t.Errorf("%s: %s has %v, in Norwegian %v", l.Tag(), path, places(text), places(norwegian[path]))
			}
			if rest := brace.ReplaceAllString(string(text), ""); strings.ContainsAny(rest, "{}") {
				t.Errorf("%s: %s has a brace that stands alone: %q", l.Tag(), path, text)
			}
		}
	}
}

func TestLanguagesAreKnownByTheirTagsAlone(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range Langs() {
		got, ok := ParseLang(l.Tag())
		if !ok || got != l || l.Name() == "" || seen[l.Tag()] {
			t.Errorf("ParseLang(%q) = %v, %v; name %q", l.Tag(), got, ok, l.Name())
		}
		seen[l.Tag()] = true
	}
	for _, tag := range []string{"", "NB", "en-GB", "xx"} {
		if l, ok := ParseLang(tag); ok {
			t.Errorf("ParseLang(%q) = %v", tag, l)
		}
	}
}

func TestWithFillsEveryPlaceOfAName(t *testing.T) {
	got := Text("{a} and {b} and {a}").With("a", "1", "b", "{a}", "c", "3")
	if got != "1 and {a} and 1" {
		t.Errorf("With gives %q", got)
	}
}

func TestTroublesThatNoChargeTellsAreToldInFull(t *testing.T) {
	public := []Trouble{UnknownPost, OutOfOrder, Unreachable, SomeoneFirst, LinkExpired, TooMany, PriceChanged, NotUnderstood, StopUnheard}
	for _, l := range Langs() {
		for _, trouble := range public {
			a := l.Words().Troubles[trouble]
			if a.What == "" || a.Money == "" || a.Do == "" {
				t.Errorf("%s: %v is not told in full: %+v", l.Tag(), trouble, a)
			}
		}
	}
}

// The sentence is a claim about the payment service that only Lang.Taken checks.
func TestOnlyOneTextSaysThatNothingWasTaken(t *testing.T) {
	for _, l := range Langs() {
		claim := strings.TrimSuffix(string(l.Words().NothingTaken), ".")
		for path, text := range textsOf(l) {
			if path != ".NothingTaken" && strings.Contains(strings.ToLower(string(text)), strings.ToLower(claim)) {
				t.Errorf("%s: %s says so too: %q", l.Tag(), path, text)
			}
		}
	}
}

func TestTroublesHaveTheNamesOfTheHelpDesk(t *testing.T) {
	for trouble, want := range map[Trouble]string{NoTrouble: "", UnknownPost: "E1", NotStarted: "E9", NoPower: "E10",
		NotSettled: "E14", PriceChanged: "E19", StopUnheard: "E24"} {
		if got := trouble.String(); got != want {
			t.Errorf("Trouble(%d).String() = %q, want %q", trouble, got, want)
		}
	}
}
