package display

import (
	"math"
	"strings"
	"testing"
)

func TestPassesAreReadAsTheyAreWritten(t *testing.T) {
	seen := map[Pass]bool{}
	for _, bits := range []uint32{0, 1, 31, 32, 12345678, 1<<30 - 1} {
		p := PassOf(bits)
		if got, ok := ParsePass(string(p)); !ok || got != p || len(p) != passChars || seen[p] {
			t.Errorf("%d is %q, read back as %q, %v; seen before: %v", bits, p, got, ok, seen[p])
		}
		seen[p] = true
	}
	if PassOf(5) != PassOf(5|1<<30) || PassOf(math.MaxUint32) != "ZZZZZZ" {
		t.Errorf("the bits above the lowest 30 count: %q %q", PassOf(5|1<<30), PassOf(math.MaxUint32))
	}
}

func TestPassesAreReadAsPeopleCopyThem(t *testing.T) {
	for said, want := range map[string]Pass{
		"7F3K9Q": "7F3K9Q", "7f3k9q": "7F3K9Q", "oil0ab": "0110AB", "OILABC": "011ABC",
		"": "", "7F3K9": "", "7F3K9QQ": "", "7F3K9U": "", "7F3K9-": "", "7F 3K9": "", "ſſſ": "", "ſſſſſſ": "SSSSSS", "7F3Kø": "", "terms": "", "live": "", "receipt": "",
	} {
		if got, ok := ParsePass(said); got != want || ok != (want != "") {
			t.Errorf("%q is read as %q, %v: want %q", said, got, ok, want)
		}
	}
}

func TestNoPassIsTheSameAsNothing(t *testing.T) {
	if Pass("").Is("") || Pass("7F3K9Q").Is("") || Pass("").Is("7F3K9Q") || Pass("7F3K9Q").Is("7F3K9R") || !Pass("7F3K9Q").Is("7F3K9Q") {
		t.Error("a pass is compared wrongly")
	}
	if strings.ContainsAny(passLetters, "ILOU") || len(passLetters) != 1<<bitsEach {
		t.Errorf("%q are not Crockford's letters", passLetters)
	}
}
