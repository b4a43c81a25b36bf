package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/config"
	"stolpe/agent/config/trial"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// unit is as much of an EVSE as a command can reach. There is no way through it to a
// contactor: it takes events, and none that a deed has closes one.
type unit interface {
	Tell(context.Context, session.Event) error
	Reprice(context.Context, payment.Price) error
	Snapshot() (session.State, hal.Instant, <-chan struct{})
	Rules() *session.Rules
}

// deeds do what commands say. The desk gives them one command at a time, but for those
// that wait for nothing: these touch nothing but the board and the EVSEs.
type deeds struct {
	units   []unit // by number
	board   *board
	file    string // the configuration
	dir     string // the state folder
	lang    display.Lang
	again   func(from, to uint64) bool // has events sent again, unless some still are; nil where none are sent
	newest  func() uint64              // number of the newest of them; nil as again is
	ledger  func() string              // what is wrong with the ledger; nil for no ledger
	seals   func(config.Config)        // has another seal remembered, or written down
	noted   func(sum string)           // has it written down that the configuration in the file is another
	restart func()                     // ends the program, to start anew
	program executable
	lacks   []string // secrets that the post has started without
	now     func() hal.Instant
	log     *slog.Logger

	plan   config.Edit                   // made last, and not applied
	trying sync.Mutex                    // held by whoever begins or ends a trial, or has the post go by the file
	runs   atomic.Pointer[config.Config] // what the post goes by; whoever changes it holds trying
	goes   func(config.Config)           // called when that is another; nil where nobody asks
	wait   chan reloading                // takes what somebody waits for, until nobody charges
}

// openDeeds makes the deeds of a post whose configuration comes from there. They run
// beside the loops from then on.
func (p *parts) openDeeds(cfg config.Config, from origin, w world, restart func()) *deeds {
	d := &deeds{
		board: p.board, file: from.file, goes: from.goes, dir: cfg.StateDir, lang: display.LangOf(cfg.Price.Currency),
		restart: restart, program: from.program, lacks: namesOf(from.missing), now: w.now, log: w.log, noted: func(string) {}, seals: func(config.Config) {}, wait: make(chan reloading, 1),
	}
	d.runs.Store(&cfg)
	if w.book != nil {
		d.noted = func(sum string) { noteConfig(w, sum) }
		d.seals = func(now config.Config) { noteSeal(now, w, w.log) }
		d.again, d.newest, d.ledger = w.book.Outbox().Replay, w.book.Newest, w.book.Health
	}
	for _, v := range p.units {
		d.units = append(d.units, v)
	}
	slices.SortFunc(d.units, func(a, b unit) int { return cmp.Compare(a.Rules().EVSE, b.Rules().EVSE) })
	if w.book != nil { // all have one price
		d.units[0] = tells{d.units[0], func(p payment.Price) { notePrice(w, p) }}
	}
	p.jobs = append(p.jobs, d.watchTrial)
	return d
}

// running is the sum of the configuration that the post goes by.
func (d *deeds) running() string { return d.runs.Load().Sum }

// noteConfig writes down that the configuration in the file is another.
func noteConfig(w world, sum string) {
	at := w.now().Wall
	e := ledger.Entry{At: at.Unix, Clock: at.Clock.String(), Kind: ledger.PostConfig, Post: &ledger.Post{Config: sum}}
	if err := w.book.Append(e); err != nil {
		w.log.Warn("ledger: another configuration is not written down", "cfg", sum, "err", err)
	}
}

// table is what can be commanded.
func (d *deeds) table() map[commands.Name]commands.Deed {
	return map[commands.Name]commands.Deed{
		commands.Identify:     {Do: d.identify, Urgent: true},
		commands.Stop:         {Do: d.stop, Urgent: true},
		commands.OutOfService: {Do: d.outOfService},
		commands.InService:    {Do: d.inService},
		commands.Restart:      {Do: d.startAnew},
		commands.Selftest:     {Do: d.selftest},
		commands.PriceSet:     {Do: d.setPrice},
		commands.MessageSet:   {Do: d.setMessage},
		commands.ConfigGet:    {Do: d.getConfig},
		commands.ConfigSet:    {Do: d.setConfig},
		commands.SettleRetry:  {Do: d.retry},
		commands.Replay:       {Do: d.replay},
	}
}

