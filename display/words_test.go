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
	var tags []string
	for _, l := range Langs() {
		got, ok := ParseLang(l.Tag())
		if !ok || got != l || l.Name() == "" || seen[l.Tag()] {
			t.Errorf("ParseLang(%q) = %v, %v; name %q", l.Tag(), got, ok, l.Name())
		}
		seen[l.Tag()] = true
		tags = append(tags, l.Tag())
	}
	if got := strings.Join(tags, " "); got != "nb en sv da fi de" {
		t.Errorf("languages are %q", got)
	}
	for _, tag := range []string{"", "NB", "en-GB", "SV", "se", "xx"} {
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
	for text, want := range map[Text]string{
		"Took {a}.": "Took 5 kr.", "{a}. {a}.": "5 kr. 5 kr.", "({a}).": "(5 kr.).", "{a}, more": "5 kr., more", "{a} …": "5 kr. …",
	} {
		if got := text.With("a", "5 kr."); got != want {
			t.Errorf("%q with a full stop gives %q, want %q", text, got, want)
		}
	}
}

// A sentence that was copied and not translated would pass every other test.
func TestNoSentenceIsTheSameInTwoLanguages(t *testing.T) {
	const long = 32 // characters; shorter ones may be the same in neighbouring languages
	said := map[string]Lang{}
	for _, l := range Langs() {
		for path, text := range textsOf(l) {
			if len([]rune(text)) < long {
				continue
			}
			if other, ok := said[path+string(text)]; ok {
				t.Errorf("%s and %s: %s is %q in both", other.Tag(), l.Tag(), path, text)
			}
			said[path+string(text)] = l
		}
	}
}

// A name of an app, a number or a sum has no endings: it stands free, however
// much a language likes to inflect.
func TestPlacesForValuesStandFree(t *testing.T) {
	glued := regexp.MustCompile(`[\pL\d]\{|\}[-:’']?[\pL\d]`)
	for _, l := range Langs() {
		for path, text := range textsOf(l) {
			if found := glued.FindString(string(text)); found != "" {
				t.Errorf("%s: %s has %q: %q", l.Tag(), path, found, text)
			}
		}
	}
}

// A button of 320 px holds about 22 characters in a line.
func TestButtonsAreShort(t *testing.T) {
	const always = 12 // characters that fit anywhere
	for _, l := range Langs() {
		for name, text := range buttons(l.Words()) {
			most := max(always, len([]rune(buttons(NB.Words())[name]))*3/2)
			if n := len([]rune(text)); n > most {
				t.Errorf("%s: %s has %d characters, the most is %d: %q", l.Tag(), name, n, most, text)
			}
		}
	}
}

// buttons are the texts that stand on one.
func buttons(w *Words) map[string]Text {
	return map[string]Text{
		"FindGo": w.FindGo, "PayWith": w.PayWith, "CheckAgain": w.CheckAgain, "OpenPay": w.OpenPay, "Cancel": w.Cancel,
		"MoreTime": w.MoreTime, "Undo": w.Undo, "StopCharging": w.StopCharging, "StopYes": w.StopYes, "StopNo": w.StopNo,
		"TryAgain": w.TryAgain, "Print": w.Print, "ShowReceipt": w.ShowReceipt, "SavePDF": w.SavePDF, "ToCharge": w.ToCharge,
		"ChargeAt": w.ChargeAt, "PriceYes": w.PriceYes, "PriceNo": w.PriceNo, "StopCodeGo": w.StopCodeGo,
	}
}

func TestTroublesThatNoChargeTellsAreToldInFull(t *testing.T) {
	public := []Trouble{UnknownPost, OutOfOrder, Unreachable, SomeoneFirst, LinkExpired, WrongCode, TooMany, PriceChanged, NotUnderstood, StopUnheard, CodeLocked, NobodyHere}
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
