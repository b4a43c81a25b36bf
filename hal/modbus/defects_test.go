package modbus_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	goburrow "github.com/goburrow/modbus"

	"stolpe/hal"
	"stolpe/hal/sim"
)

// Known defects of goburrow/modbus v0.1.0, as far as they can occur over TCP. Each
// test brings about what leads to the defect and shows that it is absent here;
// where goburrow's own TCP client has it, the test first shows that too, so that
// it is known to bring it about. One more, time-outs per byte, is in
// TestTheDeadlineIsForTheWholeAnswer, one, no silence before a request, in
// TestAMeterIsLeftInSilenceBeforeEachRequest, and one, a read of no bytes for
// ever, in TestAConnectionThatReadsNothingForEverIsAnError.

// raw gives goburrow's own client for the server.
func raw(t *testing.T, server *sim.Server) goburrow.Client {
	t.Helper()
	handler := goburrow.NewTCPClientHandler(strings.TrimPrefix(server.URL(), "tcp://"))
	handler.SlaveId, handler.Timeout = 1, patience
	t.Cleanup(func() { handler.Close() })
	return goburrow.NewClient(handler)
}

func TestDefectLateAnswerIsTakenForTheNext(t *testing.T) {
	t.Parallel()
	server, meter, want := charging(t, patience)
	server.Wire(sim.Late) // the serial's answer, which comes when the serial is asked for again
	if got, err := meter.Read(context.Background()); err == nil {
		t.Fatalf("a reading without an answer: %+v", got)
	}
	mustRead(t, meter, want)
	server.Wire(sim.Twice, sim.Twice) // the second copy is always the late one
	mustRead(t, meter, want)
	mustRead(t, meter, want)
	mustRead(t, meter, want)
}

func TestDefectOneTimeOutSpoilsAllLaterReads(t *testing.T) {
	t.Parallel()
	server, meter, want := charging(t, patience)
	theirs := raw(t, server)
	server.Wire(sim.Late)
	theirs.ReadInputRegisters(0x48, 2)
	for range 3 {
		if _, err := theirs.ReadInputRegisters(0x48, 2); err == nil {
			t.Fatal("goburrow recovered: this does not bring the defect about")
		}
	}
	mustRead(t, meter, want)
	server.Wire(sim.Late)
	if got, err := meter.Read(context.Background()); err == nil {
		t.Fatalf("a reading without an answer: %+v", got)
	}
	for range 3 {
		mustRead(t, meter, want)
	}
}

func TestDefectNoNewConnectionAfterThePeerClosed(t *testing.T) {
	t.Parallel()
	server, meter, want := charging(t, patience)
	theirs := raw(t, server)
	server.Wire(sim.HangUp)
	for range 3 {
		if _, err := theirs.ReadInputRegisters(0x48, 2); err == nil {
			t.Fatal("goburrow recovered: this does not bring the defect about")
		}
	}
	mustRead(t, meter, want)
	server.Wire(sim.HangUp)
	for range 3 {
		mustRead(t, meter, want)
	}
}

func TestDefectFewerRegistersThanAskedAreTaken(t *testing.T) {
	t.Parallel()
	server, meter, want := charging(t, patience)
	server.Wire(sim.Short)
	if got, err := raw(t, server).ReadInputRegisters(0x48, 2); err != nil || len(got) != 0 {
		t.Fatalf("goburrow gives % x, %v: this does not bring the defect about", got, err)
	}
	mustRead(t, meter, want)
	server.Wire(sim.Short)
	if got, err := meter.Read(context.Background()); err == nil {
		t.Fatalf("a reading from half an answer: %+v", got)
	}
	mustRead(t, meter, want)
}

func TestDefectASplitExceptionIsMisread(t *testing.T) {
	t.Parallel()
	server, meter, want := charging(t, patience)
	mustRead(t, meter, want)
	for range 2 {
		server.Wire(sim.SplitException)
		if _, err := meter.Read(context.Background()); err == nil || !strings.Contains(err.Error(), "device failure") {
			t.Errorf("%v, want the refusal", err)
		}
	}
	mustRead(t, meter, want)
}

// For the race detector, too.
func TestDefectExchangesAreNotSerialised(t *testing.T) {
	t.Parallel()
	server, meter, want := charging(t, patience)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 25 {
				got, err := meter.Read(context.Background())
				if got.At = 0; err == nil && got != want || err != nil && got != (hal.Reading{}) {
					t.Errorf("%+v, %v", got, err)
				}
			}
		})
	}
	server.Wire(sim.HangUp, sim.Short, sim.Twice, sim.Garbage)
	all.Wait()
	mustRead(t, meter, want)
}

// goburrow keeps the unit in one field for all who share a connection.
func TestDefectUnitsShareOneField(t *testing.T) {
	t.Parallel()
	server, meter, want := charging(t, patience)
	mustRead(t, meter, want)
	other, err := sim.Serve("127.0.0.1:0", 2, sim.NewRig(sim.Setup{Serial: "2", Register: 2}, leap()))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for _, url := range []string{server.URL(), other.URL()} {
		second := open(t, url, 2, patience)
		got, err := second.Read(context.Background())
		if right := url == other.URL(); right != (err == nil) || right && got.Serial != "2" {
			t.Errorf("unit 2 at %s: %+v, %v", url, got, err)
		}
		mustRead(t, meter, want)
	}
}
