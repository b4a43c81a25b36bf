package strict

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestFindSaysWhatThereIs(t *testing.T) {
	f := sample()
	for path, want := range map[string]string{
		"nmae": "nmae: an unknown key; want one of ", "shops.prices": "shops is a list: say which, as in shops[0].prices", "name.x": "name has no keys of its own: leave .x out",
		"name[0]": "name is no list of sections: leave [0] out", "shops[0].flor": "did you mean shops[0].floor?", "shops[0": "without its ]", "a b": `"a b": an unknown key`,
	} {
		if _, err := f.Find(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	for path, want := range map[string]Kind{"name": Text, "shops": List, "shops[7]": Section, "shops[0].prices": Numbers, "shops[0].safe": Section} {
		if k, err := f.Find(path); err != nil || k.Kind != want {
			t.Errorf("%s: %v, %v", path, k.Kind, err)
		}
	}
}

func TestTypedValues(t *testing.T) {
	for _, c := range []struct {
		kind  Kind
		typed string
		want  any
	}{
		{Text, "12", "12"}, {Number, "12", json.Number("12")}, {Number, "12 kr", nil}, {Flag, "true", true}, {Flag, "yes", nil}, {Span, "10m", "10m"},
		{Numbers, "[1, 2]", []any{json.Number("1"), json.Number("2")}}, {Numbers, "1,x", nil}, {Texts, `a, "b"`, []any{"a", "b"}}, {Section, "x", nil}, {List, "[]", nil},
		{SecretRef, "credential:x", "credential:x"}, {SecretRefs, "env:A,env:B", []any{"env:A", "env:B"}},
	} {
		k := Key{Name: "k", Kind: c.kind, Max: 100, Each: [2]int64{1, 9}}
		got, err := k.Value(c.typed)
		if !reflect.DeepEqual(got, c.want) || (err != nil) != (c.want == nil) {
			t.Errorf("%v %q: %v, %v; want %v", c.kind, c.typed, got, err, c.want)
		}
	}
}
