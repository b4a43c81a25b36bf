package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/agent/journal"
	"stolpe/agent/journal/card"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/display"
	pdf "stolpe/display/paper"
	"stolpe/display/term"
	"stolpe/display/web"
	"stolpe/hal"
	"stolpe/hal/sim"
	till "stolpe/payment/sim"
)

// demoConfig is the post that the demo shows. Its addresses are the demo's own.
const demoConfig = `
post: {id: DEMO, name: "Storgata 1, Hamar", country: NO, timezone: Europe/Oslo, helpdesk: "+47 22 00 00 00"}
seller: {name: "Eksempel Lading AS", org_no: "999999999", vat_registered: true}
state_dir: /nowhere
evses: [{id: 1, code: A12, contactor: {sim: true}, max_power_w: 22000}]
price: {currency: NOK, vat_bp: 2500, kwh: 549, idle: {after_minutes: 15, minute: 100, cap: 20000}}
reserve: {default: 35000, choices: [20000, 35000, 50000]}
payment: {through: sim}
`

// demoCar charges at 11 kW and is full after 40 kWh, in under four hours.
var demoCar = sim.Car{Power: 11_000, Need: 40_000}

// Bounds of --speed. Above it, a pass of the loop would be shorter than the way
// to the meter and back.
const maxSpeed = 1000

// demoOptions are the flags of the demo.
type demoOptions struct {
	speed  int // times as fast as life
	once   bool
	json   bool
	listen string
	colour bool   // on the terminal
	shown  string // address of a display; empty for none
	till   tillOptions
}

func demoCommand() *cobra.Command {
	var o demoOptions
	c := &cobra.Command{
		Use:   "demo",
		Short: "show the whole product on this machine: simulated meter, car and payment; no money moves",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			if o.till.only {
				return tillOnly(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr())
			}
			o.colour = paintOf(c, c.OutOrStdout()).on
			return demo(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().IntVar(&o.speed, "speed", 1, "`times` as fast as life")
	c.Flags().BoolVar(&o.once, "once", false, "drive one charge unattended, then end")
	c.Flags().BoolVar(&o.json, "json", false, "with --once: print what came of it as one JSON object")
	c.Flags().StringVar(&o.listen, "listen", "127.0.0.1:0", "`address` of the driver's page, or of the payment service alone")
	c.Flags().StringVar(&o.shown, "display", "", "`address` of a display of the post: a picture in a file (file:///tmp/post.png?size=800x480, or 250x122, or 128x64), or a page for a browser (http://127.0.0.1:8090)")
	c.Flags().BoolVar(&o.till.only, "till-only", false, "serve the simulated payment service alone, for others to test against")
	c.Flags().StringVar(&o.till.faults, "faults", "", "with --till-only: what goes wrong, as in `SCRIPT` \"capture: answer-lost, code 6260 x2\"")
	c.Flags().StringVar(&o.till.payer, "payer", "", "with --till-only: `HABIT` of the payer, such as \"approves 5s\"; by hand on the page otherwise")
	return c
}

// stage is a post in a world that is faster than life: the demo, or the first charge of
// a simulated post.
type stage struct {
	demoOptions
	cfg   config.Config
	lasts time.Duration // the unattended driver's charge, in the stage's time
	past  time.Duration // so long before now the stage's time begins
	keep  bool          // journal and ledger are those of the configuration's state folder
	came  came          // what came of the one charge
	clock sim.Clock
	beats pulse
	turns turns
	parts *parts
	till  *simulated
	url   string
}

// demo runs a post in a world that is faster than life, until ctx ends or the
// one charge is over. It writes no file.
func demo(ctx context.Context, o demoOptions, stdout, stderr io.Writer) error {
	cfg, err := demoPost(o.shown)
	if err != nil {
		return err
	}
	s := &stage{demoOptions: o, cfg: cfg, lasts: chargeFor}
	return s.show(ctx, stdout, stderr)
}

// show runs the stage.
func (s *stage) show(ctx context.Context, stdout, stderr io.Writer) error {
	s.beats = make(pulse, 1)
	s.clock.Step(time.Second)
	listener, err := net.Listen("tcp", s.listen)
	if err != nil {
		return failed(fmt.Errorf("page: %w; choose another address with --listen", err))
	}
	s.url = "http://" + listener.Addr().String()
	jobs, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: withoutTime}))
	if s.till, err = serveTill(jobs, till.Options{Now: s.clock.Now, Hands: true}); err != nil {
		return failed(err)
	}
	defer s.till.Close() //nolint:errcheck // it is simulated, and over
	payments, err := s.payments(s.cfg)
	if err != nil {
		return failed(err)
	}
	screen := &showcase{out: stdout, post: s.cfg.Post, quiet: s.once, terminal: isTerminal(stdout), colour: s.colour}
	w := s.world(log, screen)
	if s.keep {
		w.book = openBook(s.cfg.StateDir, s.cfg.Post.ID, log)
		defer w.book.Close() //nolint:errcheck // all that matters is on disk
	}
	if s.parts, err = open(s.cfg, w, payments); err != nil {
		return failed(err)
	}
	defer s.parts.Close() //nolint:errcheck // the journals have nothing left to flush
	screen.rules = s.unit().Rules()
	s.parts.pages = s.url
	pages, err := web.New(s.parts, web.Options{PublicURL: s.url, PDF: pdf.Receipt})
	if err != nil {
		return failed(err)
	}
	s.openDisplay(w)
	if !s.once {
		s.welcome(stdout)
	}
	return failed(s.play(ctx, jobs, stop, stdout, func(ctx context.Context) error { return web.Serve(ctx, listener, pages) }))
}

