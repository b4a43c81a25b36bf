package strict

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stolpe/agent/config/strict/legal"
)

// sample is a small table with a key of every kind.
func sample() Format {
	return Format{
		Keys: []Key{
			{Name: "name", Kind: Text, Need: true, Want: "a word", Legal: legal.Word, Doc: "A name."},
			{Name: "wait", Kind: Span, Def: time.Second, Max: int64(time.Minute), Doc: "A time."},
			{Name: "shops", Kind: List, Need: true, Min: 1, Max: 2, Doc: "Some shops.", Keys: []Key{
				{Name: "open", Kind: Flag, Def: true, Want: "true or false", Doc: "Whether it is open."},
				{Name: "floor", Kind: Number, Def: int64(0), Max: 9, Doc: "Where it is."},
				{Name: "prices", Kind: Numbers, Unset: "none", Min: 1, Max: 3, Each: [2]int64{1, 9}, Want: "<coins>", Doc: "What things cost, in <coins>."},
				{Name: "staff", Kind: Texts, Unset: "nobody", Min: 1, Max: 2, Want: "a word", Legal: legal.Word, Doc: "Who works there."},
				{Name: "safe", Kind: Section, Doc: "The safe.", Keys: []Key{
					{Name: "code", Kind: SecretRef, Unset: "none", Doc: "What opens it."},
					{Name: "older", Kind: SecretRefs, Unset: "none", Min: 1, Max: 2, Doc: "What opened it."},
				}},
			}},
		},
		Units: func(at func(path ...string) string) *strings.Replacer {
			return strings.NewReplacer("<coins>", "coins of "+at("name"))
		},
	}
}

type shop struct {
	Open   bool
	Floor  int
	Prices []int
	Staff  []string
	Safe   struct {
		Code  string
		Older []string
	}
}

type town struct {
	Name  string
	Wait  time.Duration
	Shops []shop
}

func TestFileFillsAStruct(t *testing.T) {
	const text = `name: hamar
shops:
  - {}
  - open: false
    floor: 3
    prices: [1, 9]
    staff: [kari, ola]
    safe: {code: "env:CODE", older: ["file:/a", "credential:b"]}
`
	var got town
	r, err := sample().Read("f", strings.NewReader(text), &got)
	if err != nil || r.Err() != nil {
		t.Fatal(err, r.Err())
	}
	want := town{Name: "hamar", Wait: time.Second, Shops: []shop{{Open: true}, {Floor: 3, Prices: []int{1, 9}, Staff: []string{"kari", "ola"}}}}
	want.Shops[1].Safe.Code, want.Shops[1].Safe.Older = "env:CODE", []string{"file:/a", "credential:b"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for path, want := range map[string]bool{"name": true, "wait": false, "shops[1].safe.code": true, "shops[0].safe": false, "shops[1].staff[1]": true} {
		if r.Given(path) != want {
			t.Errorf("Given(%s) = %v", path, !want)
		}
	}
	if e := r.Wrong("shops[1].safe.lock", "x <coins>", "y").Error(); e != "f:8: shops[1].safe.lock: found x coins of hamar; want y" {
		t.Error(e)
	}
}

func TestMistakesInLists(t *testing.T) {
	for entry, want := range map[string]string{
		"staff: []":                         "staff: found 0 entries; want a list of 1 to 2, each a word",
		"staff: [a, b, c]":                  "staff: found 3 entries; want a list of 1 to 2, each a word",
		"staff: kari":                       `staff: found "kari"; want a list of 1 to 2, each a word`,
		"staff: [kari, -x]":                 `staff[1]: found "-x"; want a word`,
		"staff: [1]":                        "staff[0]: found 1; want text in quotes: a word",
		"prices: [0]":                       "prices[0]: found 0; want 1 to 9 coins of x",
		"prices: []":                        "prices: found 0 numbers; want a list of 1 to 3 whole numbers, each 1 to 9 coins of x",
		"safe: {older: [hunter2]}":          "safe.older[0]: found something else (not shown); want credential:NAME, file:/PATH or env:NAME (the secret itself never stands here)",
		"safe: {older: hunter2}":            "safe.older: found something else (not shown); want a list of 1 to 2, each credential:NAME, file:/PATH or env:NAME (the secret itself never stands here)",
		"safe: {older: [hunter2: hunter2]}": "safe.older[0]: found a section; want credential:NAME, file:/PATH or env:NAME (the secret itself never stands here)",
		"floors: 1":                         "floors: found an unknown key; want one of open, floor, prices, staff, safe (did you mean shops[0].floor?)",
	} {
		var got town
		r, err := sample().Read("f", strings.NewReader("name: x\nshops:\n  - "+entry+"\n"), &got)
		if err != nil {
			t.Fatal(err)
		}
		if want = "f:3: shops[0]." + want; fmt.Sprint(r.Err()) != want {
			t.Errorf("%s\n%v\nwant\n%s", entry, r.Err(), want)
		}
	}
}

func TestStructAndTableMustAgree(t *testing.T) {
	var less struct{ Name string }
	if _, err := sample().Read("f", strings.NewReader("name: x\nshops: [{}]\n"), &less); err == nil || !strings.Contains(err.Error(), "shops") {
		t.Errorf("error %v: want one that names the key without a field", err)
	}
}

func TestReferenceOfASmallTable(t *testing.T) {
	const want = `| key | holds | if left out | meaning |
|---|---|---|---|
| ` + "`name`" + ` | a word | must be given | A name. |
| ` + "`wait`" + ` | 0s to 1m, with the unit (s, m, h) | ` + "`1s`" + ` | A time. |
`
	got := sample().Reference()
	if !strings.HasPrefix(got, want) {
		t.Error(got)
	}
	for _, row := range []string{
		"| `shops[].prices` | a list of 1 to 3 whole numbers, each 1 to 9 coins of  | none | What things cost, in coins of . |",
		"| `shops[].safe.older` | a list of 1 to 2, each credential:NAME, file:/PATH or env:NAME | none | What opened it. |",
	} {
		if !strings.Contains(got, "\n"+row+"\n") {
			t.Errorf("no row %s in\n%s", row, got)
		}
	}
}

func TestTableIsChecked(t *testing.T) {
	if err := sample().Check(); err != nil {
		t.Error(err)
	}
	for want, k := range map[string]Key{
		"x: its meaning is no sentence":                          {Kind: Number, Need: true, Doc: "x"},
		"x: nothing says what is allowed":                        {Kind: Text, Need: true, Want: "x"},
		"x: its default is not allowed":                          {Kind: Number, Def: int64(2), Max: 1},
		"x: only a single text can come from the environment":    {Kind: Number, Need: true, Env: "X"},
		"x: must be given, so there is nothing to hold":          {Kind: Number, Need: true, Unset: "x"},
		"x: nothing says what holds when it is left out":         {Kind: Number},
		"xxxxxxxxxxxxxxxxxxxxx: is too long to be found when it": {Kind: Number, Need: true},
	} {
		name, _, _ := strings.Cut(want, ":")
		k.Name = name
		if k.Doc == "" {
			k.Doc = "X."
		}
		if err := (Format{Keys: []Key{k}}).Check(); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: want %s", err, want)
		}
	}
	twice := Key{Name: "x", Kind: Number, Need: true, Doc: "X."}
	if err := (Format{Keys: []Key{twice, twice}}).Check(); err == nil || err.Error() != "x: stands there twice" {
		t.Error(err)
	}
}
