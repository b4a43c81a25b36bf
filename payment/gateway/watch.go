package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"time"

	"stolpe/agent/mqtt"
	"stolpe/agent/telemetry"
	"stolpe/agent/telemetry/fleet"
	"stolpe/agent/telemetry/fleet/page"
	"stolpe/agent/telemetry/fleet/store"
	"stolpe/display/web"
	"stolpe/payment/envelope"
)

// Chosen by us.
const (
	// keepEvery is how often statistics are written: what is lost with a gateway that
	// is killed is made again from what posts show of themselves. What was counted is
	// written within countEvery, so that counters do not go back.
	keepEvery  = 5 * time.Minute
	countEvery = 5 * time.Second
	watchEvery = time.Minute
	// lastWithin is for how long the last statistics are written. Ten thousand posts take
	// longer on a slow disk, and lose a few minutes.
	lastWithin = 10 * time.Second
	// settleDown is how long what came before a connection broke may still be handled.
	settleDown = 500 * time.Millisecond
)

// watch listens to what posts tell, keeps what a fleet makes of it, and shows it. It
// has nothing to do with money, and nothing with the connection that has.
type watch struct {
	settings watching
	fleet    *fleet.Fleet
	store    *store.Store
	conn     *mqtt.Conn
	odd      func() // counts a message that was not taken
	log      *slog.Logger

	pages *page.Pages // nil for none
	serve net.Listener
	cert  atomic.Pointer[tls.Certificate]
}

// watch makes the watch of a gateway; nil if the fleet is not watched. Nothing runs yet.
func (g *gateway) watch(work context.Context, odd func()) (*watch, error) {
	if g.settings.Fleet == nil {
		return nil, nil
	}
	s := *g.settings.Fleet
	w := &watch{settings: s, fleet: fleet.New(s.Zone), odd: odd, log: g.log}
	w.fleet.Announce(s.Announced)
	if err := w.restore(time.Now()); err != nil {
		return nil, err
	}
	any := envelope.Root + "+/+/"
	o := mqtt.Options{URL: g.settings.MQTT.URL, ClientID: s.ClientID, Retry: g.settings.MQTT.Retry, Log: g.log, Handle: w.take, Ready: func(ctx context.Context) { w.listening(ctx, work) }, Filters: []string{
		any + envelope.AvailabilityLeaf, any + string(telemetry.InfoLeaf), any + string(telemetry.HealthLeaf),
		any + "evse/+/" + string(telemetry.StateLeaf), any + "evse/+/" + string(telemetry.PriceLeaf), any + string(telemetry.EventLeaf) + "/+",
	}}
	var err error
	if s.Cert != "" {
		if o.TLS, err = mqtt.TLS(g.settings.MQTT.CA, s.Cert, s.Key); err != nil {
			return nil, coded{fmt.Errorf("fleet: %w", err), exitConfig}
		}
	}
	if w.conn, err = mqtt.New(o); err != nil {
		return nil, coded{fmt.Errorf("fleet: %w", err), exitConfig}
	}
	if s.Listen == "" {
		return w, nil
	}
	return w, w.open(work)
}

// restore takes in what was kept.
func (w *watch) restore(now time.Time) (err error) {
	if w.store, err = store.Open(w.settings.StateDir, fleet.MaxKept); err != nil {
		return fmt.Errorf("fleet.state_dir: %w", err)
	}
	return w.store.Load(func(tenant, post string, text []byte) (bool, error) {
		return w.fleet.Restore(now, tenant, post, text)
	}, func(err error) { w.log.Warn("statistics of a post are not read, and begin anew", "err", err) })
}

// open makes the pages and listens for whoever wants to see them.
func (w *watch) open(work context.Context) (err error) {
	s := w.settings
	w.pages, err = page.New(page.Options{Fleet: w.fleet, Logins: s.Logins, Proxy: page.Proxy{Secret: s.Secret.Reveal(), User: s.UserHeader},
		Listening: w.conn.Connected, Zone: s.Zone, Now: time.Now, Ends: work.Done(), Log: w.log})
	if err != nil {
		return err
	}
	var settings *tls.Config
	if s.TLS.Cert != "" {
		if settings, err = w.secure(); err != nil {
			return coded{fmt.Errorf("fleet.tls: %w", err), exitConfig}
		}
	}
	if w.serve, err = net.Listen("tcp", s.Listen); err != nil {
		return fmt.Errorf("fleet.listen: %w", err)
	}
	if settings != nil {
		w.serve = tls.NewListener(w.serve, settings)
	}
	w.log.Info("serving the fleet's pages", "listen", w.serve.Addr().String(), "tls", settings != nil, "logins", len(s.Logins))
	return nil
}

