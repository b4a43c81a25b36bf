package sim

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestScriptSaysWhatGoesWrong(t *testing.T) {
	for _, row := range []struct {
		script string
		calls  []Call
		want   []Fault
	}{
		{"", []Call{CreateCall, GetCall}, []Fault{{}, {}}},
		{" ; ", []Call{CreateCall}, []Fault{{}}},
		{"capture: answer-lost, 5xx-applied; create: request-lost",
			[]Call{CaptureCall, CreateCall, CaptureCall, CaptureCall, CreateCall},
			[]Fault{{Kind: AnswerLost}, {Kind: RequestLost}, {Kind: Applied}, {}, {}}},
		{"cancel: ok, 5xx x2, busy", []Call{CancelCall, CancelCall, CancelCall, CancelCall, CancelCall},
			[]Fault{{}, {Kind: Failed}, {Kind: Failed}, {Kind: Busy}, {}}},
		{"get: slow 20ms x2, late 1h", []Call{GetCall, GetCall, GetCall},
			[]Fault{{Kind: Slow, Wait: 20 * time.Millisecond}, {Kind: Slow, Wait: 20 * time.Millisecond}, {Kind: Late, Wait: time.Hour}}},
		{"any: 429 1m, busy; refund: 5xx", []Call{EventsCall, RefundCall, RefundCall, TokenCall},
			[]Fault{{Kind: Limited, Wait: time.Minute}, {Kind: Failed}, {Kind: Busy}, {}}},
		{"approve: late, slow, 429", []Call{ApproveCall, ApproveCall, ApproveCall},
			[]Fault{{Kind: Late, Wait: 30 * time.Second}, {Kind: Slow, Wait: time.Second}, {Kind: Limited, Wait: 10 * time.Second}}},
		{"capture: code 6260 x2, 423; receipt: code 10010, 401, 403; qr: 502, 503, html",
			[]Call{CaptureCall, CaptureCall, CaptureCall, ReceiptCall, ReceiptCall, ReceiptCall, QRCall, QRCall, QRCall},
			[]Fault{{Kind: Coded, Code: "6260"}, {Kind: Coded, Code: "6260"}, {Kind: Locked}, {Kind: Coded, Code: "10010"}, {Kind: Denied},
				{Kind: Forbidden}, {Kind: BadGateway}, {Kind: Unavailable}, {Kind: Proxied}}},
	} {
		next, err := ParseFaults(row.script)
		if err != nil {
			t.Errorf("%q: %v", row.script, err)
			continue
		}
		var got []Fault
		for _, c := range row.calls {
			got = append(got, next(c))
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%q: %v, want %v", row.script, got, row.want)
		}
	}
}

func TestBadScriptNamesTheWord(t *testing.T) {
	for script, word := range map[string]string{
		"capture":                       `"capture"`,
		"pay: ok":                       `"pay"`,
		"none: ok":                      `"none"`,
		"create: lost":                  `"lost"`,
		"create: ok,":                   "missing",
		"create:":                       "missing",
		"create: ok; create: 5xx":       `"create"`,
		"create: 5xx 5s":                `"5s"`,
		"create: slow 5":                `"5"`,
		"create: slow -5s":              `"-5s"`,
		"create: slow 11s":              `"11s"`,
		"create: late 25h":              `"25h"`,
		"create: code":                  "code",
		"create: code x2":               `"x2"`,
		"create: code 999":              `"999"`,
		"create: code 6260 5s":          `"5s"`,
		"create: code 100000":           `"100000"`,
		"create: 423 5s":                `"5s"`,
		"create: 5xx x0":                `"x0"`,
		"create: 5xx x1001":             `"x1001"`,
		"create: 5xx xx1":               `"xx1"`,
		"create: late 5s 2":             `"2"`,
		"create: late 5s x2 more":       `"more"`,
		"random: 0.1":                   `"0.1"`,
		"random: rate 2 seed 1":         `"2"`,
		"random: rate NaN seed 1":       `"NaN"`,
		"random: rate 0.1 seed -1":      `"-1"`,
		"random: rate 0.1 sead 1":       "sead",
		"capture: answer-lost; cancel~": `"cancel~"`,
	} {
		if _, err := ParseFaults(script); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%q: error %v does not name %s", script, err, word)
		}
	}
}

