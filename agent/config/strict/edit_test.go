package strict

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const before = `# the top
name: "Ås # 1"   # who
wait: 10s        # how long

shop:
  # of the shop
  open: true     # now
  prices: [1, 2, 3]   # rising
  safe: {code: 'it''s', older: ["a, b", "c"]}  # secret
  rooms:
    - name: hall
      size: 5   # m
    - {name: kitchen, size: 7}
last: {a: 1}
`

func TestEditChangesNothingElse(t *testing.T) {
	for _, c := range []struct {
		path     string
		value    any
		old, new string
	}{
		{"name", "Bø", `name: "Ås # 1"   # who`, `name: "Bø"   # who`},
		{"wait", "1m", `wait: 10s        # how`, `wait: "1m"        # how`},
		{"shop.open", false, "open: true     # now", "open: false     # now"},
		{"shop.prices", []any{json.Number("5"), json.Number("70")}, "[1, 2, 3]   #", "[5, 70]   #"},
		{"shop.safe.code", `a "b", <c>`, `'it''s'`, `"a \"b\", <c>"`},
		{"shop.safe.lock", "x", `"c"]}`, `"c"], lock: "x"}`},
		{"shop.sign.text", "hei", "size: 7}\n", "size: 7}\n  sign: {text: \"hei\"}\n"},
		{"new.deep.down", json.Number("7"), "last: {a: 1}\n", "last: {a: 1}\nnew: {deep: {down: 7}}\n"},
		{"shop.prices", nil, "  prices: [1, 2, 3]   # rising\n", ""},
		{"wait", nil, "wait: 10s        # how long\n", ""},
		{"shop.safe.code", nil, "code: 'it''s', ", ""},
		{"shop.safe.older", nil, `, older: ["a, b", "c"]`, ""},
		{"shop.none", nil, "last", "last"},
		{"shop.rooms[1].size", json.Number("8"), "size: 7}", "size: 8}"},
		{"shop.rooms[0].size", nil, "\n      size: 5   # m", ""},
		{"shop.rooms[0].door", "left", "size: 5   # m\n", "size: 5   # m\n      door: \"left\"\n"},
		{"shop.rooms[1].lock.code", "x", "size: 7}", "size: 7, lock: {code: \"x\"}}"},
		{"shop.safe", nil, "  safe: {code: 'it''s', older: [\"a, b\", \"c\"]}  # secret\n", ""},
	} {
		got, err := Edit([]byte(before), map[string]any{c.path: c.value})
		if want := strings.Replace(before, c.old, c.new, 1); err != nil || string(got) != want {
			t.Errorf("%s = %v: %v\n%s\nwant\n%s", c.path, c.value, err, got, want)
		}
	}
}

