package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/agent/ledger"
	"stolpe/display"
	pdf "stolpe/display/paper"
	"stolpe/display/web"
	"stolpe/hal"
	"stolpe/hal/sim"
	"stolpe/payment"
	till "stolpe/payment/sim"
	"stolpe/payment/vipps"
	"stolpe/systemd"
)

// grace is how long the daemon settles after it was told to stop. Chosen by us:
// time for a final reading, a capture and a release; what is left is settled
// after the next start.
const grace = 20 * time.Second

func runCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "run --config FILE",
		Short: "run the post (the daemon)",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := loadConfig(file)
			if err != nil {
				openNoted(file, cfg, c.ErrOrStderr())
				return err
			}
			return daemon(c.Context(), cfg, file, c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&file, "config", defaultConfig, "configuration `file`")
	return c
}

// loadConfig reads a configuration, or says what to do.
func loadConfig(file string) (config.Config, error) {
	cfg, err := config.Load(file)
	var wrong config.Errors
	if err != nil && !errors.As(err, &wrong) {
		err = coded{fmt.Errorf("%w; write one after testdata/config/reference.yaml, or name another with --config", err), exitConfig}
	}
	return cfg, err
}

// daemon runs a post, whose configuration was read from file, until ctx ends.
func daemon(ctx context.Context, cfg config.Config, file string, stderr io.Writer) error {
	logged := newSpool(stderr)
	defer logged.Close()
	log := slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	w := realWorld(cfg, log)
	p, err := openContactors(cfg, w)
	openNoted(file, cfg, logged)
	if err != nil {
		return failed(err)
	}
	defer p.Close() //nolint:errcheck // the journals have nothing left to flush
	if err := os.MkdirAll(cfg.StateDir, 0o700); err != nil {
		return notNow(cfg.Wrong("state_dir", cfg.StateDir, "a folder that is there or can be made: "+err.Error()))
	}
	if w.book = openBook(cfg.StateDir, log); w.book != nil {
		p.close = append(p.close, w.book.Close)
	}
	jobs, stop := context.WithCancel(context.WithoutCancel(ctx)) // what the loops still need while they settle
	defer stop()
	payments, closePayments, err := openPayments(jobs, cfg, log)
	if err != nil {
		return err
	}
	p.close = append([]func() error{closePayments}, p.close...)
	if err := p.openEVSEs(cfg, w, payments); err != nil {
		return failed(err)
	}
	noteLines(cfg, file, log)
	listener, err := net.Listen("tcp", cfg.Web.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		err = fmt.Errorf("%w; %s", err, perhapsDaemon)
	}
	if err != nil {
		return notNow(cfg.Wrong("web.listen", cfg.Web.Listen, "an address that is free: "+err.Error()))
	}
	pages, err := web.New(p, web.Options{PublicURL: publicURL(cfg, listener), Log: log, PDF: pdf.Receipt})
	if err != nil {
		return failed(err)
	}
	handler, err := p.receiveHooks(cfg, payments, pages, log)
	if err != nil {
		return failed(err)
	}
	log.Info("serving", "post", cfg.Post.ID, "tenant", cfg.Tenant, "pages", publicURL(cfg, listener), "listen", listener.Addr(), "version", version)
	if err := systemd.Ready(); err != nil {
		log.Warn("service manager does not listen", "err", err)
	}
	defer context.AfterFunc(ctx, func() {
		log.Info("told to end; settling first", "within", grace)
		if err := systemd.Stopping(); err != nil {
			log.Warn("service manager does not listen", "err", err)
		}
	})()
	return failed(together(ctx, jobs, stop, p, func(ctx context.Context) error { return web.Serve(ctx, listener, handler) }))
}

// realWorld is the machine as it is.
func realWorld(cfg config.Config, log *slog.Logger) world {
	clock := clock{began: time.Now()}
	return world{
		now: clock.now, mono: clock.mono, every: time.Second, grace: grace, log: log,
		alive: allOf(len(cfg.EVSEs), pinging(log)), wires: openWires,
		store: func(e config.EVSE, owner string) (evse.Journal, kept, func() error, error) {
			return openStore(cfg.StateDir, "evse-"+strconv.Itoa(e.ID), owner)
		},
		bench: func(e config.EVSE) (*bench, error) {
			const neverFull hal.Energy = 2_000_000 // Wh
			return newBench(clock.mono, sim.Car{Power: e.MaxPower / 2, Need: neverFull}, filepath.Join(cfg.StateDir, "bench-"+strconv.Itoa(e.ID)))
		},
	}
}