// draws runs a script over many requests of all calls.
func draws(t *testing.T, script string, each int) map[Call][]Fault {
	t.Helper()
	next, err := ParseFaults(script)
	if err != nil {
		t.Fatal(err)
	}
	got := map[Call][]Fault{}
	for range each {
		for c := TokenCall; c < calls; c++ {
			got[c] = append(got[c], next(c))
		}
	}
	return got
}

func TestRandomFaultsComeAtTheirRateAndFromTheirSeed(t *testing.T) {
	const each = 2000
	got := draws(t, "random: rate 0.25 seed 7", each)
	count := [kinds]int{}
	for _, list := range got {
		for _, f := range list {
			count[f.Kind]++
			if f.Wait != f.Kind.wait() {
				t.Fatalf("%v waits %v", f.Kind, f.Wait)
			}
		}
	}
	all := each * len(got)
	if hit := all - count[NoFault]; hit < all/5 || hit > all*3/10 {
		t.Errorf("%d of %d requests hit, want about a quarter", hit, all)
	}
	for k := RequestLost; k <= lastRandom; k++ {
		if count[k] < all/64 {
			t.Errorf("%v came %d times in %d requests", k, count[k], all)
		}
	}
	again, other := draws(t, "random: rate 0.25 seed 7", each), draws(t, "random: rate 0.25 seed 8", each)
	for c, list := range got {
		if !slices.Equal(list, again[c]) {
			t.Errorf("%v: same seed, other faults", c)
		}
		if slices.Equal(list, other[c]) || slices.Equal(list, got[1+c%(calls-1)]) {
			t.Errorf("%v: other seed or other call, same faults", c)
		}
	}
}

func TestOneRequestMoreDoesNotReshuffleTheOthers(t *testing.T) {
	a, _ := ParseFaults("random: rate 0.5 seed 1")
	b, _ := ParseFaults("random: rate 0.5 seed 1; get: ok x50")
	for range 100 {
		b(GetCall)
		if x, y := a(CaptureCall), b(CaptureCall); x != y {
			t.Fatalf("%v and %v", x, y)
		}
	}
}

func TestPayerIsParsed(t *testing.T) {
	for text, want := range map[string]Payer{
		"": {}, "by-hand": {}, "approves": {Habit: Approves}, "approves 5s": {Approves, 5 * time.Second},
		"refuses 1m": {Refuses, time.Minute}, " dawdles  0s ": {Habit: Dawdles}, "vanishes": {Habit: Vanishes},
	} {
		if got, err := ParsePayer(text); err != nil || got != want {
			t.Errorf("%q: %+v %v, want %+v", text, got, err, want)
		}
	}
	for text, word := range map[string]string{
		"pays": `"pays"`, "approves 5": `"5"`, "approves -5s": `"-5s"`, "approves 5s now": `"now"`, "vanishes 5s": `"5s"`, "by-hand 5s": `"5s"`,
	} {
		if got, err := ParsePayer(text); err == nil || !strings.Contains(err.Error(), word) || got != (Payer{}) {
			t.Errorf("%q: %+v, error %v does not name %s", text, got, err, word)
		}
	}
}

func TestSeedsOfOldMeanWhatTheyMeant(t *testing.T) {
	next, err := ParseFaults("random: rate 1 seed 7")
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for range 8 {
		words = append(words, next(CaptureCall).Kind.String())
	}
	if got, want := strings.Join(words, " "), "answer-lost late slow slow busy late late late"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func FuzzParseFaults(f *testing.F) {
	for _, seed := range []string{"", "capture: code 6260 x2", "any: late 1h, 429 7s x3; random: rate 0.5 seed 1", "create: x", "qr: code\x00", "a:b:c;;", "create: 5xx x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		next, err := ParseFaults(text)
		if (next == nil) == (err == nil) {
			t.Fatalf("%v %v", next == nil, err)
		}
		if next != nil {
			for c := TokenCall; c < calls; c++ {
				if got := next(c); got.Kind >= kinds || got.Wait < 0 || (got.Code != "") != (got.Kind == Coded) {
					t.Fatalf("%+v", got)
				}
			}
		}
	})
}