// steps takes a path apart that Edit has taken.
func steps(t interface{ Fatal(...any) }, path string) []step {
	all, err := stepsOf(path)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEditWantsThePathOfAKey(t *testing.T) {
	for path, want := range map[string]string{
		"shop.rooms[2].size": "there is no entry 2", "shop.rooms[0]": "there is no entry 0", "shop.rooms[-1].size": "from 0", "shop.rooms[x].size": "from 0",
		"shop.rooms[01].size": "from 0", "shop.rooms[0.size": "without its ]", "shop.rooms[0]size": "want a point", "shop.prices[0].size": "written in a way", "name[0].a": "there is no entry",
		"shop.halls[0].size": "there is no such list",
	} {
		if got, err := Edit([]byte(before), map[string]any{path: json.Number("1")}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want %s", path, got, err, want)
		}
	}
}

func TestEditOfAFileWithoutAnEnd(t *testing.T) {
	got, err := Edit([]byte("\ufeffå: 1"), map[string]any{"b": json.Number("2"), "å": json.Number("33")})
	if want := "\ufeffå: 33\nb: 2"; err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWhatOnlyAPersonEdits(t *testing.T) {
	for _, c := range []struct{ text, path string }{
		{"a:\n  - 1\n  - 2\n", "a"},
		{"a: |\n  one\n  two\n", "a"},
		{"a: one\n  two\n", "a"},
		{"a: \"one\n  two\"\n", "a"},
		{"a:\n", "a"},
		{"a: 1\n", "a.b"},
		{"a: {}\n", "a.b"},
		{"a: [1,\n 2]\n", "a"},
		{"- 1\n", "a"},
		{"a: {b: 1,\n  c: 2}\nd: 1\n", "a.b.c"},
	} {
		got, err := Edit([]byte(c.text), map[string]any{c.path: "x"})
		if err == nil || !errors.Is(err, errByHand) && !strings.Contains(err.Error(), "YAML") {
			t.Errorf("%q: %q, %v", c.text, got, err)
		}
	}
	for _, v := range []any{json.Number("1.5"), 1, map[string]any{"b": "c"}, []any{nil}, []any{[]any{}}} {
		if got, err := Edit([]byte("a: 1\n"), map[string]any{"a": v}); err == nil {
			t.Errorf("%v: %q", v, got)
		}
	}
	if _, err := Edit([]byte("a: {b: 1}\n"), map[string]any{"a.b": nil}); !errors.Is(err, errByHand) {
		t.Error("an empty section was left:", err)
	}
}

// Whatever stands in a file and is put into it: either nothing is changed, or what was
// wanted, and nothing else.
func TestEditDoesAsWantedOrNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-c]`)
		value := rapid.OneOf(rapid.String().AsAny(), rapid.Bool().AsAny(), rapid.Just(any(nil)),
			rapid.Map(rapid.IntRange(0, 99), func(n int) any { return json.Number(strings.Repeat("1", n%5+1)) }))
		data := []byte(rapid.SampledFrom([]string{before, "a: 1\n", "a: {b: {c: x}}\n", "a:\n  b:\n    c: 1\n", "c: 'a' # b\na: \"}\"\n"}).Draw(t, "file"))
		for range rapid.IntRange(1, 4).Draw(t, "edits") {
			path := strings.Join(rapid.SliceOfN(word, 1, 3).Draw(t, "path"), ".")
			v := value.Draw(t, "value")
			got, err := Edit(data, map[string]any{path: v})
			if err != nil {
				continue
			}
			want, _ := plainTree(data)
			put(want, steps(t, path), plainValue(v))
			after, err := plainTree(got)
			if err != nil || !reflect.DeepEqual(want, after) {
				t.Fatalf("%s = %v\n%s", path, v, got)
			}
			for _, comment := range []string{"# the top\n", "   # who\n", "  # of the shop\n", "   # rising\n", "  # secret\n"} {
				if strings.Contains(string(data), comment) && !strings.Contains(string(got), comment) {
					t.Fatalf("a comment is gone from\n%s", got)
				}
			}
			data = got
		}
	})
}

// Nothing that anybody writes into a file makes an edit fall over, or lie.
func FuzzEdit(f *testing.F) {
	for _, text := range []string{before, "a:\r\n  b: 1\r\n", "a: {b: [1, {c: 'x'}]}\n", "? a\n: b\n", "a: &x 1\nb: *x\n", "\ufeffæ: 1", "a: !!str 1\n", "{a: 1, b: 2}", "a: \"\\\"\" # b\n", "a:\n- b: 1\n"} {
		f.Add([]byte(text), "a.b", "x")
		f.Add([]byte(text), "a", "")
		f.Add([]byte(text), "a[0].b", "x")
	}
	f.Fuzz(func(t *testing.T, data []byte, path, value string) {
		var v any = value
		if value == "" {
			v = nil
		}
		got, err := Edit(data, map[string]any{path: v})
		if err != nil {
			return
		}
		want, _ := plainTree(data)
		put(want, steps(t, path), plainValue(v))
		if after, err := plainTree(got); err != nil || !reflect.DeepEqual(want, after) {
			t.Errorf("%q with %s = %q is %q", data, path, value, got)
		}
	})
}
