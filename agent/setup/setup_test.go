package setup

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stolpe/display"
)

func TestQuestionsAreWhole(t *testing.T) {
	keys, flags := map[string]bool{}, map[string]bool{}
	for _, q := range Questions(MaxEVSEs) {
		if keys[q.Key] || flags[q.Flag()] {
			t.Errorf("%s is there twice", q.Key)
		}
		keys[q.Key], flags[q.Flag()] = true, true
		if q.Ask.NB == "" || q.Ask.EN == "" || q.Ask.NB == q.Ask.EN || !strings.HasSuffix(q.Ask.EN, "?") && q.EVSE < 2 {
			t.Errorf("%s is asked as %q and %q", q.Key, q.Ask.NB, q.Ask.EN)
		}
		if !slices.Contains(Steps(), q.Step) {
			t.Errorf("%s is asked in no step", q.Key)
		}
		if found, ok := Find(q.Key); !ok || found.Flag() != q.Flag() {
			t.Errorf("%s is not found", q.Key)
		}
	}
	for _, s := range Steps() {
		if w := s.Title(); w.NB == "" || w.EN == "" {
			t.Errorf("step %s has no title", s)
		}
	}
}

// A simulated post needs no answer, and a real one says all that it needs.
func TestWhatIsMissing(t *testing.T) {
	if all := (Answers{"simulated": "true"}).Missing(); len(all) > 0 {
		t.Errorf("a simulated post needs %v", keysOf(all))
	}
	want := []string{"post.id", "post.name", "post.helpdesk", "seller.name", "seller.org_no", "meter.url", "contactor.line", "contactor.sense", "price.kwh", "payment.through"}
	if got := keysOf(Answers{}.Missing()); !slices.Equal(got, want) {
		t.Errorf("missing %v, want %v", got, want)
	}
	more := Answers{"evses": "2", "payment.through": "gateway"}.Missing()
	for _, key := range []string{"meter2.url", "contactor2.sense", "mqtt.url"} {
		if !slices.Contains(keysOf(more), key) {
			t.Errorf("%s is not missing in %v", key, keysOf(more))
		}
	}
	for key, a := range map[string]Answers{
		"meter.url": {"simulated": "true", "meter.url": "tcp://a:1"}, "meter2.url": {"meter2.url": "tcp://a:1"},
		"payment.vipps.msn": {"payment.through": "sim", "payment.vipps.msn": "123456"}, "price.idle.cap": {"price.idle.cap": "5.00"},
	} {
		if got := keysOf(a.Useless()); !slices.Equal(got, []string{key}) {
			t.Errorf("%v: %v go for nothing, want %s", a, got, key)
		}
	}
}

func keysOf(all []Question) (keys []string) {
	for _, q := range all {
		keys = append(keys, q.Key)
	}
	return keys
}

func TestAnswersAreCleaned(t *testing.T) {
	for _, c := range []struct {
		key, answer, clean, value, wrong string
	}{
		{"price.kwh", " 5,49 ", "5.49", "549", ""}, {"price.kwh", "0.00", "0.00", "0", ""}, {"price.kwh", "12.05", "12.05", "1205", ""},
		{"price.kwh", "549", "", "", "two decimals"}, {"price.kwh", "5.4", "", "", "two decimals"}, {"price.kwh", "-5.49", "", "", "two decimals"},
		{"reserve.choices", "200,350", "200,350", "20000, 35000", ""}, {"reserve.choices", "200;350", "", "", "commas"},
		{"seller.vat_registered", "Ja", "true", "true", ""}, {"seller.vat_registered", "n", "false", "false", ""}, {"seller.vat_registered", "maybe", "", "", "true or false"},
		{"post.country", "NO", "NO", "NO", ""}, {"post.country", "SE", "", "", "NO, DK, FI"}, {"evses", "3", "", "", "1, 2"},
		{"post.name", "a\x1b[2J", "", "", "one line"}, {"post.name", "  ", "", "", ""}, {"evse.max_power_w", "22kW", "", "", "whole number"},
	} {
		q, ok := Find(c.key)
		if !ok {
			t.Fatal(c.key)
		}
		clean, err := q.Clean(c.answer)
		if clean != c.clean || (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s %q: %q, %v; want %q, %s", c.key, c.answer, clean, err, c.clean, c.wrong)
		}
		if err == nil && clean != "" && q.Value(clean) != c.value {
			t.Errorf("%s %q: %q, want %q", c.key, c.answer, q.Value(clean), c.value)
		}
	}
}

