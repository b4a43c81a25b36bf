package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/config"
	"stolpe/agent/config/trial"
	"stolpe/systemd"
)

// pending is how the file differs from what the post goes by.
type pending struct {
	File    string          `json:"file"`
	Sum     string          `json:"cfg"`     // of the file; empty where it is not valid
	Running string          `json:"running"` // of what the post goes by
	Wrong   string          `json:"wrong,omitempty"`
	Changes []config.Change `json:"changes"`
	Restart bool            `json:"restart"` // some of them take effect with a restart only
	Busy    []string        `json:"busy"`    // why there is none now

	now config.Config
}

// later are the keys that take a restart.
func (p pending) later() (keys []string) {
	for _, c := range p.Changes {
		if !c.AtOnce {
			keys = append(keys, c.Key)
		}
	}
	return keys
}

// compare compares the file with what the post goes by. The lock is held.
func (d *deeds) compare() pending {
	p := pending{File: d.file, Running: d.running(), Changes: []config.Change{}, Busy: []string{}}
	var err error
	if p.now, err = loadLacking(d.file, d.lacks); err != nil {
		p.Wrong = err.Error()
		return p
	}
	p.Sum = p.now.Sum
	p.Changes = append(p.Changes, config.Compare(*d.runs.Load(), p.now)...)
	p.Restart = len(p.later()) > 0
	p.Busy = append(p.Busy, d.busy()...)
	return p
}

// notValid begins what is said of a file that the post cannot go by.
const notValid = "the file is not valid"

// reloading is how a file is taken into use.
type reloading struct {
	Restart bool `json:"restart"` // also if no key asks for it: a file that one names is another
	Wait    bool `json:"wait"`    // for a restart, until nobody charges
}

// reload has the post go by the file as it is now: all of it, or nothing. Prices hold for
// the charges to come; all else takes a start of the post anew, and not while somebody
// charges. The answer's Then is that start.
func (d *deeds) reload(ctx context.Context, how reloading, by string) (commands.Answer, error) {
	d.trying.Lock()
	defer d.trying.Unlock()
	if t, _ := trial.Of(d.file); t.On() {
		return commands.Answer{}, onTrial(t)
	}
	p := d.compare()
	if p.Wrong != "" {
		return commands.Answer{}, commands.Refuse(commands.Invalid, notValid+", so the post goes on as before:\n"+p.Wrong)
	}
	later := strings.Join(p.later(), ", ")
	switch {
	case later == "" && !how.Restart:
		return d.atOnce(ctx, p, by)
	}
	if err := d.leaves(p.now); err != nil {
		return commands.Answer{}, err
	}
	switch {
	case len(p.Busy) > 0 && how.Wait:
		select {
		case was := <-d.wait: // nobody has heard of it yet
			how.Restart = how.Restart || was.Restart
		default:
		}
		d.wait <- how // there is room, as only we send, and the lock is held
		return commands.Answer{Text: "the post starts anew with it as soon as nobody charges: " + strings.Join(p.Busy, ", "), Data: p}, nil
	case len(p.Busy) > 0:
		return commands.Answer{}, commands.Refuse(commands.Unsafe, fmt.Sprintf("%s, and a restart would end that; nothing has been changed, as these keys take one: %s", strings.Join(p.Busy, ", "), cmp.Or(later, "none, but it was asked for")))
	}
	if err := d.mayRestart(commands.Command{}); err != nil {
		return commands.Answer{}, err
	}
	d.log.Warn("another configuration: the post starts anew with it", "cfg", p.Sum, "keys", later, "by", by)
	return commands.Answer{Text: "starts anew with it", Data: p, Then: d.restart}, nil
}

// leaves refuses a configuration with which charges would never be settled: those of an EVSE
// that it has no more, or that has another name there, as a journal is its EVSE's; and all of
// them where the journals are looked for elsewhere.
func (d *deeds) leaves(now config.Config) error {
	var all []string
	why := "the configuration does not have their EVSE any more"
	same := now.StateDir == d.runs.Load().StateDir
	if !same {
		why = "their journals are not in the state_dir that the configuration names"
	}
	for _, v := range d.units {
		r := v.Rules()
		s, _, _ := v.Snapshot()
		stays := same && now.Post.ID == r.Post && slices.ContainsFunc(now.EVSEs, func(e config.EVSE) bool { return e.ID == r.EVSE })
		if n := len(r.Open(&s)); n > 0 && !stays {
			all = append(all, fmt.Sprintf("%d of EVSE %d of post %s", n, r.EVSE, r.Post))
		}
	}
	if len(all) == 0 {
		return nil
	}
	return commands.Refuse(commands.Unsafe, "charges that are not settled yet would never be, as "+why+": "+
		strings.Join(all, ", ")+"; put it back until they are (stolpe owed, stolpe sessions settle)")
}

