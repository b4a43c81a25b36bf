package sim

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// onALine is what each fault makes of the answer to askPower, on a line and
// behind a converter alike. NoAnswer, Late, HangUp and UnplugNow have no bytes to
// look at and are tested apart.
func onALine() map[WireFault][]byte {
	refusal := []byte{0x07, 0x84, 0x04, 0xA2, 0xC2}
	endless := []byte{0x07, 0x04, 0xFF, 0x46, 0x2B, 0xE0, 0x00}
	for len(endless) < 300 {
		endless = append(endless, byte(len(endless)))
	}
	return map[WireFault][]byte{
		Sound:          sayPower,
		Twice:          append(bytes.Clone(sayPower), sayPower...),
		WrongUnit:      {0x08, 0x04, 0x04, 0x46, 0x2B, 0xE0, 0x00, 0x4E, 0x04},
		WrongFunction:  {0x07, 0x03, 0x04, 0x46, 0x2B, 0xE0, 0x00, 0xB0, 0xB3},
		WrongCount:     {0x07, 0x04, 0x02, 0x46, 0x2B, 0xE0, 0x00, 0x39, 0x04},
		Short:          {0x07, 0x04, 0x00, 0xC2, 0xC1},
		Truncated:      sayPower[:6],
		Endless:        sealRTU(endless),
		Exception:      refusal,
		SplitException: refusal,
		Garbage:        {7, 48, 89, 130, 171, 212, 253, 38, 79},
		Dribble:        sayPower,
		WrongCRC:       append(bytes.Clone(sayPower[:8]), 0x04^0xFF),
		Echo:           append(bytes.Clone(askPower), sayPower...),
		Noise:          append([]byte{0xFF, 0x00, 0xFC}, sayPower...),
		NoiseAfter:     append(bytes.Clone(sayPower), 0xFF, 0x00, 0xFC),
		Split:          sayPower,
	}
}

// atLeast is how long the faults take that bring an answer in pieces.
func atLeast() map[WireFault]time.Duration {
	return map[WireFault]time.Duration{Dribble: 8 * dribbleGap, SplitException: dribbleGap, Split: 2 * splitGap}
}

// spoilOne lets each fault of a wire spoil one answer.
func spoilOne(t *testing.T, w Wire, open func(*testing.T) (*meters, conn)) {
	apart := map[WireFault]bool{NoAnswer: true, Late: true, HangUp: true, UnplugNow: true}
	cases := onALine()
	for i := range WireFaults {
		fault := WireFault(i)
		if !fault.On(w) || apart[fault] {
			continue
		}
		t.Run(fault.String(), func(t *testing.T) {
			m, port := open(t)
			if err := m.Wire(fault); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			say(t, port, askPower)
			hear(t, port, cases[fault])
			if took := time.Since(start); took < atLeast()[fault] {
				t.Errorf("after %v, want at least %v", took, atLeast()[fault])
			}
			say(t, port, askPower) // after a silence: nothing else came
			hear(t, port, sayPower)
		})
	}
}

func TestWireFaultsOfALineSpoilOneAnswer(t *testing.T) {
	spoilOne(t, RTU, func(t *testing.T) (*meters, conn) {
		l := wired(t, Serial{})
		return &l.meters, master(t, l)
	})
}

func TestWireFaultsOfAConverterSpoilOneAnswer(t *testing.T) {
	spoilOne(t, RTUOverTCP, func(t *testing.T) (*meters, conn) {
		s := converted(t)
		return &s.meters, client(t, s)
	})
}

// converted gives a converter with the meter of a car charging as unit 7.
func converted(t *testing.T) *Server {
	t.Helper()
	meter, _ := billing("22110345")
	s, err := ServeRTUOverTCP("127.0.0.1:0", Units{7: meter})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestAConverterPassesOnWhatALineWouldSay(t *testing.T) {
	s := converted(t)
	if !strings.HasPrefix(s.URL(), "rtuovertcp://127.0.0.1:") {
		t.Errorf("url %s", s.URL())
	}
	port := client(t, s)
	for range 2 {
		say(t, port, askPower)
		hear(t, port, sayPower)
		say(t, port, askNobody)
		say(t, port, askAll)
		say(t, port, askSerial[:5])
	}
	s.Wire(HangUp)
	say(t, port, askPower)
	port.SetReadDeadline(time.Now().Add(patience))
	if _, err := port.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("error %v, want the end", err)
	}
}

