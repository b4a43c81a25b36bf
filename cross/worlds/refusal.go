package worlds

import (
	"strconv"
	"time"

	book "stolpe/payment/sim"
)

// refusal is the service saying no though nothing is wrong; nil when it does not.
// A key that it has said no under stays refused, unless it was for the moment.
func (w *world) refusal(p place, key string) *book.Problem {
	if old := w.stuck[key]; old != nil {
		return old
	}
	kind := refused
	if p == atRead {
		kind = readRefused
	}
	if !w.hit(kind) {
		return nil
	}
	no := &book.Problem{Status: 400, Code: refusals[p][w.how(uint64(len(refusals[p])))]}
	switch no.Code {
	case "423", "429":
		no.Status, _ = strconv.Atoi(no.Code)
		no.Code, no.After = "", 10*time.Second
		return no
	case "5090":
		no.Status = 404
	case "4010":
		no.Status = 409
	case "6280":
		return no
	}
	return w.sticks(key, no)
}

// sticks has a key be refused from now on.
func (w *world) sticks(key string, no *book.Problem) *book.Problem {
	if key != "" {
		if w.stuck == nil {
			w.stuck = map[string]*book.Problem{}
		}
		w.stuck[key] = no
	}
	return no
}
