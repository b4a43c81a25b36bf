package command

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"stolpe/agent/telemetry"
)

func TestASignedCommandIsReadOnItsTopic(t *testing.T) {
	c := sent(Operator, Stop, func(c *Command) { c.EVSE = 1 })
	topic := base + string(Stop.Leaf())
	b, err := Sign(secret("operator"), topic, c)
	if err != nil {
		t.Fatal(err)
	}
	text, err := Verify(public("operator"), topic, b)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := read(text); err != nil || got.ID != c.ID || got.EVSE != 1 || !got.Expires.Equal(c.Expires) {
		t.Errorf("%+v, %v", got, err)
	}
	for name, try := range map[string]func() ([]byte, error){
		"another key":   func() ([]byte, error) { return Verify(public("admin"), topic, b) },
		"no key":        func() ([]byte, error) { return Verify(nil, topic, b) },
		"another topic": func() ([]byte, error) { return Verify(public("operator"), topic+"x", b) },
		"changed":       func() ([]byte, error) { return Verify(public("operator"), topic, append([]byte(" "), b...)) },
		"longer":        func() ([]byte, error) { return Verify(public("operator"), topic, append(bytes.Clone(b), 'A')) },
		"a line's end":  func() ([]byte, error) { return Verify(public("operator"), topic, append(bytes.Clone(b), '\n')) },
		"other last bits": func() ([]byte, error) {
			x := bytes.Clone(b)
			x[len(x)-1]++
			return Verify(public("operator"), topic, x)
		},
		"no signature": func() ([]byte, error) { return Verify(public("operator"), topic, text) },
	} {
		if got, err := try(); !errors.Is(err, ErrSignature) || got != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestWhatNoPostWouldTakeIsNotSigned(t *testing.T) {
	for name, c := range map[string]Command{
		"no end":    sent(Operator, Stop, func(c *Command) { c.Expires = time.Time{} }),
		"too large": sent(Operator, Stop, func(c *Command) { c.Args = []byte(`{"x":"` + strings.Repeat("x", Largest) + `"}`) }),
		"no JSON":   sent(Operator, Stop, func(c *Command) { c.Args = []byte(`{`) }),
		"no object": sent(Operator, Stop, func(c *Command) { c.Args = []byte(`1`) }),
	} {
		if b, err := Sign(secret("operator"), base+"cmd/stop", c); err == nil {
			t.Errorf("%s: %d bytes", name, len(b))
		}
	}
}

func TestPublicKeysAreReadAsTheyAreWritten(t *testing.T) {
	text := Public(public("a"))
	if k, err := ParsePublic(text); err != nil || !k.Equal(public("a")) {
		t.Errorf("%s: %v", text, err)
	}
	for _, bad := range []string{"", text[1:], text + "=", text + "\n", text[:42] + "_", "\n" + text} {
		if _, err := ParsePublic(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestIDs(t *testing.T) {
	at := time.UnixMilli(1469918176385) // the example of github.com/ulid/spec
	a, b := NewID(at), NewID(at)
	if !strings.HasPrefix(a, "01ARYZ6S41") || a == b || !telemetry.IsULID(a) {
		t.Errorf("%s, %s", a, b)
	}
	if later := NewID(at.Add(time.Millisecond)); later < a || later < b {
		t.Errorf("%s is before %s", later, a)
	}
	for _, bad := range []string{"", a[1:], a + "0", "8" + a[1:], a[:25] + "U", strings.ToLower(a), a[:24] + "æ"} {
		if telemetry.IsULID(bad) {
			t.Errorf("%q is taken", bad)
		}
	}
}

// Nothing is done that a key has not signed for this post, whatever comes; and nothing
// that is answered breaks the answer.
func FuzzDesk(f *testing.F) {
	good := payload(sent(Operator, Restart))
	f.Add("restart", good, false)
	f.Add("restart", good, true)
	f.Add("stop", good, false)
	f.Add("stop", payload(sent(Support, Stop)), false)
	f.Add("restart", []byte(`{"v":1,"id":"01JD3MB8Y5W2M9T0K6X4C1R7ZP","name":"restart","iss":"operator"}`+"\nAA"), false)
	f.Add("", []byte{}, false)
	f.Add("a/b", []byte("\n"), false)
	f.Fuzz(func(t *testing.T, name string, b []byte, retained bool) {
		before := bytes.Clone(b)
		p := newPost(t, nil)
		p.desk.Take(base+"cmd/"+name, b, retained)
		for _, lane := range []chan message{p.desk.urgent, p.desk.rest} {
			select {
			case m := <-lane:
				p.desk.work(context.Background(), m)
			default:
			}
		}
		for _, c := range p.did() {
			if _, err := Verify(public(c.Issuer), base+"cmd/"+name, b); err != nil || retained || !Role(c.Issuer).May(c.Name) || string(c.Name) != name {
				t.Errorf("did %+v: %v", c, err)
			}
		}
		if !bytes.Equal(before, b) {
			t.Error("the payload was changed")
		}
		close(p.desk.notes)
		for r := range p.desk.notes {
			if len(r.Text) > maxText || r.Name != "" && !r.Name.Known() || r.ID != "" && !telemetry.IsULID(r.ID) {
				t.Errorf("record %+v", r)
			}
		}
	})
}