// atOnce takes over what needs no restart.
func (d *deeds) atOnce(ctx context.Context, p pending, by string) (commands.Answer, error) {
	if len(p.Changes) == 0 {
		return commands.Answer{Text: "the post goes by it already", Data: p}, nil
	}
	if err := d.reprice(ctx, p.now); err != nil {
		return commands.Answer{}, err
	}
	d.noted(p.now.Sum)
	d.seals(p.now)
	d.log.Info("another configuration, without a restart", "cfg", p.Sum, "changes", len(p.Changes), "by", by)
	return commands.Answer{Text: "in effect, for charges from now on", Data: p}, nil
}

// reprice gives all EVSEs the price of a configuration, or none. The lock is held.
func (d *deeds) reprice(ctx context.Context, now config.Config) error {
	var done []unit
	for _, v := range d.units {
		was := v.Rules().Price
		if err := v.Reprice(ctx, now.Price); err != nil {
			for _, before := range done {
				if back := before.Reprice(context.WithoutCancel(ctx), was); back != nil {
					err = fmt.Errorf("%w; EVSE %d has the new price all the same: %w", err, before.Rules().EVSE, back)
				}
			}
			return fmt.Errorf("EVSE %d has not taken the price: %w", v.Rules().EVSE, err)
		}
		done = append(done, v)
	}
	d.took(now)
	return nil
}

// took notes that the post goes by what a configuration says at once. The lock is held.
func (d *deeds) took(now config.Config) {
	runs := d.runs.Load().Took(now)
	d.runs.Store(&runs)
	if d.goes != nil {
		d.goes(runs)
	}
}

// hear takes the file into use whenever the program is told to (SIGHUP, systemctl
// reload), until ctx ends; and when somebody waits for that, once nobody charges. What is
// refused then for a reason that may pass is tried again, and told of once.
func (d *deeds) hear(signalled <-chan os.Signal) func(context.Context) {
	return func(ctx context.Context) {
		var tick <-chan time.Time
		var later reloading // what somebody waits for
		told := ""          // why not, the last time
		for {
			select {
			case <-ctx.Done():
				return
			case <-signalled:
				d.signalled(ctx, reloading{}, "") //nolint:errcheck // the service manager knows
			case how := <-d.wait:
				later.Restart = later.Restart || how.Restart
				tick, told = time.After(lookBusy), ""
			case <-tick:
				if len(d.busy()) > 0 {
					tick = time.After(lookBusy)
					continue
				}
				err := d.signalled(ctx, later, told)
				if mayPass(err) {
					tick, told = time.After(againIn), err.Error()
					continue
				}
				tick, later = nil, reloading{}
			}
		}
	}
}

// mayPass says whether a configuration may be taken into use in a while that is refused now.
func mayPass(refused error) bool {
	var no commands.Refusal
	return errors.As(refused, &no) && (no.Code == commands.Unsafe || no.Code == commands.Busy)
}

// signalled takes the file into use for the service manager, who waits until it hears
// that the program is ready again, and says in the log why not, unless that was told before.
func (d *deeds) signalled(ctx context.Context, how reloading, told string) error {
	if err := systemd.Reloading(); err != nil {
		d.log.Warn("service manager does not listen", "err", err)
	}
	a, err := d.reload(ctx, how, "signal")
	if err == nil && a.Then != nil {
		a.Then()
		return nil
	}
	said := a.Text
	if err != nil {
		said = "the configuration is not taken into use: " + err.Error()
		if err.Error() != told {
			d.log.Error("the configuration is not taken into use, and the post goes on as before", "err", err)
		}
	}
	said, _, _ = strings.Cut(said, "\n")
	if err := systemd.Unchanged(said); err != nil {
		d.log.Warn("service manager does not listen", "err", err)
	}
	return err
}
