package worlds

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"stolpe/payment"
)

// place is a kind of moment at which something can go wrong. The how-manieth
// moment of its kind it is tells it apart from all others of a world.
type place uint8

// The places.
const (
	atStart    place = iota // of the world
	atAsk                   // an order leaves the post
	atRead                  // a payment is read back
	atCreate                // the call is made
	atCapture               // the call is made
	atRelease               // the call is made
	atWithdraw              // the call is made
	atReadApp               // what the payer's app has is read back
	atReceipt               // a receipt is sent to the app
	atLink                  // a link is sent to the app
	atHint                  // the service sends a hint
	atAnswer                // an answer comes home
	atApprove               // the payer approves
	atPass                  // the post looks around
	atMeter                 // the meter is read
	atSave                  // a record is to be written
	atDeed                  // the card has what the deeds rest on
	atDone                  // the deeds are done
	atClose                 // the contactor is ordered closed
	atOpen                  // the contactor is ordered open
	atDown                  // the post has lost power, or its program
	places
)

var placeNames = [places]string{
	"start", "ask", "read", "create", "capture", "release", "withdraw", "read-app", "receipt", "link", "hint", "answer", "approve",
	"pass", "meter", "save", "deed", "done", "close", "open", "down",
}

// String gives the place's name.
func (p place) String() string { return placeNames[p] }

// mishap is a fault of a certain kind at a certain moment.
type mishap struct {
	place place
	nth   uint16 // the how-manieth moment of its kind, from 1
	site  site
	how   uint8 // the severity, or the code of a refusal; see severities
}

// String writes a mishap as a set names it, as in "capture#1:answer-lost".
func (m mishap) String() string {
	s := fmt.Sprintf("%v#%d:", m.place, m.nth)
	switch n := severities(m.place, m.site); {
	case refusal(m.site):
		return s + refusals[m.place][m.how]
	case n > 1:
		return s + fmt.Sprintf("%v~%d", m.site, m.how+1)
	}
	return s + m.site.String()
}

// severities is how many kinds of one fault are told apart: codes of a refusal,
// or lengths from the shortest to the longest.
func severities(p place, s site) int {
	switch s {
	case refused, readRefused, appRefused:
		return len(refusals[p])
	case portalAct:
		return 4 // kinds of acts
	case cutInSave:
		return 4 // what became of the sectors that were being written
	case cutBeforeSave, cutBeforeDeed, cutAfterDeed, cutAnytime, lateRequest, networkDown:
		return 3
	case slowAnswer, meterSilent, slowSave, senseStuck, wontClose, slowOpen, hintLate, hintForged, deadlineShort:
		return 2
	}
	return 1
}

// refusals are the codes that a call is refused with though nothing is wrong:
// one for each thing that the client and the session make of a refusal.
var refusals = [places][]string{
	atRead:     {"5090", "429"},
	atCreate:   {"4150", "4040", "5070", "423"},
	atCapture:  {"4010", "6010", "6090", "6100", "6140", "6260", "6280"},
	atRelease:  {"6030", "6040", "6250", "6999"},
	atWithdraw: {"6030", "6060", "6250", "6999"},
	atReceipt:  {"400", "404", "409", "429"},
	atLink:     {"400", "404"},
}

// refusal says whether a site is a service saying no though nothing is wrong.
func refusal(s site) bool { return s == refused || s == readRefused || s == appRefused }

// parseSet reads what String wrote, with commas between. An error names the word
// it stumbled over.
func parseSet(text string) ([]mishap, error) {
	var set []mishap
	for _, word := range strings.Split(text, ",") {
		m, err := parseMishap(strings.TrimSpace(word))
		if err != nil {
			return nil, err
		}
		set = append(set, m)
	}
	return set, nil
}

func parseMishap(word string) (mishap, error) {
	where, what, _ := strings.Cut(word, ":")
	name, nth, _ := strings.Cut(where, "#")
	p := slices.Index(placeNames[:], name)
	n, err := strconv.ParseUint(nth, 10, 16)
	if p < 0 || err != nil {
		return mishap{}, fmt.Errorf("fault %q: want a place, #, a number, a colon and a kind, as in capture#1:answer-lost", word)
	}
	m := mishap{place: place(p), nth: uint16(n)}
	if i := slices.Index(refusals[p], what); i >= 0 {
		switch m.site, m.how = refused, uint8(i); m.place {
		case atRead:
			m.site = readRefused
		case atReceipt, atLink:
			m.site = appRefused
		}
		return m, nil
	}
	kind, how, severe := strings.Cut(what, "~")
	s := slices.Index(siteNames[:], kind)
	if s < 0 {
		return mishap{}, fmt.Errorf("fault %q: there is no kind %q", word, kind)
	}
	m.site = site(s)
	if severe {
		v, err := strconv.Atoi(how)
		if err != nil || v < 1 || v > severities(m.place, m.site) {
			return mishap{}, fmt.Errorf("fault %q: want ~1 to ~%d", word, severities(m.place, m.site))
		}
		m.how = uint8(v - 1)
	}
	return m, nil
}

func setString(set []mishap) string {
	words := make([]string, len(set))
	for i, m := range set {
		words[i] = m.String()
	}
	return strings.Join(words, ",")
}

// search is how the faults of a world are chosen in an exhaustive run: these,
// and no others.
type search struct {
	want  []mishap
	done  uint8 // which of want have happened, as bits
	left  int   // how many have not
	place place
	nth   uint16 // which time of that place
	how   uint8  // of the one that has just been hit
	count [places]uint16
	list  bool     // note what could go wrong further
	seen  []mishap // that, since the last of want has happened, without severities
}

// begin makes the search ready for a world with these faults.
func (x *search) begin(want []mishap, list bool) {
	*x = search{want: want, left: len(want), list: list, seen: x.seen[:0]}
}

// at says that the world has come to a place where things can go wrong.
func (w *world) at(p place) {
	if x := w.search; x != nil {
		x.count[p]++
		x.place, x.nth = p, x.count[p]
	}
}

func (x *search) hit(s site) bool {
	n := severities(x.place, s)
	if n == 0 {
		return false
	}
	if x.left == 0 {
		if x.list {
			x.seen = append(x.seen, mishap{place: x.place, nth: x.nth, site: s})
		}
		return false
	}
	for i, m := range x.want {
		if m.place == x.place && m.nth == x.nth && m.site == s && x.done&(1<<i) == 0 {
			x.done |= 1 << i
			x.left--
			x.how = m.how
			return true
		}
	}
	return false
}

// draw gives a detail of the fault that has just been hit, below n: the least of
// them with the first severity, the greatest with the last.
func (x *search) draw(s site, n uint64) uint64 {
	last := uint64(severities(x.place, s)) - 1
	switch {
	case refusal(s):
		return uint64(x.how)
	case last == 0:
		return mix(uint64(x.place)<<32|uint64(x.nth), uint64(s), n) % n
	}
	return (n - 1) * uint64(x.how) / last
}

// atCall says that the call of an asking is being made.
func (w *world) atCall(a *asking) {
	switch a.letter {
	case aReceipt:
		a.place = atReceipt
	case aLink:
		a.place = atLink
	default:
		a.place = [...]place{payment.Create: atCreate, payment.Capture: atCapture, payment.Withdraw: atWithdraw, payment.CancelAll: atRelease}[a.call.Kind]
	}
	if w.at(a.place); w.search != nil {
		a.nth = w.search.nth
	}
}

// backTo says that a call goes on that has been made before.
func (w *world) backTo(a *asking) {
	if w.search != nil {
		w.search.place, w.search.nth = a.place, a.nth
	}
}
