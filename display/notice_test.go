package display

import (
	"maps"
	"strings"
	"testing"
)

func TestNoticeIsReadInTheNearestLanguage(t *testing.T) {
	n, err := ParseNotice(map[string]string{"fi": "Hei!", "nb": "Hei, du!"})
	if err != nil {
		t.Fatal(err)
	}
	for l, want := range map[Lang]Lang{NB: NB, FI: FI, DE: NB} {
		if text, in := n.In(l); in != want || text != n[want] {
			t.Errorf("to a reader of %s: %q in %s", l.Tag(), text, in.Tag())
		}
	}
	n[EN] = "Hello!"
	if text, in := n.In(DE); text != "Hello!" || in != EN {
		t.Errorf("%q in %s", text, in.Tag())
	}
	if text, in := (Notice{}).In(SV); text != "" || in != SV || (Notice{}).Tags() != nil {
		t.Errorf("nothing is %q", text)
	}
	if back, err := ParseNotice(n.Tags()); err != nil || back != n {
		t.Errorf("%v, %v", back, err)
	}
}

func TestNoticesThatAreNone(t *testing.T) {
	for _, text := range []string{"", " x", "x ", "a\nb", "a\x1b[2Jb", "a\u202eb", "a\u200bb", "\xff", strings.Repeat("å", MaxNotice+1)} {
		if n, err := ParseNotice(map[string]string{"nb": text}); err == nil || n != (Notice{}) {
			t.Errorf("%q was taken", text)
		}
	}
	if _, err := ParseNotice(map[string]string{"xx": "x"}); err == nil {
		t.Error("a language without pages was taken")
	}
	full := map[string]string{}
	for _, l := range Langs() {
		full[l.Tag()] = strings.Repeat("å", MaxNotice)
	}
	if n, err := ParseNotice(full); err != nil || !maps.Equal(n.Tags(), full) {
		t.Error(err)
	}
}
