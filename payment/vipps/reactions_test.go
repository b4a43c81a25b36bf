package vipps

import (
	"os"
	"slices"
	"strings"
	"testing"

	"stolpe/payment"
)

// reactionOf is the word in which the list of documented codes tells a reaction.
func reactionOf(v verdict) string {
	switch v.status {
	case payment.Unknown:
		return "read"
	case payment.Busy:
		return "later"
	case payment.Missing:
		return "missing"
	}
	return map[payment.Reason]string{
		payment.Conflict: "alarm", payment.Rejected: "no", payment.Setup: "stop-selling", payment.NoPush: "no-push",
		payment.TooLate: "write-off", payment.NoPartial: "release-all", payment.FundsGone: "slowly",
	}[v.reason]
}

// The table knows every code that is documented, and no other; each has the
// reaction that is written down for it, a title, and what a person does.
func TestTableIsTheDocumentedList(t *testing.T) {
	text, err := os.ReadFile("../../testdata/vipps/codes.txt")
	if err != nil {
		t.Fatal(err)
	}
	documented, calls := map[string]string{}, map[string]string{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 4 || f[3] == "" || documented[f[0]] != "" {
			t.Fatalf("%q: want a code, a reaction, its calls and a meaning, each code once", line)
		}
		documented[f[0]], calls[f[0]] = f[1], f[2]
	}
	for _, r := range reactions {
		want := documented[r.code]
		delete(documented, r.code)
		var got string
		switch {
		case r.means(create).exists:
			got = "adopt"
		case r.means(get).status == payment.Missing:
			got = "missing"
		default:
			got = reactionOf(r.means(capture))
		}
		if got != want || r.on != calls[r.code] {
			t.Errorf("%s on %q: reacts with %q, documented is %q on %q", r.code, r.on, got, want, calls[r.code])
		}
	}
	for code := range documented {
		t.Errorf("%s is documented, and not in the table", code)
	}
	told := Reactions()
	if !slices.IsSortedFunc(told, func(a, b Reaction) int {
		return len(a.Code)*100_000 - len(b.Code)*100_000 + strings.Compare(a.Code, b.Code)
	}) {
		t.Error("not in their order")
	}
	for _, r := range told {
		for word := range strings.SplitSeq(r.On, ", ") {
			if !slices.Contains([]string{"any", create.String(), capture.String(), cancel.String(), refund.String(), approve.String()}, word) {
				t.Errorf("%s: %q is no call", r.Code, word)
			}
		}
		if r.Title == "" || r.Do == "" || strings.HasSuffix(r.Do, ".") {
			t.Errorf("%+v: want a title, and one sentence of what to do", r)
		}
	}
}
