package remote

import (
	"encoding/json"
	"testing"

	"stolpe/display"
)

// A gateway of before passes reads an answer by its words, and of a view what it knows:
// its drivers are told that the post takes no charges, and are not left to wonder
// whether it heard them.
func TestAGatewayWithoutPassesIsToldThatThePostIsOut(t *testing.T) {
	var old struct {
		No   string `json:"no"`
		Left int    `json:"left"`
	}
	w := answer{V: version, ID: "x1", Pass: true}
	w.No, w.Left = refusalOf(display.ErrPass)
	if err := json.Unmarshal(write(w), &old); err != nil || refusals()[old.No] != display.ErrOut {
		t.Errorf("it reads %+v, %v: want what means %v", old, err, display.ErrOut)
	}
	if err := w.err(); err != display.ErrPass {
		t.Errorf("one that knows passes reads %v", err)
	}
}

// A request of a gateway without passes has none, and what is none is none.
func TestWhatIsNoPassIsNone(t *testing.T) {
	price := fromPrice(tariff())
	for said, want := range map[string]display.Pass{"": "", "7F3K9Q": "7F3K9Q", "7f3k9q": "7F3K9Q", "7F3K9U": "", "a longer thing than any pass": ""} {
		r, err := ask{Seen: &price, Pass: said}.request(holder)
		if err != nil || r.Pass != want {
			t.Errorf("%q is read as %q, %v: want %q", said, r.Pass, err, want)
		}
	}
}
