package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/mqtt"
	"stolpe/payment"
	"stolpe/payment/envelope"
	"stolpe/payment/relay"
)

// Chosen by us.
const (
	// quiet for so long, the broker has told all that it keeps.
	quiet = time.Second
	// reachWithin is how long a command waits for the broker.
	reachWithin = 15 * time.Second
	// settleTries is how many steps a command takes for one payment: a capture, a
	// release, and looks between them.
	settleTries = 12
)

var errNoUnit = errors.New("no sales unit has this post")

// absent are the commands about posts that are away.
type absent struct {
	file string
	json bool
	yes  bool
	post string
	wait time.Duration // between two steps of settling
	id   string        // at the broker
	cert string        // files of a certificate of its own
	key  string
}

// flags are those of all of them.
func (a *absent) flags(c *cobra.Command) {
	c.Flags().StringVar(&a.file, "config", defaultConfig, "configuration `file`")
	c.Flags().BoolVar(&a.json, "json", false, "one JSON object a line")
	c.Flags().StringVar(&a.id, "id", "", "`name` at the broker; needed where the certificate's name is the client id, or the gateway of this configuration is thrown out for a moment")
	c.Flags().StringVar(&a.cert, "cert", "", "`file` with a certificate for that name, and --key")
	c.Flags().StringVar(&a.key, "key", "", "`file` with its key")
	c.MarkFlagsRequiredTogether("id", "cert", "key")
}

func openCommand() *cobra.Command {
	var a absent
	c := &cobra.Command{
		Use:   "open",
		Short: "list what posts that are away have not settled",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, d, err := a.listen(c.Context())
			if err != nil {
				return err
			}
			return failed(a.print(c.OutOrStdout(), d.owed()))
		},
	}
	a.flags(c)
	return c
}

func settleCommand() *cobra.Command {
	a := absent{wait: 13 * time.Second} // five changing calls a minute for one payment are allowed
	c := &cobra.Command{
		Use:   "settle REFERENCE... | settle --post TENANT/POST",
		Short: "settle for posts that have vanished, by their last register readings",
		Long: `Settle payments in the place of a post that will not come back. What is taken is what was certainly due by the last
reading that the post has told, under the key that the post itself would use; the rest is released. A post that comes back
all the same finds it done. A post that is only without a network settles by itself when its charge has ended: do not do it
for one that may still be charging.`,
		RunE: func(c *cobra.Command, args []string) error {
			if (len(args) == 0) == (a.post == "") {
				return errors.New("settle: name payments, or a post with --post")
			}
			return a.settle(c.Context(), args, c.OutOrStdout())
		},
	}
	a.flags(c)
	c.Flags().StringVar(&a.post, "post", "", "everything of this `TENANT/POST`")
	c.Flags().BoolVar(&a.yes, "yes", false, "do it, and not only say what would be done")
	return c
}

// listen hears from the broker what posts have last said.
func (a absent) listen(ctx context.Context) (opened, *deadPosts, error) {
	o, err := openFile(a.file)
	if err != nil {
		return o, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	d := newDeadPosts(o.units, slog.New(slog.DiscardHandler))
	heard := make(chan struct{}, 1)
	t := &traffic{key: o.key, dead: d, log: slog.New(slog.DiscardHandler), figures: newFigures(func() bool { return true }, func() int { return 0 }, func() int { return 0 })}
	g := &gateway{settings: o.settings, log: t.log}
	m := &g.settings.MQTT
	m.ClientID += "-" + strings.ToLower(rand.Text()[:6]) // the gateway of that name may be running
	if a.id != "" {
		m.ClientID, m.Cert, m.Key = a.id, a.cert, a.key
	}
	ready := make(chan struct{})
	conn, err := g.dial(mqtt.Options{
		Handle:  func(m mqtt.Message) { t.note(m); poke(heard) },
		Filters: []string{envelope.Root + "+/+/" + envelope.AvailabilityLeaf, envelope.Root + "+/+/" + relay.OpenLeaf + "/+"},
		Ready:   func(context.Context) { close(ready) },
	})
	if err != nil {
		return o, nil, coded{err, exitConfig}
	}
	life, end := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn.Run(life) //nolint:errcheck // whether it was reached is known by ready
	}()
	defer func() { end(); <-ended }()
	select {
	case <-ready:
	case <-ctx.Done():
		return o, nil, failed(fmt.Errorf("broker %s: not reached in %v; is it there, and may this program connect?", o.settings.MQTT.URL, reachWithin))
	}
	for {
		select {
		case <-heard:
		case <-time.After(quiet):
			return o, d, nil
		case <-ctx.Done():
			return o, nil, failed(errors.New("interrupted"))
		}
	}
}

