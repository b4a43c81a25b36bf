package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/config"
	"stolpe/agent/config/trial"
	"stolpe/payment"
)

// getConfig tells the configuration as it stands in the file, without secrets.
func (d *deeds) getConfig(_ context.Context, c commands.Command) (commands.Answer, error) {
	var args struct {
		Keys []string `json:"keys"` // these keys and sections only
	}
	if err := errors.Join(whole(c), c.Read(&args)); err != nil {
		return commands.Answer{}, err
	}
	e, err := config.Plan(d.file, nil)
	if err != nil {
		return commands.Answer{}, err
	}
	said := map[string]string{}
	for key, value := range e.Said {
		if len(args.Keys) == 0 || below(args.Keys, key) {
			said[key] = value
		}
	}
	data := map[string]any{"cfg": e.Config.Sum, "running": d.running(), "keys": said}
	if t, _ := trial.Of(d.file); t.On() {
		data["trial"] = t.ID
	}
	return commands.Answer{Text: fmt.Sprintf("%d keys", len(said)), Data: data}, nil
}

// below says whether a key is one of some, or in a section that is.
func below(some []string, key string) bool {
	for _, s := range some {
		if rest, ok := strings.CutPrefix(key, s); ok && s != "" && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}

// Chosen by us: how long a configuration is on trial. The least is what a post needs to
// be heard of again over a mobile network.
const (
	leastTrial  = time.Minute
	usualTrial  = 5 * time.Minute
	longestWait = time.Hour
)

// setArgs are the arguments of config.set: what is set is planned; a plan is applied,
// confirmed or taken back by its name.
type setArgs struct {
	Do   string         `json:"do"` // plan, apply, confirm or rollback
	Set  map[string]any `json:"set"`
	Plan string         `json:"plan"`
	For  int64          `json:"within_s"` // s, until it is confirmed
}

// setConfig changes the configuration in steps: first it is only told what would change;
// then that is applied, and the program starts anew with it; then somebody confirms it
// over the very connection that it might have broken. If nobody does, it is taken back.
func (d *deeds) setConfig(_ context.Context, c commands.Command) (commands.Answer, error) {
	args := setArgs{For: int64(usualTrial / time.Second)}
	if err := errors.Join(whole(c), c.Read(&args)); err != nil {
		return commands.Answer{}, err
	}
	d.trying.Lock()
	defer d.trying.Unlock()
	on, err := trial.Of(d.file)
	if err != nil {
		d.log.Warn("what is known of a configuration on trial cannot be read", "err", err)
	}
	switch {
	case args.Do == "plan":
		return d.planConfig(c)
	case args.Do == "apply" && !on.On():
		return d.applyConfig(c, args)
	case args.Do == "apply":
		return commands.Answer{}, commands.Refuse(commands.Busy, "configuration "+on.ID+" is on trial: confirm it or take it back")
	case args.Do != "confirm" && args.Do != "rollback":
		return commands.Answer{}, commands.Refuse(commands.Invalid, "do: want plan, apply, confirm or rollback")
	case !on.On() || on.ID != args.Plan:
		return commands.Answer{}, commands.Refuse(commands.Invalid, fmt.Sprintf("configuration %.20q is not on trial", args.Plan))
	case args.Do == "confirm" && (on.Starts == 0 || on.ID != d.running()): // the program before must not speak for it
		return commands.Answer{}, commands.Refuse(commands.Busy, "configuration "+on.ID+" is not running yet")
	case args.Do == "confirm":
		return commands.Answer{Text: "it stays"}, on.Confirm()
	}
	if err := d.mayRestart(c); err != nil {
		return commands.Answer{}, err
	}
	if err := d.back(on); err != nil {
		return commands.Answer{}, err
	}
	return commands.Answer{Text: "the one before is back; starts anew with it", Then: d.restart}, d.loads()
}

// errChanged says that there is nothing to take back.
var errChanged = commands.Refuse(commands.Invalid, "somebody has changed the file since: it stays as it is, and is not on trial")

// back takes a configuration on trial back.
func (d *deeds) back(t trial.Trial) error {
	back, err := t.Back()
	if err == nil && !back {
		err = errChanged
	}
	if e, no := config.Plan(d.file, nil); err == nil && no == nil {
		d.noted(e.Config.Sum)
	}
	return err
}

// planConfig tells what would change.
func (d *deeds) planConfig(c commands.Command) (commands.Answer, error) {
	set, err := valuesOf(c)
	if err != nil {
		return commands.Answer{}, err
	}
	e, err := config.Plan(d.file, set)
	if err != nil {
		return commands.Answer{}, commands.Refuse(commands.Invalid, err.Error())
	}
	d.plan = e
	return commands.Answer{
		Text: fmt.Sprintf("plan %s; nothing is changed yet", e.Config.Sum),
		Data: map[string]any{"plan": e.Config.Sum, "from": d.running(), "changes": e.Changes},
	}, nil
}

// valuesOf are the values of a command, with numbers as they were written.
func valuesOf(c commands.Command) (map[string]any, error) {
	var args setArgs
	from := json.NewDecoder(bytes.NewReader(c.Args))
	from.UseNumber()
	if err := from.Decode(&args); err != nil || len(args.Set) == 0 {
		return nil, commands.Refuse(commands.Invalid, "set: want keys and their values")
	}
	return args.Set, nil
}

// applyConfig writes what was planned, and has the program start anew with it.
func (d *deeds) applyConfig(c commands.Command, args setArgs) (commands.Answer, error) {
	if args.For < int64(leastTrial/time.Second) || args.For > int64(longestWait/time.Second) {
		return commands.Answer{}, commands.Refuse(commands.Invalid, fmt.Sprintf("within_s is %d: want %d to %d", args.For, leastTrial/time.Second, longestWait/time.Second))
	}
	e, within := d.plan, time.Duration(args.For)*time.Second
	if args.Plan == "" || args.Plan != e.Config.Sum {
		return commands.Answer{}, commands.Refuse(commands.Invalid, fmt.Sprintf("plan %.20q is not the last that was made since the start: plan again", args.Plan))
	}
	if err := d.mayRestart(c); err != nil {
		return commands.Answer{}, err
	}
	if err := d.leaves(e.Config); err != nil {
		return commands.Answer{}, err
	}
	if err := trial.Try(d.file, e.Old, e.New, within); errors.Is(err, trial.ErrMoved) {
		return commands.Answer{}, commands.Refuse(commands.Invalid, "the configuration has been changed since: plan again")
	} else if err != nil {
		return commands.Answer{}, err
	}
	d.noted(args.Plan)
	d.log.Warn("another configuration from afar: the program starts anew, and takes it back unless it is confirmed", "plan", args.Plan, "within", within, "by", c.Issuer)
	return commands.Answer{Text: fmt.Sprintf("written; starts anew with it, and goes back unless it is confirmed within %v", within), Data: map[string]any{"plan": args.Plan}, Then: d.restart}, nil
}

// againIn is how long a post waits that could not take a configuration back, or not
// start with the one before. Chosen by us: disks are mounted and files put right.
const againIn = time.Minute

// watchTrial takes a configuration back that nobody has confirmed, until ctx ends. The
// program starts anew with the one before as soon as nobody charges.
func (d *deeds) watchTrial(ctx context.Context) {
	t, _ := trial.Of(d.file)
	if !t.On() {
		return
	}
	d.log.Warn("this configuration is on trial", "plan", t.ID, "confirmed_within", t.Within)
	step := d.overdue
	for wait := t.Within; step != nil; {
		select {
		case <-time.After(wait):
			step, wait = step(t)
		case <-ctx.Done():
			return
		}
	}
}

// turn is what is done about a trial, after a while; nil when all is done.
type turn func(trial.Trial) (turn, time.Duration)

// overdue takes a trial back that nobody has confirmed in time.
func (d *deeds) overdue(t trial.Trial) (turn, time.Duration) {
	d.trying.Lock()
	defer d.trying.Unlock()
	if now, err := trial.Of(d.file); err == nil && now.ID != t.ID {
		return nil, 0
	}
	switch err := d.back(t); {
	case errors.Is(err, errChanged):
		d.log.Warn("nobody has confirmed this configuration, but somebody has changed the file: it stays as it is", "plan", t.ID)
		return nil, 0
	case err != nil:
		d.log.Error("nobody has confirmed this configuration, and it cannot be taken back; tried again", "plan", t.ID, "err", err, "in", againIn)
		return d.overdue, againIn
	}
	d.log.Warn("nobody has confirmed this configuration: the one before is back, and is started as soon as nobody charges", "plan", t.ID)
	return d.whenFree, time.Second
}

// whenFree starts the program anew once nobody charges.
func (d *deeds) whenFree(trial.Trial) (turn, time.Duration) {
	if len(d.busy()) > 0 {
		return d.whenFree, time.Second
	}
	if err := d.loads(); err != nil {
		d.log.Error("the configuration before cannot be started", "err", err, "tried_again_in", againIn)
		return d.whenFree, againIn
	}
	d.restart()
	return nil, 0
}

// setPrice changes the price, for charges to come. Those under way keep theirs.
func (d *deeds) setPrice(ctx context.Context, c commands.Command) (commands.Answer, error) {
	set, err := priceOf(c)
	if err != nil {
		return commands.Answer{}, err
	}
	d.trying.Lock()
	defer d.trying.Unlock()
	if t, _ := trial.Of(d.file); t.On() {
		return commands.Answer{}, commands.Refuse(commands.Busy, "configuration "+t.ID+" is on trial: confirm it or take it back")
	}
	e, err := config.Plan(d.file, set)
	if err != nil {
		return commands.Answer{}, commands.Refuse(commands.Invalid, err.Error())
	}
	if was := d.units[0].Rules().Price; was.Currency != e.Config.Price.Currency {
		return commands.Answer{}, commands.Refuse(commands.Unsafe, "the file has another currency than the post that runs: restart first")
	}
	if err := trial.Replace(d.file, e.Old, e.New); err != nil {
		return commands.Answer{}, err
	}
	d.noted(e.Config.Sum)
	for _, v := range d.units {
		if err := v.Reprice(ctx, e.Config.Price); err != nil {
			return commands.Answer{}, fmt.Errorf("the price is written, but EVSE %d has not taken it yet, and does at the next start: %w", v.Rules().EVSE, err)
		}
	}
	d.took(e.Config)
	d.log.Info("another price", "changes", e.Changes, "by", c.Issuer)
	return commands.Answer{Text: "for charges from now on", Data: map[string]any{"cfg": e.Config.Sum, "changes": e.Changes}}, nil
}

// priceOf reads the parts of a price that are to be set. Names are those of the file.
func priceOf(c commands.Command) (map[string]any, error) {
	var args struct {
		VAT     *payment.Amount `json:"vat_bp"` // basis points
		KWh     *payment.Amount `json:"kwh"`
		Minute  *payment.Amount `json:"minute"`
		Session *payment.Amount `json:"session"`
		Idle    struct {
			After  *payment.Amount `json:"after_minutes"`
			Minute *payment.Amount `json:"minute"`
			Cap    *payment.Amount `json:"cap"`
		} `json:"idle"`
	}
	if err := errors.Join(whole(c), c.Read(&args)); err != nil {
		return nil, err
	}
	set := map[string]any{}
	for key, value := range map[string]*payment.Amount{
		"vat_bp": args.VAT, "kwh": args.KWh, "minute": args.Minute, "session": args.Session,
		"idle.after_minutes": args.Idle.After, "idle.minute": args.Idle.Minute, "idle.cap": args.Idle.Cap,
	} {
		if value != nil {
			set["price."+key] = json.Number(fmt.Sprint(int64(*value)))
		}
	}
	if len(set) == 0 {
		return nil, commands.Refuse(commands.Invalid, "args: want at least one part of the price")
	}
	return set, nil
}
