package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/agent/ledger"
	"stolpe/hal"
	"stolpe/hal/gpio"
	"stolpe/hal/sim"
	"stolpe/systemd"
)

// grace is how long the daemon settles after it was told to stop. Chosen by us:
// time for a final reading, a capture and a release; what is left is settled
// after the next start.
const grace = 20 * time.Second

func runCommand() *cobra.Command {
	var file string
	var check bool
	var without []string
	c := &cobra.Command{
		Use:   "run --config FILE",
		Short: "run the post (the daemon)",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case check:
				return checkOnly(c, file, without)
			case len(without) > 0:
				return errors.New("--without: only with --check")
			}
			return runAgain(c.Context(), machineTime(), file, c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&file, "config", defaultConfig, "configuration `file`")
	c.Flags().BoolVar(&check, "check", false, "only read the configuration as the daemon would, secrets too, and what it has left, and say what is wrong with that")
	c.Flags().StringSliceVar(&without, "without", nil, "with --check: `secrets` that may be missing, as in credential:gateway-key")
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

// daemon runs a post, whose configuration was read from a file, until ctx ends. Its error
// is errRestart when it is to be run anew.
func daemon(ctx context.Context, source *timeSource, cfg config.Config, from origin, stderr io.Writer) error {
	told := ctx
	ctx, anew := context.WithCancelCause(ctx)
	defer anew(nil)
	logged := newSpool(stderr)
	defer logged.Close()
	log := slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	w := realWorld(source, cfg, log)
	p := openContactors(cfg, w)
	openNoted(from.file, cfg, logged)
	defer p.between(func() { _ = p.Close() }) // the journals have nothing left to flush
	folder := useFolder(cfg.StateDir)
	if folder != nil {
		p.withoutFolder(cfg.StateDir, folder, log)
	}
	p.board = openBoard(cfg.StateDir, w.now, log)
	w.book = openBook(cfg.StateDir, cfg.Post.ID, log)
	p.close = append(p.close, func() error { return closeBook(w.book) })
	noteSeal(cfg, w, log)
	if cfg.Metrics != "" {
		w.figures = newFigures()
		w.alive = w.figures.hooks(w.alive)
	}
	jobs, stop := context.WithCancel(context.WithoutCancel(ctx)) // what the loops still need while they settle
	defer stop()
	b, err := p.openUplink(cfg, log)
	if err != nil {
		return failed(err)
	}
	pay, err := p.openPurse(jobs, cfg, w, b, from)
	if err != nil {
		return err
	}
	if folder != nil {
		pay.Payments = withheld{pay.Payments, w.mono, w.mono()}
	}
	p.purse = pay
	if err := p.refuses(from); err != nil {
		return failed(err)
	}
	p.close = append([]func() error{pay.close}, p.close...)
	if err := p.openEVSEs(cfg, w, w.figures.asking(pay)); err != nil {
		return failed(err)
	}
	noteLines(cfg, from.file, log)
	noteLeft(cfg, log)
	pages, err := p.openPages(cfg, pay, log)
	if err = cmp.Or(err, p.refuses(from)); err != nil {
		return failed(err)
	}
	d := p.openDeeds(cfg, from, w, func() { anew(errRestart) })
	if err := p.takeCommands(cfg, w, b, d.table()); err != nil {
		return failed(err)
	}
	p.serveLocal(cfg, w, d, b)
	p.openDisplays(cfg, w, b)
	p.tellFleet(cfg, w, b)
	p.serveFigures(cfg, w, b)
	p.tellOfDisplays(w)
	p.jobs = append(p.jobs, d.hear(from.told), p.heal(d, gpio.TooLate, anew), p.tellManager(d, log))
	from.started(cfg, p.lacking(false), p.serving, log)
	p.feed = pinging(log)
	defer whenTold(told, log)()
	return failed(together(ctx, jobs, stop, p, pages))
}

// realWorld is the machine as it is.
func realWorld(source *timeSource, cfg config.Config, log *slog.Logger) world {
	clock := clock{time.Now(), source}
	alive, left := allOf(len(cfg.EVSEs), pinging(log))
	return world{
		born: ledger.Post{Version: version, System: runtime.GOOS + "/" + runtime.GOARCH, Boot: rand.Text(), Config: cfg.Sum}.Priced(cfg.Price),
		now:  clock.now, mono: clock.mono, timeSet: source.setFromOutside, every: time.Second, grace: grace, log: log,
		alive: alive, left: left, wires: openWires,
		store: func(e config.EVSE, owner string) (evse.Journal, kept, func() error, error) {
			return openStore(cfg.StateDir, journalOf(e.ID), owner)
		},
		bench: func(e config.EVSE) (*bench, error) {
			const neverFull hal.Energy = 2_000_000 // Wh
			file := filepath.Join(cfg.StateDir, "bench-"+strconv.Itoa(e.ID))
			if useFolder(cfg.StateDir) != nil {
				file = ""
			}
			return newBench(clock.mono, sim.Car{Power: e.MaxPower / 2, Need: neverFull}, file)
		},
	}
}

// openBook opens the ledger. A post whose ledger is ill charges and settles all the same.
func openBook(dir, post string, log *slog.Logger) *ledger.Ledger {
	book, torn := ledger.OpenAnyway(ledgerPath(dir))
	if torn > 0 {
		log.Warn("ledger: the last line was torn off by a power cut; it was cut back", "bytes", torn)
	}
	if ill := book.Health(); ill != "" {
		log.Error("ledger: "+ill, "then", "charging and settling go on; what tells of money is written when that can be done")
	}
	return book.Named(post)
}

// closeBook closes the ledger, as far as the card answers.
func closeBook(book *ledger.Ledger) (err error) {
	now, end := context.WithCancel(context.Background())
	end()
	closed := make(chan error, 1)
	if !endsWith(now, func() { closed <- book.Close() }) {
		return errors.New("ledger does not answer; it was not closed")
	}
	return <-closed
}

// lastWithin is how long a card may take for the last writes. Chosen by us: many times
// what a slow one takes, and what a person waits for.
const lastWithin = 10 * time.Second

// endsWith runs what ends with ctx, and says whether it has. What a card holds up is left
// to itself after some time: it must not keep the program from ending, or starting anew.
func endsWith(ctx context.Context, run func()) bool {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run()
	}()
	select {
	case <-ended:
		return true
	case <-ctx.Done():
	}
	select {
	case <-ended:
		return true
	case <-time.After(lastWithin):
		return false
	}
}

