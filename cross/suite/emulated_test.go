package suite

import (
	"errors"
	"slices"
	"testing"

	"stolpe/cross/rules"
)

// A name that has gone would run nothing.
func TestEmulatedTestsAreThere(t *testing.T) {
	tree, err := rules.Load("../..", "stolpe")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range emulatedAll() {
		for _, dir := range e.packages {
			if tree.Find(dir) == nil {
				t.Errorf("%s: there is no %s", e.name, dir)
			}
		}
		for _, f := range e.some {
			for _, name := range f.tests {
				if !slices.Contains(homes(tree, name), f.dir) {
					t.Errorf("%s: %s is in %v, want it in %s", e.name, name, homes(tree, name), f.dir)
				}
			}
		}
	}
}

func TestOtherProcessorsBreakWhatThisOneDoesNot(t *testing.T) {
	if missing := emulators().missing(); missing != "" {
		t.Skip(missing)
	}
	r, out := module(t, map[string]string{"hal/a_test.go": `package hal

import "testing"

func TestLong(t *testing.T) {
	var n int = 1 << 30
	if 4*n <= 0 {
		t.Error("too long for this processor")
	}
}
`})
	if err := r.tests(); err != nil {
		t.Errorf("here: %v", err)
	}
	r.step(step{name: "there", do: (*run).emulate})
	if code := r.sum(); code != exitBad {
		t.Errorf("exit code %d, want %d", code, exitBad)
	}
	has(t, out.String(), "too long for this processor", "== failed\n   hal TestLong on armv6\n", "\n2 passed, 1 failed, 0 skipped\n")
}

func TestEmulatorIsSkippedInTheOpen(t *testing.T) {
	r, out := module(t, nil)
	lacking(t)
	r.step(step{name: "processors", do: (*run).emulate})
	if code := r.sum(); code != exitBad {
		t.Errorf("exit code %d where no skip is allowed, want %d", code, exitBad)
	}
	has(t, out.String(), "skipped: part qemu-user: no qemu-arm-static in PATH")
}

func TestAChargeMustAddUp(t *testing.T) {
	const sound = `{"reserved":35000,"captured":3010,"released":31990,"energy_wh":5483,"bill":{"total":3010}}`
	if c, err := readCharge(sound); err != nil || c.Energy != 5483 {
		t.Errorf("%+v, %v", c, err)
	}
	for _, said := range []string{
		`{"reserved":35000,"captured":3010,"released":31989,"energy_wh":5483,"bill":{"total":3010}}`,
		`{"reserved":35000,"captured":3010,"released":31990,"energy_wh":5483,"bill":{"total":3009}}`,
		`{"reserved":35000,"captured":3010,"released":31990,"energy_wh":0,"bill":{"total":3010}}`,
		`{"reserved":35000,"captured":0,"released":35000,"energy_wh":1,"bill":{"total":0}}`,
	} {
		if _, err := readCharge(said); !errors.Is(err, errDoesNotAddUp) {
			t.Errorf("%s: %v, want %v", said, err, errDoesNotAddUp)
		}
	}
	if _, err := readCharge("killed"); err == nil {
		t.Error("no charge adds up")
	}
}
