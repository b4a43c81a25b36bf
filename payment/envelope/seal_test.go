package envelope

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const topic = "stolpe/v1/acme/A1/pay/ask"

func master(t testing.TB) Key {
	t.Helper()
	k, err := ParseKey(strings.Repeat("0123456789abcdef", 4))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealedMessageOpensOnItsTopic(t *testing.T) {
	k := master(t).Of("acme", "A1")
	for _, text := range []string{`{"verb":"look"}`, "", "two\nlines", "\n"} {
		got, err := k.Open(topic, k.Seal(topic, []byte(text)))
		if err != nil || string(got) != text {
			t.Errorf("%q opens as %q, %v", text, got, err)
		}
	}
}

func TestNothingElseOpens(t *testing.T) {
	k := master(t).Of("acme", "A1")
	sealed := k.Seal(topic, []byte(`{"amount":100}`))
	bit := func(i int) []byte {
		b := bytes.Clone(sealed)
		b[i] ^= 1
		return b
	}
	for _, c := range []struct {
		name    string
		key     Key
		topic   string
		payload []byte
	}{
		{"another post's key", master(t).Of("acme", "A2"), topic, sealed},
		{"another tenant's key", master(t).Of("acne", "A1"), topic, sealed},
		{"the master", master(t), topic, sealed},
		{"no key", Key{}, topic, sealed},
		{"another topic", k, "stolpe/v1/acme/A1/pay/answer", sealed},
		{"no topic", k, "", sealed},
		{"cut at the end", k, topic, sealed[:len(sealed)-1]},
		{"cut at the newline", k, topic, sealed[:bytes.IndexByte(sealed, '\n')]},
		{"seal cut off", k, topic, sealed[:bytes.IndexByte(sealed, '\n')+1]},
		{"text cut", k, topic, sealed[1:]},
		{"longer", k, topic, append(bytes.Clone(sealed), '=')},
		{"newline at the end", k, topic, append(bytes.Clone(sealed), '\n')},
		{"text changed", k, topic, bit(3)},
		{"seal changed", k, topic, bit(len(sealed) - 3)},
		{"last bits of the seal", k, topic, bit(len(sealed) - 1)},
		{"empty", k, topic, nil},
		{"newline", k, topic, []byte("\n")},
	} {
		if text, err := c.key.Open(c.topic, c.payload); !errors.Is(err, ErrSeal) || text != nil {
			t.Errorf("%s: opens as %q, %v", c.name, text, err)
		}
	}
}

// A change of this would shut out every post that has a key.
func TestKeyAndSealStayAsTheyAre(t *testing.T) {
	k := master(t).Of("acme", "A1")
	if got, want := fmt.Sprintf("%x", k[:]), goldenKey; got != want {
		t.Errorf("key of acme A1 is %s, was %s", got, want)
	}
	if got, want := string(k.Seal(topic, []byte("{}"))), "{}\n"+goldenSeal; got != want {
		t.Errorf("sealed: %s, was %s", got, want)
	}
}

func TestKeyIsReadWhole(t *testing.T) {
	good := strings.Repeat("aB", 32)
	if _, err := ParseKey(good); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", good[2:], good + "00", good[1:] + "g", strings.Repeat("0", 64), " " + good[1:]} {
		k, err := ParseKey(bad)
		if err == nil || k != (Key{}) {
			t.Errorf("%q was taken for a key", bad)
			continue
		}
		if len(bad) > 0 && strings.Contains(err.Error(), bad) {
			t.Errorf("the error tells the key: %v", err)
		}
	}
}

func TestKeyPrintsAsStars(t *testing.T) {
	k := master(t)
	holder := struct{ Key Key }{k}
	var out strings.Builder
	slog.New(slog.NewTextHandler(&out, nil)).Info("key", "key", k, "in", holder)
	text, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d"} {
		fmt.Fprintf(&out, " "+verb+" "+verb, k, holder)
	}
	for _, leak := range []string{"0123456789abcdef", "0123456789ABCDEF", "0x1, 0x23", "1 35 69"} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("the key shows as %q: %s", leak, out.String())
		}
	}
}

func FuzzOpen(f *testing.F) {
	k := master(f).Of("acme", "A1")
	f.Add(topic, k.Seal(topic, []byte("{}")))
	f.Add(topic, []byte("{}\n"))
	f.Add("", []byte{})
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		before := bytes.Clone(payload)
		text, err := k.Open(topic, payload)
		if !bytes.Equal(before, payload) {
			t.Fatal("Open changed the payload")
		}
		if err == nil && !bytes.Equal(k.Seal(topic, text), payload) {
			t.Fatalf("%q opens as %q, which is sealed otherwise", payload, text)
		}
		if err != nil && (text != nil || !errors.Is(err, ErrSeal)) {
			t.Fatalf("%q, %v", text, err)
		}
		again, err := k.Open(topic, k.Seal(topic, payload))
		if err != nil || !bytes.Equal(again, payload) {
			t.Fatalf("%q sealed opens as %q, %v", payload, again, err)
		}
	})
}

// As reckoned by another program.
const (
	goldenKey  = "2cb8dff4de67ab86f7336ef4fc2e109b7b2de03a8096f6c820885eb156720893"
	goldenSeal = "KcAYrocrE7ID1h1A5zVdb7fSRMHkxBQFnHwRm6udYxw"
)
