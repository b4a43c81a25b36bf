package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/payment"
	"stolpe/payment/vipps"
)

// Chosen by us.
const (
	// skewMost is how far the clock may be off. The service says nothing of a limit;
	// certificates and the times on receipts begin to be wrong with minutes.
	skewMost = time.Minute
	// reachWithin is how long the post's own public address may take to answer.
	reachWithin = 10 * time.Second
)

// pinger looks at the way to the money. It moves none.
type pinger struct {
	cfg    config.Config
	client *vipps.Client // nil where a gateway is asked
	asks   evse.Payments // the gateway, where it is asked
}

// How something is that was looked at.
const (
	pingOK   = "ok"
	pingWarn = "warn"
	pingFail = "fail"
	pingOff  = "off" // not there, and need not be
)

// pinged is what was looked at.
type pinged struct {
	What  string `json:"what"`
	State string `json:"state"`
	Text  string `json:"text"`
	Do    string `json:"do,omitempty"` // what to do about it
	Took  int64  `json:"ms,omitempty"` // ms
}

// pingJSON is what a ping tells.
type pingJSON struct {
	Through string   `json:"through"`
	MSN     string   `json:"msn,omitempty"`
	Looked  []pinged `json:"looked_at"`
}

// sound says whether nothing has failed.
func (j *pingJSON) sound() bool {
	return !slices.ContainsFunc(j.Looked, func(p pinged) bool { return p.State == pingFail })
}

// ping looks at everything, one after the other.
func (p *pinger) ping(ctx context.Context) pingJSON {
	j := pingJSON{Through: string(p.cfg.Payment.Through)}
	if p.client == nil {
		j.Looked = []pinged{p.gateway(ctx)}
		return j
	}
	j.MSN = p.cfg.Payment.Vipps.MSN
	token, clock := p.token(ctx)
	j.Looked = []pinged{token, clock}
	if token.State != pingFail {
		j.Looked = append(j.Looked, p.unit(ctx), p.webhook(ctx))
	}
	return j
}

// failedPing says what a person does about an error.
func failedPing(what string, err error) pinged {
	return pinged{What: what, State: pingFail, Text: err.Error(), Do: next(err)}
}

// token asks for a token, and compares the clocks.
func (p *pinger) token(ctx context.Context) (token, clock pinged) {
	got, err := p.client.Ping(ctx)
	token = pinged{What: "token", State: pingOK, Took: got.Took.Milliseconds(), Text: "expires in " + got.Life.Round(time.Minute).String()}
	if err != nil {
		token = failedPing("token", err)
	}
	clock = pinged{What: "clock", State: pingOff, Text: "the service did not tell its time"}
	if got.Dated {
		ahead := got.Ahead.Round(100 * time.Millisecond)
		clock.State, clock.Text = pingOK, fmt.Sprintf("%v ahead of the service's", ahead)
		if ahead < 0 {
			clock.Text = fmt.Sprintf("%v behind the service's", -ahead)
		}
		if ahead.Abs() > skewMost {
			clock.State, clock.Do = pingFail, "let the machine get the time from the network (timedatectl status), and look at its battery clock"
		}
	}
	return token, clock
}

// nobodys is a reference that no charge ever gets: reading it back tells whether the sales
// unit can be read.
func nobodys(cfg config.Config) payment.Ref {
	const never = 999_999_999_999 // charges; a century of them would not come near
	return payment.NewRef(cfg.Post.ID, cfg.EVSEs[0].ID, never)
}

// environment is the word for where the service is.
func environment(cfg config.Config) string {
	switch base := cfg.Payment.Vipps.BaseURL; {
	case cfg.Payment.Through == config.ThroughSim:
		return "simulated: no money moves"
	case base == vippsLive:
		return "production"
	case base == vippsTest:
		return "test environment: no money moves"
	default:
		return base
	}
}

// unit reads a payment of the sales unit that does not exist.
func (p *pinger) unit(ctx context.Context) pinged {
	began := time.Now()
	a, err := p.client.Ask(ctx, payment.Order{Ref: nobodys(p.cfg)})
	if err == nil && a.Status != payment.Missing {
		err = fmt.Errorf("a payment that does not exist is %v", a.Status)
	}
	if err != nil {
		return failedPing("sales unit", err)
	}
	return pinged{What: "sales unit", State: pingOK, Text: strings.TrimSpace(fmt.Sprintf("%s can be read; %s", p.cfg.Payment.Vipps.MSN, environment(p.cfg))), Took: time.Since(began).Milliseconds()}
}

// gateway reads a payment that does not exist, by way of broker and gateway.
func (p *pinger) gateway(ctx context.Context) pinged {
	began := time.Now()
	a, err := p.asks.Ask(ctx, payment.Order{Ref: nobodys(p.cfg)})
	took := time.Since(began).Milliseconds()
	switch {
	case a.Status == payment.Missing:
		return pinged{What: "gateway", State: pingOK, Text: "answers, and its sales unit for this post can be read", Took: took}
	case err != nil:
		return pinged{What: "gateway", State: pingFail, Took: took, Text: err.Error(),
			Do: "look at the broker first (stolpe mqtt status), then at the gateway: its log says what it refuses"}
	}
	return pinged{What: "gateway", State: pingFail, Took: took, Text: fmt.Sprintf("answers %v for a payment that does not exist (%s)", a.Status, a.Code),
		Do: "look at the log of the gateway: the sales unit of this post may be missing there, or its keys wrong"}
}

// webhook says whether the service tells the post what happens to payments: whether the
// address is registered, and whether the post itself can be reached there.
func (p *pinger) webhook(ctx context.Context) pinged {
	if p.cfg.Payment.Through != config.ThroughVipps || !p.cfg.Payment.Vipps.Webhooks {
		return pinged{What: "webhook", State: pingOff, Text: "not wanted (payment.vipps.webhooks); the post asks by itself"}
	}
	ours := p.cfg.Web.PublicURL + hooksPath
	all, err := p.client.Hooks(ctx)
	if err != nil {
		return failedPing("webhook", err)
	}
	if !slices.ContainsFunc(all, func(h vipps.Hook) bool { return h.URL == ours }) {
		return pinged{What: "webhook", State: pingFail, Text: ours + " is not registered with the service",
			Do: "the daemon registers it within ten minutes of its start: see stolpe logs; until then the post asks by itself"}
	}
	if err := reach(ctx, ours); err != nil {
		return pinged{What: "webhook", State: pingFail, Text: err.Error(),
			Do: "see that web.public_url leads to this post from outside: name, certificate, reverse proxy; until then the post asks by itself"}
	}
	return pinged{What: "webhook", State: pingOK, Text: "registered, and answers at " + ours}
}

// reach says whether the post's receiver of webhooks answers at its public address: it
// turns away what nobody has signed.
func reach(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	a, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("not reached from here: %w", err)
	}
	if err := a.Body.Close(); err != nil {
		return err
	}
	if a.StatusCode != http.StatusUnauthorized {
		return fmt.Errorf("%s answers %s, and what nobody has signed should be turned away (401): somebody else answers there", url, a.Status)
	}
	return nil
}

// errPing ends a command whose ping has failed.
var errPing = errors.New("the way to the money is not sound")
