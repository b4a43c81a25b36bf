package panel

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"stolpe/display"
)

func TestCodesThatAreRememberedAreTheSame(t *testing.T) {
	codes := &Codes{}
	for _, s := range Samples(display.NB, display.EN) {
		want := s.Scene.Page()
		s.Scene.Codes = codes
		for range 2 {
			if got := s.Scene.Page(); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v, want %+v", s.Name, got, want)
			}
		}
	}
	if first := codes.of("A12"); first == nil || codes.of("A12") != first {
		t.Error("a code is made again")
	}
	for range 2 {
		if codes.of(strings.Repeat("x", 5000)) != nil {
			t.Error("there is a code of 5000 letters")
		}
	}
}

func TestFewCodesAreRemembered(t *testing.T) {
	codes := &Codes{}
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			for i := range codesMost {
				text := fmt.Sprint(g, i)
				if c := codes.of(text); c == nil || c.Text != text {
					t.Errorf("the code of %s is %+v", text, c)
				}
			}
		})
	}
	group.Wait()
	if n := len(codes.made); n > codesMost {
		t.Errorf("%d codes are remembered", n)
	}
}

// BenchmarkSecond is what a display costs each second, before anything is drawn.
func BenchmarkSecond(b *testing.B) {
	for _, s := range Samples(display.NB, display.EN) {
		if s.Name != "free" && s.Name != "charging" {
			continue
		}
		b.Run(s.Name, func(b *testing.B) {
			s.Scene.Codes = &Codes{}
			was := Drawn{}.Draw(s.Scene.Page(), Whole, 0)
			b.ReportAllocs()
			for b.Loop() {
				Paper().Next(was, s.Scene.Page(), 1)
			}
		})
	}
}
