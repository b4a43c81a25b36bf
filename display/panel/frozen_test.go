package panel

import (
	"reflect"
	"strings"
	"testing"

	"stolpe/display"
)

// Whatever the post does, the page says the same.
func TestAFrozenDisplaySaysNothingThatMayBecomeWrong(t *testing.T) {
	for _, l := range display.Langs() {
		first := ""
		for _, s := range Samples(l, display.EN) {
			p := s.Scene.Frozen()
			if p.Code != nil || p.Price != "" || p.Cost != "" || p.Energy != "" || p.Fault != "" || p.Notice != (Said{}) || len(p.Rows)+len(p.Fees) > 0 {
				t.Errorf("%s: %+v", s.Name, p)
			}
			for of, most := range map[Said]int{p.Big: BigMost, p.Title: LineMost, p.ShortDo: LineMost, p.Long: LongMost, p.Do: LongMost, p.Named: LineMost} {
				for i, text := range of {
					if n := len([]rune(text)); n > most || n == 0 && i == 0 && len(s.Scene.EVSEs) == 1 {
						t.Errorf("%s: %q has %d letters, %d fit", s.Name, text, n, most)
					}
				}
			}
			if p.Big[0] != strings.ToUpper(p.Big[0]) {
				t.Errorf("%q is no capitals", p.Big[0])
			}
			p.Post, p.Named, p.Where, p.Help = "", Said{}, "", ""
			everyString(reflect.ValueOf(p), func(text string) {
				if strings.ContainsAny(text, "{}0123456789") {
					t.Errorf("%s: %q", s.Name, text)
				}
			})
			if said := strings.Join(append(p.Title[:], p.Do[:]...), "|"); first == "" {
				first = said
			} else if said != first {
				t.Errorf("%s: %s, not %s", s.Name, said, first)
			}
		}
	}
}
