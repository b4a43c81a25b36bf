package web

import (
	"html"
	"strings"
	"testing"

	"stolpe/display"
)

func TestEveryPageTellsWhatTheOwnerHasToSay(t *testing.T) {
	for _, l := range display.Langs() {
		for _, state := range states() {
			twin := newTwin()
			said := display.Notice{display.NB: "Heisen er <ute> av drift.", display.EN: "The lift is out of order."}
			twin.public.State, twin.public.Notice, twin.public.Here = state, said, true
			v := running()
			v.State, v.Notice, v.Here = state, said, true
			twin.set(secret, v)
			site := newSite(t, twin)
			want, in := said.In(l)
			for _, path := range []string{"/A12", "/A12/" + secret, "/A12/" + secret + "?stop"} {
				page := site.get("/" + l.Tag() + path).Body.String()
				sound(t, page)
				contains(t, page, html.EscapeString(want), string(l.Words().Here))
				if foreign := strings.Contains(page, `<p class="note" lang="`+in.Tag()+`">`); foreign == (in == l) {
					t.Errorf("%s: in another language: %v", l.Tag(), foreign)
				}
			}
		}
	}
}

func TestAPageThatIsOpenIsDrawnAnewWhenThereIsSomethingElseToSay(t *testing.T) {
	twin := newTwin()
	seen := map[string]bool{}
	for _, change := range []func(*display.View){
		func(*display.View) {},
		func(v *display.View) { v.Here = true },
		func(v *display.View) { v.Notice[display.NB] = "Hei" },
		func(v *display.View) { v.Notice[display.NB] = "Hade" },
		func(v *display.View) { v.Notice[display.NB], v.Here = "Hade", true },
	} {
		v := running()
		change(&v)
		twin.set(secret, v)
		_, scene, _ := strings.Cut(newSite(t, twin).get("/nb/A12/"+secret).Body.String(), `data-scene="`)
		scene, _, _ = strings.Cut(scene, `"`)
		if seen[scene] {
			t.Errorf("scene %q again", scene)
		}
		seen[scene] = true
	}
	if !seen["charge"] {
		t.Errorf("scenes %v: want that of an ordinary charge without anything behind it", seen)
	}
}
