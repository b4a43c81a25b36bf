package command

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// Every reason for which a post does not do what it is told.
func TestRefusals(t *testing.T) {
	change := func(f func(*Command)) func() []byte {
		return func() []byte { return payload(sent(Operator, Restart, f)) }
	}
	text := func(c Command) string {
		b, _ := json.Marshal(c)
		return string(b)
	}
	signedText := func(change func(string) string) func() []byte {
		return func() []byte {
			return mark("operator", base+"cmd/restart", []byte(change(text(sent(Operator, Restart)))))
		}
	}
	for name, row := range map[string]struct {
		payload  func() []byte
		retained bool
		code     Code
		text     string
		mute     bool // nobody can be answered
	}{
		"retained":          {payload: change(func(*Command) {}), retained: true, code: Forbidden, text: "retained"},
		"retained, no JSON": {payload: func() []byte { return []byte("x") }, retained: true, code: Forbidden, text: "retained", mute: true},
		"empty":             {payload: func() []byte { return nil }, code: Invalid, text: "EOF", mute: true},
		"no JSON":           {payload: func() []byte { return []byte("stop\nx") }, code: Invalid, text: "invalid character", mute: true},
		"too large": {payload: func() []byte {
			return payload(sent(Operator, Restart, func(c *Command) { c.Args = json.RawMessage(`{"x":"` + strings.Repeat("x", Largest) + `"}`) }))
		}, code: Invalid, mute: true},
		"two values":        {payload: signedText(func(s string) string { return s + "{}" }), code: Invalid, text: "something behind"},
		"unknown member":    {payload: signedText(func(s string) string { return strings.Replace(s, "{", `{"then":1,`, 1) }), code: Invalid, text: "unknown field"},
		"later version":     {payload: change(func(c *Command) { c.V = 2 }), code: Invalid, text: "v is 2"},
		"no id":             {payload: change(func(c *Command) { c.ID = "" }), code: Invalid, text: "ULID", mute: true},
		"small letters":     {payload: change(func(c *Command) { c.ID = strings.ToLower(c.ID) }), code: Invalid, text: "ULID", mute: true},
		"EVSE":              {payload: change(func(c *Command) { c.EVSE = -1 }), code: Invalid, text: "evse is -1"},
		"arguments":         {payload: change(func(c *Command) { c.Args = json.RawMessage("[1]") }), code: Invalid, text: "args"},
		"no end":            {payload: change(func(c *Command) { c.Expires = time.Time{} }), code: Invalid, text: "exp"},
		"ends as it begins": {payload: change(func(c *Command) { c.Expires = c.Issued }), code: Invalid, text: "exp"},
		"another command":   {payload: change(func(c *Command) { c.Name = Stop }), code: Invalid, text: "name"},
		"no issuer":         {payload: change(func(c *Command) { c.Issuer = "" }), code: Invalid, text: "iss"},
		"unknown issuer":    {payload: change(func(c *Command) { c.Issuer = "mallory" }), code: Unsigned, text: "no key"},
		"unsigned":          {payload: func() []byte { return []byte(text(sent(Operator, Restart))) }, code: Unsigned, text: "signature"},
		"half a signature":  {payload: func() []byte { b := payload(sent(Operator, Restart)); return b[:len(b)-1] }, code: Unsigned, text: "signature"},
		"changed": {payload: func() []byte {
			return []byte(strings.Replace(string(payload(sent(Operator, Restart))), `"v":1`, `"v":1 `, 1))
		}, code: Unsigned, text: "signature"},
		"another's signature": {payload: func() []byte { return mark("admin", base+"cmd/restart", []byte(text(sent(Operator, Restart)))) }, code: Unsigned, text: "signature"},
		"for another post": {payload: func() []byte {
			return mark("operator", "stolpe/v1/acme/A13/cmd/restart", []byte(text(sent(Operator, Restart))))
		}, code: Unsigned, text: "signature"},
		"wrong role":           {payload: func() []byte { return payload(sent(Support, Restart)) }, code: Forbidden, text: "not for a key with role support"},
		"force":                {payload: change(func(c *Command) { c.Force = true }), code: Forbidden, text: "force is for role admin"},
		"over":                 {payload: change(func(c *Command) { c.Issued, c.Expires = c.Issued.Add(-time.Minute), c.Issued }), code: Expired, text: "it ended at"},
		"ends too late":        {payload: change(func(c *Command) { c.Expires = c.Issued.Add(Longest + time.Second) }), code: Expired, text: "more than 5m0s"},
		"over, with the clock": {payload: change(func(c *Command) { c.Issued, c.Expires = time.Unix(0, 0).UTC(), time.Unix(1, 0).UTC() }), code: Expired, text: "and the post has 2000-01-01T00:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, nil, func(p *post) {
				p.send(Restart, row.payload(), row.retained)
				done, records, replies := p.count()
				if done != 0 || records != 1 || replies > 1 || (replies == 0) != row.mute {
					t.Fatalf("did %d, %d records, replies %+v", done, records, p.said())
				}
				last := p.wrote()[0]
				if last.Kind != RefusedKind || last.Code != row.code || last.Name != Restart || replies == 0 && last.ID != "" {
					t.Errorf("record %+v", last)
				}
				if replies > 0 && (p.said()[0].OK || p.said()[0].Code != row.code || !strings.Contains(p.said()[0].Text, row.text) || p.said()[0].ID != last.ID) {
					t.Errorf("reply %+v: want %s, %q", p.said()[0], row.code, row.text)
				}
				if known := row.code == Expired || row.code == Forbidden && !row.retained; known != (last.Issuer != "") {
					t.Errorf("by %q: a stranger's word, or nobody's", last.Issuer)
				}
			})
		})
	}
}