// What has been cleaned is clean.
func TestCleaningTwiceIsCleaningOnce(t *testing.T) {
	all := Questions(MaxEVSEs)
	rapid.Check(t, func(t *rapid.T) {
		q := rapid.SampledFrom(all).Draw(t, "question")
		clean, err := q.Clean(rapid.String().Draw(t, "answer"))
		if err != nil {
			return
		}
		if again, err := q.Clean(clean); err != nil || again != clean {
			t.Fatalf("%s: %q, then %q, %v", q.Key, clean, again, err)
		}
	})
}

func TestProgressIsReadAsItWasWritten(t *testing.T) {
	p := NewProgress()
	p.Answers["post.id"], p.Answers[Confirmed(2)] = "A12", "ddm18sd"
	p.Note(Result{Step: Post, Status: Nothing, At: 1})
	p.Note(Result{Step: Meter, Status: Skipped, At: 2})
	p.Note(Result{Step: Meter, Status: Passed, Text: "sound", At: 3}) // again
	p.Read(2, 10_344_076)
	b, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	q, err := ParseProgress(b)
	if err != nil || q.Registers[2] != 10_344_076 || len(q.Done) != 2 || q.Done[1].Text != "sound" || q.Answers["post.id"] != "A12" || !q.Has(Post) || q.Has(Report) {
		t.Errorf("%+v, %v", q, err)
	}
	for _, bad := range []string{
		"", "{}", `{"version":2,"answers":{},"done":null}`, `{"version":1,"answers":{"post.age":"7"}}`,
		`{"version":1,"answers":{},"done":[{"step":"dance"}]}`, `{"version":1,"answers":{},"sing":true}`, `{"version":1,"answers":null}`,
	} {
		if p, err := ParseProgress([]byte(bad)); err == nil && bad != "{}" {
			t.Errorf("%s: %+v", bad, p)
		}
	}
}

func TestReportSaysWhatWasDoneAndWhatWasNot(t *testing.T) {
	c := Commissioning{
		Version: ReportVersion, Post: "A12", Place: "Storgata 1", Seller: "Eksempel Lading AS", OrgNo: "999999999", At: time.Unix(1_800_000_000, 0).UTC(), Clock: "synced", By: "kari",
		EVSEs:   []Unit{{ID: 1, Code: "A12", Meter: "eastron_sdm630", Serial: "22110345", At: "tcp://10.0.0.5:502 (1)", Register: 10_344_076, Shown: "10344.07", Contactor: "GPIO17 / GPIO27", MaxPower: 22000}},
		Results: []Result{{Step: Close, Status: Skipped}, {Step: Pay, Status: Passed, Text: "token ok\x1b[2J"}},
	}
	encoded, err := c.Encode()
	if err != nil || len(Name(encoded)) != 64 {
		t.Fatal(err)
	}
	for lang, want := range map[display.Lang][]string{
		display.NB: {"Idriftsettelse av post A12", "10344.076 kWh", "HOPPET OVER", "bestått: token ok?[2J", "kari", Name(encoded)},
		display.EN: {"Commissioning of post A12", "10344.07 kWh", "SKIPPED", "2027-01-15 08:00 UTC"},
	} {
		var b bytes.Buffer
		if err := c.Text(&b, lang, Name(encoded)); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("no %q in\n%s", w, &b)
			}
		}
	}
	other := c
	other.By = "ola"
	changed, err := other.Encode()
	if err != nil || Name(changed) == Name(encoded) {
		t.Error("another report has the same name")
	}
}
