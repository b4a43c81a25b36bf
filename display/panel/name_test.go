package panel

import (
	"strings"
	"testing"

	"stolpe/display"
)

func TestFacesHaveTheNamesOfTheirSamples(t *testing.T) {
	t.Parallel()
	seen := map[string]Face{}
	for _, s := range Samples(display.NB, display.EN) {
		face := s.Scene.Page().Face
		if strings.HasPrefix(s.Name, face.String()) {
			seen[face.String()] = face
		}
	}
	for f := range LastFace + 1 {
		if got, there := seen[f.String()]; !there || got != f {
			t.Errorf("face %d is called %q, and no sample of it is", f, f)
		}
	}
	if got := (LastFace + 1).String(); got != "unknown" {
		t.Errorf("one too many is called %q", got)
	}
}
