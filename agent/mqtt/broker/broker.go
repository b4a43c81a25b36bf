// Package broker is an MQTT broker inside a program, for demonstrations on one
// machine and for tests.
//
// # Why
//
// Whoever tries the product should not have to install a broker first. It knows
// neither certificates nor rights, so it listens on the machine itself only; a
// real one is set up as the gateway's documentation says.
package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// sysEvery is how often it publishes what it knows of itself, s. Chosen by us: nobody
// listens to that, and every second would be most of its work.
const sysEvery = 3600

// errFar says that others than this machine could come.
var errFar = errors.New("not an address of the machine itself")

// Serve lets any client of this machine publish and subscribe, until ctx ends. It
// closes l. It keeps retained messages in memory only.
func Serve(ctx context.Context, l net.Listener, log *slog.Logger) error {
	defer l.Close()
	at, ok := l.Addr().(*net.TCPAddr)
	if !ok || !at.IP.IsLoopback() {
		return fmt.Errorf("serve MQTT on %s: %w", l.Addr(), errFar)
	}
	s := mochi.New(&mochi.Options{Logger: log, SysTopicResendInterval: sysEvery})
	if err := s.AddHook(new(auth.AllowHook), nil); err != nil {
		return fmt.Errorf("serve MQTT: %w", err)
	}
	if err := s.AddListener(listeners.NewNet("loopback", l)); err != nil {
		return fmt.Errorf("serve MQTT on %s: %w", at, err)
	}
	if err := s.Serve(); err != nil {
		return fmt.Errorf("serve MQTT on %s: %w", at, err)
	}
	<-ctx.Done()
	if err := s.Close(); err != nil {
		return fmt.Errorf("stop serving MQTT on %s: %w", at, err)
	}
	return nil
}