// play lets time pass, and a driver come if one is wanted.
func (s *stage) play(ctx, jobs context.Context, stop func(), stdout io.Writer, pages func(context.Context) error) error {
	go s.passTime(jobs)
	until, end := context.WithCancel(ctx)
	defer end()
	result := make(chan error, 1)
	if s.once {
		go func() {
			defer end()
			result <- s.driveOnce(until, stdout)
		}()
	}
	err := together(until, jobs, stop, s.parts, pages)
	if s.once && err == nil {
		err = <-result
		if err != nil && ctx.Err() != nil {
			err = coded{errors.New("interrupted before the charge was over"), exitStopped}
		}
	}
	if !s.once {
		s.farewell(stdout)
	}
	return err
}

// world is the demo's: a clock of its own, a card in memory, a bench.
func (s *stage) world(log *slog.Logger, screen *showcase) world {
	began := time.Now().Add(-s.past)
	return world{
		born: ledger.Post{Version: version, System: runtime.GOOS + "/" + runtime.GOARCH, Boot: rand.Text(), Config: s.cfg.Sum},
		now: func() hal.Instant {
			mono := s.clock.Now()
			return hal.Instant{Mono: mono, Wall: hal.Stamp{Unix: began.Add(mono).Unix(), Clock: hal.ClockHoldover}}
		},
		mono: s.clock.Now, every: time.Second / time.Duration(s.speed), grace: grace, log: log,
		store: func(e config.EVSE, owner string) (evse.Journal, kept, func() error, error) {
			if s.keep {
				j, found, end, err := openStore(s.cfg.StateDir, journalOf(e.ID), owner)
				return writing{j, s}, found, end, err
			}
			c := card.New(slotsInMemory * journal.SlotSize)
			a, b := c.Files()
			if err := journal.InstallFiles(a, b, slotsInMemory, owner); err != nil {
				return nil, kept{}, nil, err
			}
			j, found, err := journal.OpenFiles(a, b, owner)
			if err != nil {
				return nil, kept{}, nil, err
			}
			return writing{&store{journal: j}, s}, read(found), j.Close, nil
		},
		bench: func(e config.EVSE) (*bench, error) {
			if s.keep {
				return newBench(s.clock.Now, demoCar, filepath.Join(s.cfg.StateDir, "bench-"+strconv.Itoa(e.ID)))
			}
			return newBench(s.clock.Now, demoCar, "")
		},
		around: func(m evse.Meter) evse.Meter { return taking{m, s} },
		watch:  []evse.Watcher{screen, s.beats},
	}
}

// code is that of the first EVSE, at which the driver charges.
func (s *stage) code() string { return s.cfg.EVSEs[0].Code }

// unit is that EVSE.
func (s *stage) unit() *evse.EVSE { return s.parts.units[s.code()] }

// slotsInMemory is the size of the demo's journal, in slots a file.
const slotsInMemory = 8

func (s *stage) welcome(w io.Writer) {
	fmt.Fprintf(w, "Stolpe demo: one post, a car, and a payment service, all simulated. No money moves.\n\n")
	fmt.Fprintf(w, "  The driver's page:  %s/%s   (in English: %s/en/%s)\n", s.url, s.code(), s.url, s.code())
	fmt.Fprintf(w, "  All payments:       %s/till   (approve, refuse, or break things)\n", s.till.url)
	s.tellDisplay(w)
	fmt.Fprintf(w, "  Time runs %d times as fast as life. Ctrl-C ends a charge, settles it, and ends the demo.\n\n", s.speed)
}

// farewell says what became of the last charge.
func (s *stage) farewell(w io.Writer) {
	state, _, _ := s.unit().Snapshot()
	fmt.Fprintln(w)
	if n := len(state.Debts); n > 0 {
		fmt.Fprintf(w, "Ended with %d payment(s) not settled: the simulated service is gone with the demo.\n", n)
		return
	}
	if n := len(state.Done); n > 0 {
		d := state.Done[n-1]
		fmt.Fprintf(w, "The last charge, %s: %v used, %v captured, %v released. Everything is settled.\n",
			s.unit().Rules().Ref(d.Number), d.End-d.Start, d.Captured, d.Released)
		return
	}
	fmt.Fprintln(w, "Nobody charged, nothing was reserved.")
}

// showcase shows the post in the terminal: drawn over in a real one, a block at
// each change of state otherwise.
type showcase struct {
	out      io.Writer
	post     display.Post
	rules    *session.Rules
	quiet    bool
	terminal bool
	colour   bool
	drawn    bool
	last     display.State
	at       time.Time
}

// redraw is how often a terminal is drawn over. Chosen by us: as often as an eye
// follows a number.
const redraw = 200 * time.Millisecond

// Saw draws the newest state.
func (s *showcase) Saw(m evse.Moment) {
	if s.quiet {
		return
	}
	v := s.rules.View(&m.After, m.Now)
	changed := !s.drawn || v.State != s.last
	if !changed && (!s.terminal || time.Since(s.at) < redraw) {
		return
	}
	var b bytes.Buffer
	if s.terminal && s.drawn {
		fmt.Fprintf(&b, "\x1b[%dA\x1b[J", term.Height)
	}
	if err := term.Draw(&b, display.EN, s.post, v, s.terminal && s.colour); err != nil {
		return // a buffer takes everything
	}
	s.drawn, s.last, s.at = true, v.State, time.Now()
	if _, err := s.out.Write(b.Bytes()); err != nil {
		s.quiet = true // nobody reads any more
	}
}
