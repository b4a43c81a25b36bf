package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/config"
	"stolpe/agent/control"
	"stolpe/agent/ledger"
	"stolpe/hal"
)

// laterFile is where a price stands that is to hold later, in the state folder: not in
// the configuration, which says how things are.
const laterFile = "price-later.json"

// laterPrice is a price that is to hold from a time on.
type laterPrice struct {
	At   int64           `json:"at"` // s since 1970
	By   string          `json:"by"`
	Args json.RawMessage `json:"args"` // of price/set
}

// later keeps a price until its time has come. There is at most one.
type later struct {
	file string
	set  func(context.Context, commands.Command) (commands.Answer, error)
	now  func() hal.Instant
	note func(ledger.Entry) error // nil without a ledger
	log  *slog.Logger

	changed chan struct{} // there is another one, or none any more

	turn sync.Mutex // held by whoever sets the price that waits, or has none or another wait: before mu
	mu   sync.Mutex // guards what follows
	next *laterPrice
}

// openLater reads what was to hold later when the program ended.
func openLater(d *deeds, w world) *later {
	l := &later{file: filepath.Join(d.dir, laterFile), set: d.setPrice, now: d.now, log: d.log, changed: make(chan struct{}, 1)}
	if w.book != nil {
		l.note = w.book.Append
	}
	text, err := os.ReadFile(l.file)
	if err == nil {
		var p laterPrice
		if err = json.Unmarshal(text, &p); err == nil {
			l.next = &p
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.log.Error("the price that was to hold later cannot be read; set it again", "err", err)
	}
	return l
}

// waits is the price that waits; nil for none.
func (l *later) waits() *laterPrice {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next
}

// keep has a price wait instead of the one before; nil for none.
func (l *later) keep(p *laterPrice) error {
	l.turn.Lock()
	defer l.turn.Unlock()
	return l.put(p)
}

// forget has no price wait any more. It says no if none did: it may just have been set.
func (l *later) forget() (bool, error) {
	l.turn.Lock()
	defer l.turn.Unlock()
	if l.waits() == nil {
		return false, nil
	}
	return true, l.put(nil)
}

// put is keep, for whoever has the turn; nil for none.
func (l *later) put(p *laterPrice) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.write(p); err != nil {
		return fmt.Errorf("the price that is to hold later: %w", err)
	}
	l.next = p
	select {
	case l.changed <- struct{}{}:
	default:
	}
	return nil
}

