package modbus

import (
	"os"
	"syscall"
	"testing"

	"stolpe/hal/sim"
)

// Signals come at any time: the runtime sends them to itself. None may look like a
// failure of the port.
func TestWaitingForTheWireOutlastsSignals(t *testing.T) {
	line, err := sim.ServeRTU(sim.Units{1: sim.SDM630(sim.NewRig(sim.Setup{}, new(sim.Clock).Now))}, sim.Serial{})
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	place, err := parseURL(line.URL())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := openSerial(place.address, factory)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
				syscall.Kill(os.Getpid(), syscall.SIGURG)
			}
		}
	}()
	for range 20_000 {
		if err := conn.(drainer).Drain(); err != nil {
			t.Error(err)
			break
		}
	}
	close(stop)
	<-ended
}
