package suite

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOutputFlowsWhileWorkGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := errors.New("exit status 1")
		begun := time.Now()
		var seen []string
		see := func(text string) bool {
			if text == "hidden" {
				return false
			}
			seen = append(seen, fmt.Sprintf("%v %s", time.Since(begun), text))
			return true
		}
		err := follow(func(w io.Writer) error {
			io.WriteString(w, "one\ntw")
			time.Sleep(5 * time.Second)
			io.WriteString(w, "o\n")
			time.Sleep(10 * time.Second)
			io.WriteString(w, "hidden\n")
			time.Sleep(40 * time.Second)
			io.WriteString(w, "no end of line")
			return bad
		}, see, func() { see("quiet") })
		if err != bad {
			t.Errorf("error %v, want that of the work", err)
		}
		want := []string{"0s one", "5s two", "25s quiet", "45s quiet", "55s no end of line"}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Error(diff)
		}
	})
}