// openBook opens the ledger. A post without one charges and settles all the same.
func openBook(dir string, log *slog.Logger) *ledger.Ledger {
	book, torn, err := ledger.Open(ledgerPath(dir))
	if err != nil {
		log.Error("ledger cannot be opened; charging and settling go on without it", "err", err)
		return nil
	}
	if torn > 0 {
		log.Warn("ledger: the last line was torn off by a power cut; it was cut back", "bytes", torn)
	}
	return book
}

// together runs the loops until ctx ends and they have settled, and the pages
// until after that. If one of them fails, all end.
func together(ctx, jobs context.Context, stop func(), p *parts, pages func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var loops, others sync.WaitGroup
	for _, job := range p.jobs {
		others.Go(func() { job(jobs) })
	}
	for _, v := range p.units {
		loops.Go(func() { cancel(v.Run(ctx)) })
	}
	var served error
	others.Go(func() {
		served = pages(jobs)
		if jobs.Err() == nil {
			cancel(served)
		}
	})
	loops.Wait()
	stop()
	others.Wait()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return errors.Join(cause, served)
	}
	return served
}

// allOf gives a hook for each EVSE. The one below is called when all of them have
// called theirs since the last time: one loop that lives must not hide another
// that does not.
func allOf(evses int, ping func()) func(id int) func() {
	var mu sync.Mutex
	seen := map[int]bool{}
	return func(id int) func() {
		return func() {
			mu.Lock()
			seen[id] = true
			all := len(seen) == evses
			if all {
				clear(seen)
			}
			mu.Unlock()
			if all {
				ping()
			}
		}
	}
}

// pinging gives the hook that proves to the service manager that the loop lives.
func pinging(log *slog.Logger) func() {
	var once sync.Once
	return func() {
		if err := systemd.Alive(); err != nil {
			once.Do(func() { log.Warn("watchdog cannot be pinged", "err", err) })
		}
	}
}

// openPayments opens the way to the money. Nothing else knows which one it is.
func openPayments(ctx context.Context, cfg config.Config, log *slog.Logger) (*vipps.Client, func() error, error) {
	access := access(cfg)
	done := func() error { return nil }
	if cfg.Payment.Through == config.ThroughSim {
		payer, err := till.ParsePayer(string(cfg.Payment.Sim.Payer))
		if err != nil {
			return nil, nil, cfg.Wrong("payment.sim.payer", string(cfg.Payment.Sim.Payer), err.Error())
		}
		payer.After = cfg.Payment.Sim.After
		t, err := serveTill(ctx, till.Options{Payer: payer, Log: log})
		if err != nil {
			return nil, nil, failed(err)
		}
		t.into(&access)
		done = t.Close
	}
	client, err := vipps.New(access)
	if err != nil {
		return nil, nil, failed(cfg.Wrong("payment.vipps", "these keys", err.Error()))
	}
	return client, done, nil
}

// access is what the payment service wants to know of whoever asks.
func access(cfg config.Config) vipps.Config {
	v := cfg.Payment.Vipps
	return vipps.Config{
		BaseURL: v.BaseURL, MSN: v.MSN, ClientID: v.ClientID.Reveal(), ClientSecret: v.ClientSecret.Reveal(),
		SubscriptionKey: v.SubscriptionKey.Reveal(), SystemName: "stolpe", SystemVersion: version,
		Description: description(cfg), Push: cfg.Payment.Push,
	}
}

// description is what a payer reads in the app.
func description(cfg config.Config) func(payment.Terms) string {
	return func(t payment.Terms) string { return display.Reservation(t.EVSE, cfg.Post.Name) }
}

// publicURL is where phones find the pages.
func publicURL(cfg config.Config, l net.Listener) string {
	if cfg.Web.PublicURL != "" {
		return cfg.Web.PublicURL
	}
	return "http://" + l.Addr().String()
}

// withoutTime leaves time stamps to the journal of the system, which has them.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey && len(groups) == 0 {
		return slog.Attr{}
	}
	return a
}