func TestALostAnswerIsSilenceOnALine(t *testing.T) {
	meter, _ := billing("22110345")
	a := asked{meter, make(chan struct{}, 9)}
	l := lined(t, Units{7: a}, Serial{})
	port := master(t, l)
	l.Wire(NoAnswer)
	say(t, port, askPower)
	<-a.told
	say(t, port, askSerial)
	hear(t, port, saySerial)
}

func TestALateAnswerComesLateOnALine(t *testing.T) {
	l := wired(t, Serial{})
	port := master(t, l)
	l.Wire(Late)
	start := time.Now()
	say(t, port, askPower)
	hear(t, port, sayPower)
	if took := time.Since(start); took < lateBy {
		t.Errorf("after %v, want at least %v", took, lateBy)
	}
	say(t, port, askSerial)
	hear(t, port, saySerial)
}

func TestALateAnswerComesBeforeTheNextOnALine(t *testing.T) {
	meter, _ := billing("22110345")
	a := asked{meter, make(chan struct{}, 9)}
	l := lined(t, Units{7: a}, Serial{Delay: 1})
	port := master(t, l)
	l.Wire(Late)
	port.Write(askPower)
	<-a.told
	port.Write(askSerial)
	hear(t, port, sayPower)
	hear(t, port, saySerial)
}

func TestALateAnswerIsLostWhenItIsTooLate(t *testing.T) {
	m, err := newMeters(RTUOverTCP, nil)
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe() // a write that nobody takes would stand still
	defer far.Close()
	defer near.Close()
	to := talk{meters: &m, conn: near}
	m.late <- held{sayPower, time.Now()}
	if err := to.overdue(); err != nil || len(m.late) > 0 {
		t.Errorf("%v, and %d are held", err, len(m.late))
	}
}

func TestAnAdapterThatEchoesAlwaysDoes(t *testing.T) {
	port := master(t, wired(t, Serial{Echo: true}))
	for _, c := range [][2][]byte{{askPower, sayPower}, {askNobody, nil}, {askPower[:3], nil}, {askSerial, saySerial}} {
		say(t, port, c[0])
		hear(t, port, append(bytes.Clone(c[0]), c[1]...))
	}
}

func TestAnAdapterIsPulledInTheMiddleOfAnAnswer(t *testing.T) {
	link := filepath.Join(t.TempDir(), "adapter")
	l := wired(t, Serial{Link: link})
	port := master(t, l)
	l.Wire(UnplugNow)
	say(t, port, askPower)
	port.SetReadDeadline(time.Now().Add(patience))
	came, err := io.ReadAll(port)
	if err != nil && !errors.Is(err, syscall.EIO) || len(came) >= len(sayPower) || !bytes.HasPrefix(sayPower, came) {
		t.Errorf("% x, %v; want at most half an answer and the end", came, err)
	}
	if _, err := os.Lstat(link); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the link: %v, want none", err)
	}
	if err := l.Plug(); err != nil {
		t.Fatal(err)
	}
	port = master(t, l)
	say(t, port, askPower)
	hear(t, port, sayPower)
	l.Wire(UnplugNow)
	say(t, port, askNobody) // no answer has a middle: it is pulled all the same
	port.SetReadDeadline(time.Now().Add(patience))
	if came, err := io.ReadAll(port); err != nil && !errors.Is(err, syscall.EIO) || len(came) > 0 {
		t.Errorf("% x, %v; want the end", came, err)
	}
}

func TestAWireHasItsOwnFaults(t *testing.T) {
	const tcp, rtu, over = 1 << TCP, 1 << RTU, 1 << RTUOverTCP
	wires := map[WireFault]int{WrongTransaction: tcp, WrongProtocol: tcp, HangUp: tcp | over,
		WrongCRC: rtu | over, Echo: rtu | over, Noise: rtu | over, NoiseAfter: rtu | over, UnplugNow: rtu}
	for _, w := range []Wire{TCP, RTU, RTUOverTCP} {
		m, err := newMeters(w, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range WireFaults {
			fault := WireFault(i)
			on, special := wires[fault]
			want := !special || on>>w&1 == 1
			if got := fault.On(w); got != want {
				t.Errorf("%s on %s: %v", fault, w, got)
			}
			if err := m.Wire(Sound, fault); (err == nil) != want {
				t.Errorf("%s put on %s: %v", fault, w, err)
			}
		}
		if WireFault(WireFaults).On(w) {
			t.Errorf("a fault too many on %s", w)
		}
	}
}
