package draw

import "testing"

func TestTellsPrice(t *testing.T) {
	for _, s := range shots(Sizes()...) {
		switch want := s.size != Small; {
		case s.name == "free-button-long" && TellsPrice(s.size, s.page) != want:
			t.Errorf("%s: all of the longest price: %v", s.file(), !want)
		case s.name == "free-button" && !TellsPrice(s.size, s.page):
			t.Errorf("%s: it leaves out a part of an ordinary price", s.file())
		case s.name == "charging" && TellsPrice(s.size, s.page):
			t.Errorf("%s: it tells a price", s.file())
		}
	}
}