func (l *later) write(p *laterPrice) error {
	if p == nil {
		err := os.Remove(l.file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return syncFolder(filepath.Dir(l.file))
	}
	text, err := json.Marshal(p)
	if err == nil {
		err = replace(l.file, text, 0o600)
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(l.file))
}

// lookAt is how often it is looked whether the time has come. Chosen by us: the clock may
// be set meanwhile.
const lookAt = time.Minute

// run sets the price when its time has come, until ctx ends.
func (l *later) run(ctx context.Context) {
	wrong := "" // what went wrong the last time
	for {
		wait := lookAt
		if p, now := l.waits(), l.now().Wall; p != nil && now.Clock != hal.ClockUnknown {
			left := time.Duration(p.At-now.Unix) * time.Second
			if left <= 0 {
				wrong = l.take(ctx, p, wrong)
			} else {
				wait = min(wait, left)
			}
		}
		select {
		case <-time.After(wait):
		case <-l.changed:
		case <-ctx.Done():
			return
		}
	}
}

// take sets a price whose time has come. What goes wrong is told once.
func (l *later) take(ctx context.Context, p *laterPrice, before string) (wrong string) {
	l.turn.Lock()
	defer l.turn.Unlock()
	if l.waits() != p {
		return "" // somebody has thought better of it
	}
	c := ledger.Command{ID: commands.NewID(time.Now()), Name: "price/set", Issuer: p.By, Text: "as was said before"}
	if before == "" { // not at each attempt
		l.tell(ledger.CommandAccepted, c)
	}
	a, err := l.set(ctx, commands.Command{Name: commands.PriceSet, Args: p.Args, Issuer: p.By})
	if err != nil {
		if err.Error() != before {
			l.log.Error("the price that is to hold from now on cannot be set; tried again each minute", "by", p.By, "err", err)
			c.Code, c.Text = string(commands.Failed), "as was said before, and tried again: "+err.Error()
			l.tell(ledger.CommandDone, c)
		}
		return err.Error()
	}
	c.Code, c.Text = string(commands.Done), "as was said before; "+a.Text
	l.tell(ledger.CommandDone, c)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.write(nil); err != nil {
		l.log.Error("the price that was to hold from now on cannot be forgotten; it is set again at the next start", "err", err)
	}
	l.next = nil
	return ""
}

// tell writes down what becomes of a price that has waited.
func (l *later) tell(k ledger.Kind, c ledger.Command) {
	if l.note == nil {
		return
	}
	at := l.now().Wall
	if err := l.note(ledger.Entry{At: at.Unix, Clock: at.Clock.String(), Kind: k, Command: &c}); err != nil {
		l.log.Warn("ledger: another price is not written down", "err", err)
	}
}

// longestLater is how far ahead a price may be set. Chosen by us: whoever plans a year.
const longestLater = 366 * 24 * time.Hour

// setPriceAt sets a price, now or from a time on.
func (l *local) setPriceAt(ctx context.Context, who control.Caller, text json.RawMessage) (any, error) {
	all := map[string]json.RawMessage{}
	if err := control.Read(text, &all); err != nil {
		return nil, err
	}
	if _, at := all["at"]; !at {
		return likeFromAfar(l.setPrice)(ctx, who, text)
	}
	var at time.Time
	if err := control.Read(all["at"], &at); err != nil {
		return nil, err
	}
	delete(all, "at")
	args, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	p := &laterPrice{At: at.Unix(), By: who.String(), Args: args}
	if _, err := l.priceLater(p); err != nil {
		return nil, localRefusal(err)
	}
	switch now := l.now().Wall; {
	case now.Clock == hal.ClockUnknown:
		return nil, control.Refuse(control.Failed, "the post's clock has not been set, so it cannot tell when that is")
	case !at.After(now.Time()) || at.After(now.Time().Add(longestLater)):
		return nil, control.Refuse(control.Invalid, "at %s: want a time from now on, and within a year", at.Format(time.RFC3339))
	}
	if err := l.later.keep(p); err != nil {
		return nil, err
	}
	said := fmt.Sprintf("for charges from %s on", at.In(l.cfg.Post.Zone).Format("2006-01-02 15:04"))
	return control.Reply{Data: sentence{Text: said}, Text: said}, nil
}

// priceLater is what charges will cost, and says what is wrong with that.
func (l *local) priceLater(p *laterPrice) (priceSince, error) {
	set, err := priceOf(commands.Command{Args: p.Args})
	if err != nil {
		return priceSince{}, err
	}
	e, err := config.Plan(l.file, set)
	if err != nil {
		return priceSince{}, commands.Refuse(commands.Invalid, err.Error())
	}
	return priceSince{Since: utc(time.Unix(p.At, 0)), By: p.By, Price: priceToJSON(e.Config.Price)}, nil
}

// cancelPrice forgets the price that is to hold later.
func (l *local) cancelPrice(_ context.Context, _ control.Caller, args json.RawMessage) (any, error) {
	if err := control.Read(args, &struct{}{}); err != nil {
		return nil, err
	}
	waited, err := l.later.forget()
	switch {
	case err != nil:
		return nil, err
	case !waited:
		return nil, control.Refuse(control.NotFound, "no price waits for its time")
	}
	const said = "the price stays as it is"
	return control.Reply{Data: sentence{Text: said}, Text: said}, nil
}