// at gives the EVSE of that number, or all with 0.
func (d *deeds) at(evse int) ([]unit, error) {
	if evse == 0 {
		return d.units, nil
	}
	for _, v := range d.units {
		if v.Rules().EVSE == evse {
			return []unit{v}, nil
		}
	}
	return nil, commands.Refuse(commands.Invalid, fmt.Sprintf("the post has no EVSE %d", evse))
}

// whole refuses a command that is for the whole post and names an EVSE.
func whole(c commands.Command) error {
	if c.EVSE != 0 {
		return commands.Refuse(commands.Invalid, string(c.Name)+" is for the whole post: leave evse out")
	}
	return nil
}

// Chosen by us: a loop answers in microseconds, and a disk in milliseconds unless it is
// ill; whoever commands is told what is known by then.
const settleDown = 3 * time.Second

// tell tells an EVSE of an event and waits until it shows. It says no if it does not show
// in time, which does not mean that it is not so.
func tell(ctx context.Context, v unit, e session.Event, shows func(*session.State) bool) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, settleDown)
	defer cancel()
	if err := v.Tell(ctx, e); err != nil {
		return false, fmt.Errorf("EVSE %d does not answer: %w", v.Rules().EVSE, err)
	}
	for {
		s, _, changed := v.Snapshot()
		if shows(&s) {
			return true, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false, nil
		}
	}
}

// busy lists the EVSEs at which somebody is charging, or about to: of those with these
// numbers, or of all without any.
func (d *deeds) busy(evses ...int) []string {
	var all []string
	for _, v := range d.units {
		id := v.Rules().EVSE
		if s, _, _ := v.Snapshot(); s.Phase != session.Idle && (len(evses) == 0 || slices.Contains(evses, id)) {
			all = append(all, fmt.Sprintf("EVSE %d is %v", id, s.Phase))
		}
	}
	return all
}

// mayRestart refuses a command that starts the program anew while somebody charges, or
// so often that the post would take no drivers for a while, unless it is forced.
func (d *deeds) mayRestart(c commands.Command) error {
	if c.Force {
		return nil
	}
	if all := d.busy(); len(all) > 0 {
		return commands.Refuse(commands.Unsafe, "not while somebody charges: "+strings.Join(all, ", ")+"; force ends that")
	}
	if !d.mayStart() {
		return commands.Refuse(commands.Busy, "one more start would be too many, and the post would take no drivers for a while: wait ten minutes")
	}
	return nil
}

// mayStart says whether one more start now keeps drivers away from no EVSE.
func (d *deeds) mayStart() bool {
	return !slices.ContainsFunc(d.units, func(v unit) bool {
		s, _, _ := v.Snapshot()
		return !s.MayStart()
	})
}

// loads refuses a start anew with a file with which the program would not come back, or
// without some of its EVSEs that have charges to settle.
func (d *deeds) loads() error {
	now, err := loadLacking(d.file, d.lacks)
	if err != nil {
		return commands.Refuse(commands.Unsafe, "no start with a configuration that does not load: "+err.Error())
	}
	return d.leaves(now)
}

// errRestart ends a daemon that is to start anew.
var errRestart = errors.New("told to start anew")

// startAnew starts the program anew, once the answer is on its way.
func (d *deeds) startAnew(ctx context.Context, c commands.Command) (commands.Answer, error) {
	if err := errors.Join(whole(c), c.Read(&struct{}{})); err != nil {
		return commands.Answer{}, err
	}
	if t, _ := trial.Of(d.file); t.On() && !c.Force {
		return commands.Answer{}, onTrial(t)
	}
	to, err := d.successor(ctx)
	if err == nil {
		err = d.mayRestart(c)
	}
	if err != nil {
		return commands.Answer{}, err
	}
	return commands.Answer{Text: renewed(to), Then: d.restart}, nil
}
