package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"

	till "stolpe/payment/sim"
)

// tillOptions are the flags of a demo that is the payment service alone.
type tillOptions struct {
	only   bool
	faults string
	payer  string
}

// check says which flags do not go together.
func (o demoOptions) check() error {
	switch {
	case o.speed < 1 || o.speed > maxSpeed:
		return fmt.Errorf("--speed %d: want 1 to %d times as fast as life", o.speed, maxSpeed)
	case o.json && !o.once:
		return errors.New("--json: prints what came of one charge; add --once")
	case o.till.only && (o.once || o.speed != 1):
		return errors.New("--till-only: serves the payment service alone, in real time; leave out --once, --json and --speed")
	case !o.till.only && o.till.faults+o.till.payer != "":
		return errors.New("--faults and --payer: are of the payment service alone; add --till-only")
	}
	return nil
}

// tillOnly serves the simulated payment service for others to test against, until
// ctx ends.
func tillOnly(ctx context.Context, o demoOptions, stdout, stderr io.Writer) error {
	payer, err := till.ParsePayer(o.till.payer)
	if err != nil {
		return fmt.Errorf("--payer: %w", err)
	}
	if err := till.NewTill(till.Options{}).SetScript(o.till.faults); err != nil { // before anything is opened
		return fmt.Errorf("--faults: %w", err)
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	s, err := serveTillAt(context.WithoutCancel(ctx), o.listen, till.Options{Payer: payer, Hands: true, Log: log})
	if err != nil {
		return failed(fmt.Errorf("%w; choose another address with --listen", err))
	}
	if err := s.SetScript(o.till.faults); err != nil {
		return errors.Join(fmt.Errorf("--faults: %w", err), s.Close())
	}
	s.introduce(stdout)
	select {
	case <-ctx.Done():
	case err := <-s.done:
		s.done <- err // for Close
	}
	return failed(s.Close())
}

// introduce says how to reach the service, and how to make a post use it.
func (s *simulated) introduce(w io.Writer) {
	fmt.Fprintf(w, `A simulated payment service. No money moves. Ctrl-C ends it, and everything in it is gone.

  base URL          %[1]s
  page              %[1]s/till   (payments and faults; whoever reaches it may press its buttons)
  MSN               %[2]s
  client id         %[3]s
  client secret     %[4]s
  subscription key  %[5]s

For a post, in its environment:

  export VIPPS_CLIENT_ID=%[3]s
  export VIPPS_CLIENT_SECRET=%[4]s
  export VIPPS_SUBSCRIPTION_KEY=%[5]s

and in its configuration:

payment:
  through: vipps
  vipps:
    base_url: "%[1]s"
    msn: "%[2]s"
    client_id: "env:VIPPS_CLIENT_ID"
    client_secret: "env:VIPPS_CLIENT_SECRET"
    subscription_key: "env:VIPPS_SUBSCRIPTION_KEY"

`, s.url, s.keys.MSN, s.keys.ClientID, s.keys.ClientSecret, s.keys.SubscriptionKey)
}

// everywhere says whether an address is one for all of the machine's own, which
// no link can begin with.
func everywhere(a net.Addr) bool {
	tcp, is := a.(*net.TCPAddr)
	return is && tcp.IP.IsUnspecified()
}