func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// owingJSON is an open payment as --json has it; amounts in minor units.
type owingJSON struct {
	Tenant   string           `json:"tenant"`
	Post     string           `json:"post"`
	Ref      payment.Ref      `json:"reference"`
	Reserved payment.Amount   `json:"reserved"`
	Due      payment.Amount   `json:"due"`
	Currency payment.Currency `json:"currency"`
	Register int64            `json:"register_wh"` // Wh
	Ended    bool             `json:"ended"`
	Silent   int64            `json:"silent_s"`       // s
	Done     string           `json:"done,omitempty"` // what came of settling it
	Captured payment.Amount   `json:"captured,omitempty"`
	Released payment.Amount   `json:"released,omitempty"`
}

func (o owing) json() owingJSON {
	return owingJSON{Tenant: o.tenant, Post: o.post, Ref: o.Ref, Reserved: o.Limit, Due: o.Due, Currency: o.Currency, Register: int64(o.Register), Ended: o.Ended, Silent: int64(o.silent / time.Second)}
}

func (a absent) print(w io.Writer, all []owing) error {
	if a.json {
		for _, o := range all {
			if err := json.NewEncoder(w).Encode(o.json()); err != nil {
				return err
			}
		}
		return nil
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "every post that is away has settled everything")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "POST\tPAYMENT\tRESERVED\tDUE\tREGISTER\tCHARGE\tSILENT FOR AT LEAST")
	for _, o := range all {
		charge := "not known to have ended"
		if o.Ended {
			charge = "ended"
		}
		fmt.Fprintf(t, "%s/%s\t%s\t%v\t%v %s\t%v\t%s\t%v\n", o.tenant, o.post, o.Ref, o.Limit, o.Due, o.Currency, o.Register, charge, o.silent.Round(time.Minute))
	}
	return t.Flush()
}

// settle settles what is named, or says what would be done.
func (a absent) settle(ctx context.Context, refs []string, w io.Writer) error {
	_, d, err := a.listen(ctx)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for _, r := range refs {
		named[r] = true
	}
	var all []owing
	for _, o := range d.owed() {
		if named[string(o.Ref)] || a.post == o.tenant+"/"+o.post {
			delete(named, string(o.Ref))
			all = append(all, o)
		}
	}
	for r := range named {
		return coded{fmt.Errorf("payment %s: no post that is away has it open; stolpe-gateway open lists them", r), exitRefused}
	}
	if !a.yes {
		if err := a.print(w, all); err != nil || len(all) == 0 {
			return failed(err)
		}
		return coded{errors.New("nothing was done: with --yes DUE is captured, and the rest of RESERVED released"), exitRefused}
	}
	var left error
	for _, o := range all {
		if err := a.one(ctx, d, o, w); err != nil {
			left = errors.Join(left, fmt.Errorf("%s: %w", o.Ref, err))
		}
	}
	return failed(left)
}

// one settles one payment, step by step.
func (a absent) one(ctx context.Context, d *deadPosts, o owing, w io.Writer) error {
	var last error
	for range settleTries {
		got, err := d.settle(ctx, o)
		if last = err; got.Status == payment.Settled || got.Status == payment.Missing {
			j := o.json()
			j.Done, j.Captured, j.Released = got.Status.String(), got.Found.Taken, got.Found.Freed
			if a.json {
				return json.NewEncoder(w).Encode(j)
			}
			_, err := fmt.Fprintf(w, "%s: %v, %v %s captured, %v released\n", o.Ref, got.Status, got.Found.Taken, o.Currency, got.Found.Freed)
			return err
		}
		if got.Status == payment.Refused && errors.Is(err, errNoUnit) {
			return err
		}
		select {
		case <-time.After(a.wait):
		case <-ctx.Done():
			return errors.New("interrupted; the same command goes on where it stopped")
		}
	}
	return fmt.Errorf("not settled after %d steps: %w; the same command goes on where it stopped", settleTries, last)
}
