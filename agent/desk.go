package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
	"stolpe/agent/ledger"
	"stolpe/display"
	"stolpe/payment"
	"stolpe/payment/vipps"
)

// desk is what the commands about money share: the configuration of a post that
// calls the payment service itself, and a client for that service. They need no
// daemon, and disturb none.
type desk struct {
	file   string // the configuration
	json   bool
	cfg    config.Config
	client *vipps.Client
}

// flags are those of every command about money.
func (d *desk) flags(c *cobra.Command, json string) {
	c.Flags().StringVar(&d.file, "config", defaultConfig, "configuration `file` of the post")
	c.Flags().BoolVar(&d.json, "json", false, "print "+json)
}

// open reads the configuration, and makes the client.
func (d *desk) open() (err error) {
	if d.cfg, err = loadConfig(d.file); err != nil {
		return withKeys(err)
	}
	if d.cfg.Payment.Through == config.ThroughGateway {
		return coded{fmt.Errorf("%s: payment.through is gateway, so the keys of the sales unit are at the gateways and not here; "+
			"this command needs payment.through: vipps with them (copy the configuration to where the keys may be, and name the copy with --config)", d.file), exitConfig}
	}
	if d.cfg.Payment.Through != config.ThroughVipps {
		return coded{fmt.Errorf("%s: payment.through is %s, so its payments are inside the program and end with it; "+
			"this command needs payment.through: vipps (name another configuration with --config)", d.file, d.cfg.Payment.Through), exitConfig}
	}
	if d.client, err = vipps.New(access(d.cfg)); err != nil {
		return failed(d.cfg.Wrong("payment.vipps", "these keys", err.Error()))
	}
	return nil
}

// withKeys adds to an error of the configuration how a person gets at keys that
// systemd keeps: it gives them to what it starts itself.
func withKeys(err error) error {
	var wrong config.Errors
	if !errors.As(err, &wrong) || os.Getenv("CREDENTIALS_DIRECTORY") != "" {
		return err
	}
	properties := ""
	for _, e := range wrong {
		if name, is := strings.CutPrefix(e.Found, "credential:"); is {
			name, _, _ = strings.Cut(name, ",")
			properties += " -p LoadCredentialEncrypted=" + name
		}
	}
	if properties == "" {
		return err
	}
	return coded{fmt.Errorf("%w\nstolpe: systemd keeps these keys; let it start this command, with systemd-run --pipe --wait%s before it", wrong, properties), exitConfig}
}

// book opens the ledger of the post, which must be there: one that a command makes
// would belong to whoever ran the command, and be closed to the daemon.
func (d *desk) book() (*ledger.Ledger, error) {
	path := ledgerPath(d.cfg.StateDir)
	_, err := os.Stat(path)
	var book *ledger.Ledger
	if err == nil {
		book, _, err = ledger.Open(path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, coded{fmt.Errorf("there is no ledger %s; stolpe run begins it: check state_dir in %s, or start the daemon once", path, d.file), exitNotFound}
	case errors.Is(err, fs.ErrPermission):
		return nil, coded{fmt.Errorf("%w; run this as the user of the daemon, or as root", err), exitFailed}
	case err != nil:
		return nil, coded{fmt.Errorf("%w; the disk may be ill: look at the log of the kernel (dmesg)", err), exitFailed}
	}
	return book, nil
}

// ledgerPath is where the ledger of a post is.
func ledgerPath(dir string) string { return filepath.Join(dir, "ledger.jsonl") }

// account is what the ledger has of one charge; nothing if there is no ledger. What
// is damaged in it does not keep the rest from being read.
func account(book *ledger.Ledger, ref payment.Ref) (ledger.Account, error) {
	a, err := book.Account(ref)
	var damage ledger.Damage
	if err != nil && !errors.As(err, &damage) {
		return a, coded{fmt.Errorf("%w; the disk may be ill: look at the log of the kernel (dmesg)", err), exitFailed}
	}
	return a, nil
}

// look reads a payment back.
func (d *desk) look(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	a, err := d.client.Ask(ctx, payment.Order{Ref: ref})
	switch {
	case err != nil:
		return payment.Found{}, unanswered(ctx, err)
	case a.Found.State == payment.NotFound:
		return payment.Found{}, coded{fmt.Errorf("sales unit %s has no payment %s; check the reference, and payment.vipps.msn in %s",
			d.cfg.Payment.Vipps.MSN, ref, d.file), exitNotFound}
	}
	return a.Found, nil
}

// unanswered is for a service that did not do as it was asked: what to do next.
func unanswered(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return coded{errors.New("interrupted"), exitStopped}
	}
	return coded{fmt.Errorf("%w; %s", err, next(err)), exitRemote}
}

// next is what a person does next. Where a post would ask again by itself, the
// person does.
func next(err error) string {
	do := vipps.Advice(err)
	switch more, nothing := strings.CutPrefix(do, "nothing"); {
	case do == "":
		return "try again in a minute"
	case nothing:
		if _, more, found := strings.Cut(more, "; "); found {
			return "try again in a minute; " + more
		}
		return "try again in a minute"
	}
	return do
}

// unconfirmed is for what is done with --yes only.
func unconfirmed(nothing string) error { return unconfirmedIn(display.EN, nothing) }

// unconfirmedIn is the same of a sentence that is in a language of its own.
func unconfirmedIn(lang display.Lang, nothing string) error {
	return coded{fmt.Errorf("%s; %s", strings.TrimRight(nothing, "."),
		pick(lang, "den samme kommandoen med --yes gjør det", "the same command with --yes does it")), exitRefused}
}

// parseRef reads a reference that somebody typed.
func parseRef(text string) (payment.Ref, error) {
	if ref := payment.Ref(text); !ref.Valid() || text[0] == '-' { // a hyphen first would be a flag
		return "", fmt.Errorf("REF %q: want a reference such as A12-1-000042, as it stands on the receipt", text)
	}
	return payment.Ref(text), nil
}

// stateName is a state as --json has it.
func stateName(s payment.State) string {
	return [...]string{"unknown", "created", "authorised", "aborted", "expired", "terminated"}[s]
}

// stateWord says how a payment stands.
func stateWord(f payment.Found) string {
	switch {
	case f.State == payment.Authorised && f.Left() > 0:
		return "approved, and money is held"
	case f.State == payment.Authorised:
		return "approved, and nothing is held any more"
	}
	return [...]string{"unknown", "waits for the payer", "approved", "refused by the payer", "expired", "ended by the post"}[f.State]
}

// local is a time as the clock at the post has it.
func (d *desk) local(t time.Time) string {
	return t.In(d.cfg.Post.Zone).Format("2006-01-02 15:04:05")
}

// say prints one JSON object, or the lines for people.
func (d *desk) say(w io.Writer, object any, lines func(io.Writer) error) error {
	if d.json {
		return failed(printJSON(w, object))
	}
	t := table(w)
	if err := lines(t); err != nil {
		return failed(err)
	}
	return failed(t.Flush())
}
