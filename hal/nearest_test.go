package hal

import (
	"testing"

	"pgregory.net/rapid"
)

func TestTheNearestNamesComeFirst(t *testing.T) {
	names := []string{"abb_b23", "carlo_gavazzi_em24", "ddm18sd", "eastron_sdm120", "eastron_sdm630", "eastron_sdm72d_m"}
	for wrong, want := range map[string]string{
		"eastron_sdm63":   "eastron_sdm630",
		"eastron_sdm021":  "eastron_sdm120",
		"SDM120":          "eastron_sdm120",
		"sdm360":          "eastron_sdm630",
		"abb b23":         "abb_b23",
		"EM-24":           "carlo_gavazzi_em24",
		"eastron_sdm72dm": "eastron_sdm72d_m",
	} {
		if got := Nearest(wrong, names); got[0] != want || len(got) != 3 {
			t.Errorf("%q: %v, want %s first", wrong, got, want)
		}
	}
	if got := Nearest("x", nil); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "abc", 0}, {"abc", "abd", 1}, {"abc", "acb", 1}, {"abc", "ab", 1},
		{"abc", "xabc", 1}, {"abcd", "badc", 2}, {"kitten", "sitting", 3}, {"øre", "ore", 1},
	} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("from %q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
	word := rapid.StringMatching(`[abø]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		d := Distance(a, b)
		if d != Distance(b, a) || (d == 0) != (a == b) || d > max(len([]rune(a)), len([]rune(b))) {
			t.Fatalf("from %q to %q: %d, and back %d", a, b, d, Distance(b, a))
		}
	})
}