func TestWhatIsNotAllowedIsRefusedWhoeverGivesIt(t *testing.T) {
	run(t, func(o *Options) { delete(o.Deeds, Selftest) }, func(p *post) {
		for _, n := range []Name{SettleRetry, Selftest} {
			p.give(sent(Admin, n))
			if reply, last := p.last(); reply.Code != Forbidden || last.Code != Forbidden || len(p.did()) > 0 {
				t.Errorf("%s: %+v", n, reply)
			}
		}
		p.send("no.such", payload(sent(Admin, "no.such")), false)
		if _, last := p.last(); last.Code != Invalid || last.Name != "" || len(p.said()) != 2 {
			t.Errorf("a command that does not exist: %+v, %d replies", last, len(p.said()))
		}
	})
}

func TestRolesMayWhatThoseBeforeThemMay(t *testing.T) {
	may := map[Role]string{
		Reader:   "config.get replay",
		Support:  "config.get replay identify stop message.set",
		Operator: "config.get replay identify stop message.set out_of_service in_service restart selftest settle.retry price.set",
		Admin:    "config.get replay identify stop message.set out_of_service in_service restart selftest settle.retry price.set config.set",
		"":       "", "boss": "",
	}
	for role, names := range may {
		for _, n := range append(Names(), "reboot", "") {
			want := false
			for _, name := range strings.Fields(names) {
				want = want || name == string(n)
			}
			if role.May(n) != want {
				t.Errorf("%s may %s: %t", role, n, !want)
			}
		}
		if role.Known() != (names != "") {
			t.Errorf("role %q: %t", role, role.Known())
		}
	}
}

// What a holder was once refused does not, sent again by others, hide what holders do.
func TestARefusalThatIsSentAgainIsAnEcho(t *testing.T) {
	run(t, nil, func(p *post) {
		overheard := payload(sent(Support, Restart))
		p.send(Restart, overheard, false)
		for range mostRefuse {
			p.send(Restart, overheard, false)
			if reply, last := p.last(); reply.Code != Replayed || last.Code != Replayed {
				t.Fatalf("%+v", reply)
			}
		}
		p.give(sent(Support, Restart))
		if reply, last := p.last(); reply.Code != Forbidden || last.Code != Forbidden {
			t.Errorf("another: %+v", reply)
		}
		pass(Longest)
		p.send(Restart, overheard, false) // is neither told nor written down any more
		p.give(sent(Support, Restart))
		if _, last := p.last(); last.Code != Forbidden || !strings.HasSuffix(last.Text, "; and 1 more before it") {
			t.Errorf("later: %+v", last)
		}
	})
}

// A key that gives commands all the time must not have the post forget others'.
func TestCommandsThatAreRefusedPushNoneOut(t *testing.T) {
	run(t, nil, func(p *post) {
		done := payload(sent(Admin, Restart))
		p.send(Restart, done, false)
		for range remembered + 1 {
			p.give(sent(Reader, Restart))
		}
		p.send(Restart, done, false)
		if reply, _ := p.last(); reply.Code != Replayed || len(p.did()) != 1 {
			t.Errorf("did %d, %+v", len(p.did()), reply)
		}
	})
}

// Somebody who may write to the broker must fill neither the ledger nor the line, and
// must not keep others from being heard.
func TestStrangersAreAnsweredAFewTimesOnly(t *testing.T) {
	run(t, nil, func(p *post) {
		overheard := payload(sent(Operator, Restart))
		p.send(Restart, overheard, false)
		before := len(p.wrote())
		for range 200 {
			p.send(Restart, []byte("{}"), false)
			p.send(Restart, overheard, false)
		}
		if _, records, replies := p.count(); records-before != 2*mostRefuse || replies != 1+mostRefuse {
			t.Errorf("%d records, %d replies", records-before, replies)
		}
		p.give(sent(Reader, Restart))
		if reply, last := p.last(); reply.Code != Forbidden || !strings.HasSuffix(last.Text, "; and 388 more before it") {
			t.Errorf("reply %+v, record %+v", reply, last)
		}
		p.give(sent(Operator, Restart))
		if reply, _ := p.last(); reply.Code != Done {
			t.Errorf("a command after them: %+v", reply)
		}
		pass(10 * time.Minute)
		p.send(Restart, []byte("{}"), false)
		if _, last := p.last(); last.Code != Invalid || last.Text != "not a command" {
			t.Errorf("later: %+v", last)
		}
	})
}
