package main

import (
	"context"
	"net/http"
	"sync"

	"stolpe/payment"
	"stolpe/payment/vipps"
)

// hooksPath is where the payment service tells of what happens to payments: below it
// stands the number of the sales unit. No post can have it for a code.
const hooksPath = "/webhooks/vipps/"

// receivers take in the webhooks of all sales units, and turn each into a nudge for
// the post whose payment it is about. Nothing of what they say is believed: the post
// reads the payment back.
type receivers struct {
	nudge func(ctx context.Context, tenant string, ref payment.Ref)
	count func()

	mu   sync.Mutex
	now  map[string]*vipps.Receiver // by MSN
	stop context.CancelFunc         // of those that deliver now
	done sync.WaitGroup
}

// open lets the units of a configuration take over.
func (v *receivers) open(ctx context.Context, s settings, o vipps.ReceiverOptions) error {
	now := map[string]*vipps.Receiver{}
	for _, x := range s.Units {
		if len(x.Hooks) == 0 {
			continue
		}
		var secrets []string
		for _, h := range x.Hooks {
			secrets = append(secrets, h.Reveal())
		}
		o.URL, o.MSN, o.Secrets = s.PublicURL+hooksPath+x.MSN, x.MSN, func() []string { return secrets }
		o.Hint = func(h vipps.Hint) {
			v.count()
			within, cancel := context.WithTimeout(ctx, nudgeWithin)
			defer cancel()
			if h.Ref.Post() != "" {
				v.nudge(within, x.Tenant, h.Ref)
			}
		}
		r, err := vipps.NewReceiver(o)
		if err != nil {
			return err
		}
		now[x.MSN] = r
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.stop != nil {
		v.stop() // what its receivers still had is found out by polling
	}
	var deliver context.Context
	deliver, v.stop = context.WithCancel(ctx)
	for _, r := range now {
		v.done.Go(func() { r.Deliver(deliver) })
	}
	v.now = now
	return nil
}

// ServeHTTP takes in one delivery.
func (v *receivers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	receiver := v.now[r.PathValue("msn")]
	v.mu.Unlock()
	if receiver == nil {
		http.NotFound(w, r)
		return
	}
	receiver.ServeHTTP(w, r)
}
