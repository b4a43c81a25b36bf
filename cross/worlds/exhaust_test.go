package worlds

import (
	"strings"
	"testing"
)

func TestEverySetOfTwoFaultsKeepsThePromises(t *testing.T) {
	most := 2
	if testing.Short() {
		most = 1
	}
	c := Exhaust(most, Plan{})
	for i, v := range c.violations {
		if i == maxComplaints {
			t.Fatalf("and %d more", len(c.violations)-i)
		}
		t.Errorf("%v", v)
	}
	if c.Opportunities < 900 || most > 1 && c.Sets[2] < 100*uint64(c.Opportunities) {
		t.Errorf("%d opportunities, %d pairs: there are more", c.Opportunities, c.Sets[2])
	}
	t.Logf("%d opportunities, %d pairs", c.Opportunities, c.Sets[2])
}

// A technician's test of the contactor, with every fault that can come up in it and with
// every two. A contactor that is not opened when that is due needs one to show.
func TestEverySetOfTwoFaultsInATest(t *testing.T) {
	most := 2
	if testing.Short() {
		most = 1
	}
	c := Exhaust(most, Plan{test: true})
	for _, v := range c.violations[:min(len(c.violations), maxComplaints)] {
		t.Errorf("%v", v)
	}
	if c.Opportunities < 300 {
		t.Errorf("%d opportunities: there are more", c.Opportunities)
	}
	if one := Exhaust(1, Plan{test: true, plant: plantLongTest}); len(one.violations) == 0 {
		t.Errorf("%v: not found in %d sets", plantLongTest, one.Sets[1])
	}
}

// What no one fault brings to light: each of these needs two.
func TestPairsFindWhatSinglesDoNot(t *testing.T) {
	for p, set := range map[plant]string{
		plantLifeKey:     "capture#1:late-request~2,answer#3:cut-anytime~2",
		plantBlindRot:    "answer#1:cut-anytime~2,down#1:card-lost",
		plantTwoRestarts: "answer#1:cut-anytime~1,save#5:cut-before-save~1",
	} {
		if one := Exhaust(1, Plan{plant: p}); len(one.violations) > 0 {
			t.Errorf("%v: a single fault shows it: %v", p, one.violations[0])
		}
		faults, err := parseSet(set)
		if err != nil {
			t.Fatal(err)
		}
		if c, left := playSet(faults, Plan{plant: p}); len(c.violations) != 1 || left > 0 {
			t.Errorf("%v: %s shows nothing; %d faults have not come up", p, set, left)
		}
	}
}

// The reference charge has enough in it for these to show with one fault or none.
func TestSinglesFindPlantedMistakes(t *testing.T) {
	for _, p := range []plant{plantForget, plantEarlyRelease, plantGiveUp, plantTwoTries, plantNewReceipt, plantReceiptFirst, plantDeafWire} {
		if c := Exhaust(1, Plan{plant: p}); len(c.violations) == 0 {
			t.Errorf("%v: not found in %d sets", p, c.Sets[1])
		}
	}
}

func TestEveryOpportunityHasANameOfItsOwn(t *testing.T) {
	root := &explorer{maker: &maker{card: newCard()}, plan: Plan{Scale: 100}, most: 1}
	known := map[string]bool{}
	for _, m := range root.branches(nil, root.try(nil)) {
		if known[m.String()] {
			t.Errorf("%v is there twice", m)
		}
		known[m.String()] = true
		if back, err := parseMishap(m.String()); err != nil || back != m {
			t.Errorf("%v is read back as %v, %v", m, back, err)
		}
	}
	for _, must := range []string{
		"create#1:request-lost", "create#1:late-request~3", "create#1:4150", "capture#1:answer-lost", "capture#1:applied-then-error",
		"capture#1:6260", "capture#1:6140", "capture#1:6100", "capture#1:6280", "capture#1:4010", "release#1:service-busy",
		"read#20:read-lost", "save#9:cut-in-save~3", "approve#1:funds-gone", "start#1:whole-only", "close#1:welded", "meter#20:meter-silent~1",
	} {
		if !known[must] {
			t.Errorf("%s cannot happen", must)
		}
	}
}

func TestASetThatCannotBeReadIsRefused(t *testing.T) {
	for _, bad := range []string{"capture:answer-lost", "nowhere#1:answer-lost", "capture#x:answer-lost", "capture#1:bad", "save#1:cut-in-save~9", "capture#1:6260,"} {
		if _, err := parseSet(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestOneSetIsPlayedAgain(t *testing.T) {
	var out, errs strings.Builder
	if code := Run([]string{"-set", "capture#1:answer-lost, release#1:6250"}, &out, &errs); code != 0 || !strings.Contains(out.String(), "violations     0") {
		t.Errorf("code %d: %s%s", code, &out, &errs)
	}
	out.Reset()
	if code := Run([]string{"-set", "capture#99:answer-lost"}, &out, &errs); code != 0 || !strings.Contains(out.String(), "1 of the faults never came up") {
		t.Errorf("code %d: %s%s", code, &out, &errs)
	}
	if code := Run([]string{"-plant", "release-before-capture", "-set", "capture#1:request-lost"}, &out, &errs); code != 1 {
		t.Errorf("code %d: %s", code, &out)
	}
}