// secure makes the settings of TLS. Who has no certificate may be a proxy.
func (w *watch) secure() (*tls.Config, error) {
	if err := w.readCert(); err != nil {
		return nil, err
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return w.cert.Load(), nil }}
	if w.settings.TLS.ClientCA == "" {
		return t, nil
	}
	pem, err := os.ReadFile(w.settings.TLS.ClientCA)
	if err != nil {
		return nil, err
	}
	t.ClientCAs = x509.NewCertPool()
	if !t.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate in it", w.settings.TLS.ClientCA)
	}
	t.ClientAuth = tls.VerifyClientCertIfGiven
	if w.settings.Secret.Reveal() == "" {
		t.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return t, nil
}

// readCert reads the certificate of the pages.
func (w *watch) readCert() error {
	if w.settings.TLS.Cert == "" {
		return nil
	}
	c, err := tls.LoadX509KeyPair(w.settings.TLS.Cert, w.settings.TLS.Key)
	if err == nil {
		w.cert.Store(&c)
	}
	return err
}

// reload lets new logins and announcements take over, and a new certificate. Without
// the section, nobody may see anything any more.
func (w *watch) reload(s *watching) {
	if w == nil {
		return
	}
	if s == nil {
		s = &watching{}
	}
	w.fleet.Announce(s.Announced)
	if w.pages != nil {
		w.pages.Admit(s.Logins)
	}
	if err := w.readCert(); err != nil {
		w.log.Error("the certificate of the fleet's pages cannot be read; the one before stays in use", "err", err)
	}
}

// take takes in a message. It never waits.
func (w *watch) take(m mqtt.Message) {
	tenant, post, leaf, ok := envelope.Split(m.Topic)
	if !ok {
		return
	}
	var err error
	if leaf == envelope.AvailabilityLeaf {
		err = w.fleet.Reach(time.Now(), tenant, post, string(m.Payload) == envelope.Online)
	} else {
		err = w.fleet.Take(time.Now(), tenant, post, telemetry.Leaf(leaf), m.Payload, m.Retained)
	}
	if err != nil {
		w.odd()
		w.log.Debug("what a post tells is not taken", "err", err)
	}
}

// listening waits for the end of a connection. What was under way is handled before
// the fleet takes it for good that nobody listens.
func (w *watch) listening(ctx, work context.Context) {
	<-ctx.Done()
	w.fleet.Deaf(time.Now())
	select {
	case <-work.Done():
	case <-time.After(settleDown):
		w.fleet.Deaf(time.Now())
	}
}

// run listens, keeps and shows, in what keep runs.
func (w *watch) run(keep func(func(context.Context) error)) {
	keep(w.conn.Run)
	keep(func(ctx context.Context) error { w.tend(ctx); return nil })
	if w.pages != nil {
		keep(func(ctx context.Context) error { return web.Serve(ctx, w.serve, w.pages) })
	}
}

// tend looks after the posts that are silent, and keeps what is known.
func (w *watch) tend(ctx context.Context) {
	looks, counts, keeps := time.NewTicker(watchEvery), time.NewTicker(countEvery), time.NewTicker(keepEvery)
	defer looks.Stop()
	defer counts.Stop()
	defer keeps.Stop()
	for {
		select {
		case now := <-looks.C:
			if w.conn.Connected() {
				w.fleet.Watch(now)
			}
		case now := <-counts.C:
			w.keep(now, w.fleet.KeepCounts, countEvery)
		case now := <-keeps.C:
			w.keep(now, w.fleet.Keep, keepEvery)
		case <-ctx.Done():
			now := time.Now()
			w.fleet.Deaf(now)
			w.keep(now, w.fleet.Keep, lastWithin)
			return
		}
	}
}

var errLate = errors.New("there was no time for all of them")

// keep writes what one of the fleet's methods gives, for so long at most.
func (w *watch) keep(now time.Time, all func(time.Time, func(tenant, post string, text []byte) error) error, most time.Duration) {
	began := time.Now()
	err := all(now, func(tenant, post string, text []byte) error {
		if time.Since(began) > most {
			return errLate
		}
		return w.store.Save(tenant, post, text)
	})
	if err != nil {
		w.log.Warn("statistics of posts are not kept", "err", err)
	}
}
