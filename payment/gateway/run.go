package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/mqtt"
	"stolpe/display/paper"
	"stolpe/display/remote"
	"stolpe/display/web"
	"stolpe/payment/envelope"
	"stolpe/payment/relay"
	"stolpe/payment/vipps"
	"stolpe/systemd"
)

// Chosen by us.
const (
	askWithin   = 25 * time.Second // one asking; the client of the payment service takes 20 s at most
	nudgeWithin = 5 * time.Second
	// drainWithin is for how long work under way is waited for after the order to end:
	// longer than any asking takes.
	drainWithin = 30 * time.Second
	// maxStreams live pages at a time, some 10 kB each.
	maxStreams = 10_000
)

func runCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "run --config FILE",
		Short: "run the gateway",
		Long: `Run the gateway. Any number of them may run side by side, each with a client id of its own.

SIGHUP reads the configuration again: sales units, keys, webhooks and brands change at once, and so do the logins of the fleet's pages
and what is announced there; what is under way goes on.
SIGTERM ends it: no new work is taken, what has been taken is answered first.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := loadSettings(file)
			if err != nil {
				return coded{err, exitConfig}
			}
			log := slog.New(slog.NewJSONHandler(c.ErrOrStderr(), nil))
			return failed(serve(c.Context(), s, file, log))
		},
	}
	c.Flags().StringVar(&file, "config", defaultConfig, "configuration `file`")
	return c
}

// gateway is a gateway that runs.
type gateway struct {
	settings settings
	file     string
	units    units
	hooks    receivers
	traffic  traffic
	health   health
	watched  *watch // nil if the fleet is not watched
	log      *slog.Logger

	mu    sync.Mutex
	ready time.Time // since when the broker has been there without a break; zero while it is not
}

// serve runs a gateway until ctx ends and its work is done.
func serve(ctx context.Context, s settings, file string, log *slog.Logger) error {
	key, err := envelope.ParseKey(s.RelayKey.Reveal())
	if err != nil {
		return coded{fmt.Errorf("relay_key: %w", err), exitConfig}
	}
	pages, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	status, err := net.Listen("tcp", s.Status)
	if err != nil {
		return errors.Join(fmt.Errorf("status: %w", err), pages.Close())
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx)) // goes on while the last answers are sent
	defer stop()
	g := &gateway{settings: s, file: file, log: log}
	handler, err := g.wire(work, key)
	if err != nil {
		return errors.Join(err, pages.Close(), status.Close())
	}
	log.Info("serving", "id", s.MQTT.ClientID, "pages", s.PublicURL, "listen", pages.Addr().String(), "status", status.Addr().String(), "units", len(s.Units), "version", version)
	return g.run(ctx, work, stop, pages, status, handler)
}

// wire makes the parts and connects them; nothing runs yet.
func (g *gateway) wire(work context.Context, key envelope.Key) (http.Handler, error) {
	s, t := g.settings, &g.traffic
	began := time.Now()
	*t = traffic{id: s.MQTT.ClientID, key: key, log: g.log, dead: newDeadPosts(&g.units, g.log)}
	connected := func() bool { return t.conn.Connected() }
	t.figures = newFigures(connected, func() int { return len(t.dead.owed()) }, func() int { return t.relay.UnderWay() })
	t.pages = remote.NewGateway(remote.GatewayOptions{ID: t.id, Publish: t.publish, Connected: connected, Told: g.told, Dress: g.units.dress,
		Mono: func() time.Duration { return time.Since(began) }})
	t.relay = relay.NewServer(relay.ServerOptions{Unit: g.units.relayed, Publish: t.publish, Within: askWithin, Now: time.Now, Saw: t.figures.saw, Log: g.log})
	g.hooks = receivers{nudge: t.nudge, count: t.figures.hooked.Inc}
	g.health = health{connected: connected, figures: t.figures}
	if err := errors.Join(g.units.open(s, t.pages.Name), g.hooks.open(work, s, vipps.ReceiverOptions{Log: g.log})); err != nil {
		return nil, coded{err, exitConfig}
	}
	if err := g.connect(); err != nil {
		return nil, coded{err, exitConfig}
	}
	driver, err := web.New(t.pages, web.Options{PublicURL: s.PublicURL, Log: g.log, Streams: maxStreams, PDF: paper.Receipt})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", driver)
	mux.Handle(hooksPath+"{msn}", &g.hooks)
	g.watched, err = g.watch(work, t.figures.vain.Inc)
	g.health.watch = g.watched
	return mux, err
}

// connect makes the connection to the broker; it is not opened yet.
func (g *gateway) connect() (err error) {
	g.traffic.conn, err = g.dial(mqtt.Options{Handle: g.traffic.take, Filters: filters(g.settings.MQTT.ClientID, g.traffic.key), Ready: g.isReady})
	return err
}

// dial makes a connection for these options.
func (g *gateway) dial(o mqtt.Options) (conn *mqtt.Conn, err error) {
	m := g.settings.MQTT
	o.URL, o.ClientID, o.Retry, o.Log = m.URL, m.ClientID, m.Retry, g.log
	if m.Cert != "" {
		if o.TLS, err = mqtt.TLS(m.CA, m.Cert, m.Key); err != nil {
			return nil, err
		}
	}
	return mqtt.New(o)
}

// isReady notes since when the broker has been there.
func (g *gateway) isReady(ctx context.Context) {
	g.setReady(time.Now())
	if err := systemd.Ready(); err != nil {
		g.log.Warn("service manager does not listen", "err", err)
	}
	<-ctx.Done()
	g.setReady(time.Time{})
}

func (g *gateway) setReady(at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ready = at
}

// toldWithin is how long a broker may take to tell all that it keeps. Chosen by us: of
// 10,000 posts in a second.
const toldWithin = 3 * time.Second

// told says whether the broker has had time to tell all that it keeps.
func (g *gateway) told() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.ready.IsZero() && time.Since(g.ready) >= toldWithin
}

// mayRule says whether posts that seem dead may be settled for by the rule, and after
// how long: only where it is switched on, and by whoever has heard long enough from
// the broker who is there.
func (g *gateway) mayRule() (time.Duration, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	d := g.settings.Dead
	return d.After, d.Settle && !g.ready.IsZero() && time.Since(g.ready) >= deadEvery
}

// run runs everything until ctx ends; then it takes no new work, answers what it has
// taken, and says goodbye.
func (g *gateway) run(ctx, work context.Context, stop func(), pages, status net.Listener, handler http.Handler) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var last sync.WaitGroup // what goes on while the last answers are sent
	keep := func(f func(context.Context) error) {
		last.Go(func() {
			if err := f(work); err != nil {
				cancel(err)
			}
		})
	}
	keep(g.traffic.conn.Run)
	keep(func(ctx context.Context) error { return web.Serve(ctx, status, g.health.handler()) })
	keep(func(ctx context.Context) error { g.traffic.pages.Run(ctx); return nil })
	keep(func(ctx context.Context) error { g.traffic.dead.run(ctx, g.mayRule); return nil })
	if g.watched != nil {
		g.watched.run(keep)
	}
	var first sync.WaitGroup // what ends at once, when its work is done
	asked, noMore := context.WithCancel(work)
	first.Go(func() { g.traffic.relay.Run(asked) })
	first.Go(func() {
		if err := web.Serve(ctx, pages, handler); err != nil {
			cancel(err)
		}
	})
	g.reloadUntil(ctx, work)
	g.health.draining.Store(true)
	g.log.Info("told to end; what has been taken is answered first", "within", drainWithin)
	if err := systemd.Stopping(); err != nil {
		g.log.Warn("service manager does not listen", "err", err)
	}
	leave, done := context.WithTimeout(work, nudgeWithin)
	defer done()
	if err := g.traffic.conn.Leave(leave, sharing(g.traffic.key)); err != nil {
		g.log.Info("other gateways are not told to take over; posts will ask again", "err", err)
	}
	noMore()
	wait(&first, drainWithin)
	stop()
	last.Wait()
	g.hooks.done.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// wait waits for a group, but not for longer than so long.
func wait(group *sync.WaitGroup, most time.Duration) {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(most):
	}
}

// reloadUntil reads the configuration again at each SIGHUP, until ctx ends.
func (g *gateway) reloadUntil(ctx, work context.Context) {
	again := make(chan os.Signal, 1)
	signal.Ignore(syscall.SIGPIPE) // a log that ends before the program, as at a shutdown, would end it
	signal.Notify(again, syscall.SIGHUP)
	defer signal.Stop(again)
	for {
		select {
		case <-again:
			g.reload(work)
		case <-ctx.Done():
			return
		}
	}
}

// reload lets a new configuration take over, if nothing is wrong with it.
func (g *gateway) reload(work context.Context) {
	s, err := loadSettings(g.file)
	if err == nil {
		err = errors.Join(g.units.open(s, g.traffic.pages.Name), g.hooks.open(work, s, vipps.ReceiverOptions{Log: g.log}))
	}
	if err != nil {
		g.log.Error("the configuration is wrong; the one before stays in force", "err", err)
		return
	}
	g.mu.Lock()
	old := g.settings
	g.settings.Units, g.settings.Dead = s.Units, s.Dead
	g.mu.Unlock()
	g.watched.reload(s.Fleet)
	restart := old.Listen != s.Listen || old.Status != s.Status || old.PublicURL != s.PublicURL || old.MQTT != s.MQTT || !old.Fleet.same(s.Fleet)
	g.log.Info("configuration read again", "units", len(s.Units), "needs_restart", restart)
}
