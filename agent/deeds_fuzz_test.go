package main

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	commands "stolpe/agent/command"
	"stolpe/agent/session"
	"stolpe/hal"
)

// Whatever stands in a command that somebody has signed: it is done or refused, no
// contactor closes, and the configuration stays one that the post starts with.
func TestHostileArguments(t *testing.T) {
	x := newBureau(t)
	x.a.charge(t, session.Approving)
	word := rapid.OneOf(rapid.SampledFrom([]string{"do", "set", "plan", "apply", "confirm", "rollback", "within_s", "now", "session", "DEMO-1-000007", "text", "for_s", "nb", "from", "keys", "kwh", "idle", "cap",
		"price.kwh", "evses", "price", "limits.plug_in", "web.terms_url", "seller.email", "payment.through"}), rapid.StringN(0, 8, -1))
	var value *rapid.Generator[any]
	value = rapid.OneOf(
		word.AsAny(), rapid.Int64().AsAny(), rapid.Bool().AsAny(), rapid.Float64Range(-1e9, 1e9).AsAny(), rapid.Just(any(nil)),
		rapid.Deferred(func() *rapid.Generator[any] { return rapid.MapOfN(word, value, 0, 4).AsAny() }),
		rapid.Deferred(func() *rapid.Generator[any] { return rapid.SliceOfN(value, 0, 3).AsAny() }),
	)
	rapid.Check(t, func(t *rapid.T) {
		c := commands.Command{Name: rapid.SampledFrom(commands.Names()).Draw(t, "name"), EVSE: rapid.IntRange(0, 3).Draw(t, "evse"), Force: rapid.Bool().Draw(t, "force")}
		var err error
		if c.Args, err = json.Marshal(rapid.MapOfN(word, value, 0, 4).Draw(t, "args")); err != nil {
			t.Fatal(err)
		}
		before := x.a.rules.Want(&x.a.state, x.a.at).Contactor
		a, err := x.give(c)
		if x.a.rules.Want(&x.a.state, x.a.at).Contactor == hal.Closed && before == hal.Open {
			t.Fatalf("%s %s closes the contactor", c.Name, c.Args)
		}
		if _, bad := json.Marshal(a.Data); bad != nil || (err == nil) == (a.Text == "") && !strings.Contains(string(c.Args), "confirm") {
			t.Fatalf("%s %s: %+v, %v", c.Name, c.Args, a, err)
		}
		if _, err := x.do(commands.ConfigGet, 0, ``); err != nil {
			t.Fatalf("%s %s: %v", c.Name, c.Args, err)
		}
	})
}