// together runs the loops until ctx ends and they have settled, and the pages
// until after that. If one of them fails, all end.
func together(ctx, jobs context.Context, stop func(), p *parts, pages func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p.ends = ctx.Done()
	var loops, others sync.WaitGroup
	for _, job := range p.jobs {
		others.Go(func() { job(jobs) })
	}
	for _, v := range p.units {
		loops.Go(func() {
			cancel(v.Run(ctx))
			if p.left != nil {
				p.left()
			}
		})
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
	p.between(others.Wait)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return errors.Join(cause, served)
	}
	return served
}

// allOf gives a hook for each EVSE. The one below is called when all of them have
// called theirs since the last time: one loop that lives must not hide another
// that does not. One that has settled and ended has left, and is not waited for.
func allOf(evses int, ping func()) (alive func(id int) func(), left func()) {
	var mu sync.Mutex
	seen := map[int]bool{}
	left = func() {
		mu.Lock()
		defer mu.Unlock()
		evses--
	}
	return func(id int) func() {
		return func() {
			mu.Lock()
			seen[id] = true
			all := len(seen) >= evses
			if all {
				clear(seen)
			}
			mu.Unlock()
			if all {
				ping()
			}
		}
	}, left
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

// withoutTime leaves time stamps to the journal of the system, which has them.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey && len(groups) == 0 {
		return slog.Attr{}
	}
	return a
}
