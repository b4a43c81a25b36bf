package demo

import (
	"io"
	"log/slog"
	"net"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// broker is an MQTT broker inside this program, for clients of this machine only: it
// lets everybody do everything. What posts and gateways say is sealed all the same.
type broker struct {
	*mochi.Server
	url string
}

// serveBroker starts one.
func serveBroker() (*broker, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := mochi.New(&mochi.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := s.AddHook(new(auth.AllowHook), nil); err != nil {
		return nil, err
	}
	if err := s.AddListener(listeners.NewNet("loopback", l)); err != nil {
		return nil, err
	}
	return &broker{s, "mqtt://" + l.Addr().String()}, s.Serve()
}
