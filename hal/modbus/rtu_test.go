package modbus

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	goburrow "github.com/goburrow/modbus"

	"stolpe/hal"
	"stolpe/hal/modbus/meters"
)

// lined is wired for a serial line with this setting.
func lined(t *testing.T, s setting, peer func(net.Conn)) *Bus {
	b := wired(t, peer)
	b.place, b.line, b.encode = place{scheme: schemeRTU, address: "/dev/ttyUSB0", line: s}, s, encodeRTU
	return b
}

// theRead is a request for the registers 0x48 and 0x49 of unit 1, within a second.
func theRead(t testing.TB) *request { return requestTo(t, encodeRTU, 1, 4, 0x48, 2) }

// framed appends the checksum.
func framed(frame ...byte) []byte {
	return binary.LittleEndian.AppendUint16(slices.Clone(frame), checksum(frame))
}

// theAnswer is the one to theRead.
func theAnswer() []byte { return framed(1, 4, 4, 1, 2, 3, 4) }

// heard gives the next request; nil at the end of the connection.
func heard(conn net.Conn) []byte {
	frame := make([]byte, requestSize)
	if _, err := io.ReadFull(conn, frame); err != nil {
		return nil
	}
	return frame
}

var slow, usual = setting{1200, "N", 1}, setting{9600, "N", 1}

func TestTheSilenceOfALine(t *testing.T) {
	for _, c := range []struct {
		setting
		silence, character time.Duration
	}{
		{setting{1200, "N", 1}, 32_083_333, 8_333_333}, // ns
		{setting{9600, "N", 1}, 4_010_416, 1_041_666},
		{setting{9600, "E", 1}, 4_010_416, 1_145_833},
		{setting{9600, "O", 2}, 4_375_000, 1_250_000},
		{setting{19200, "N", 2}, 2_005_208, 572_916},
		{setting{38400, "N", 1}, 1_750_000, 260_416},
		{setting{115200, "E", 1}, 1_750_000, 95_486},
		{setting{}, 4_010_416, 0}, // a gateway's
	} {
		if s, w := c.silence, c.setting.silence(); s != w {
			t.Errorf("%v: T3.5 is %v, want %v", c.setting, w, s)
		}
		if got := c.wireTime(1); got != c.character {
			t.Errorf("%v: a character takes %v, want %v", c.setting, got, c.character)
		}
	}
}

func TestARequestComesAfterTheSilenceAndTheGap(t *testing.T) {
	for _, c := range []struct {
		gap   time.Duration
		pause time.Duration // of the caller
		want  time.Duration // between answer and request
	}{
		{0, 0, slow.silence()},
		{100 * time.Millisecond, 0, 100 * time.Millisecond},
		{100 * time.Millisecond, 90 * time.Millisecond, 90*time.Millisecond + slow.silence()}, // it is not enough to have waited: the line is listened to
		{0, time.Second, time.Second + slow.silence()},
	} {
		synctest.Test(t, func(t *testing.T) {
			var asked []time.Time
			b := lined(t, slow, func(conn net.Conn) {
				for heard(conn) != nil {
					asked = append(asked, time.Now())
					conn.Write(theAnswer())
				}
			})
			r := theRead(t)
			r.gap = c.gap
			start := time.Now()
			for range 2 {
				if got, err := b.ask(t.Context(), r); string(got) != right || err != nil {
					t.Fatalf("% x, %v", got, err)
				}
				time.Sleep(c.pause)
			}
			if first, second := asked[0].Sub(start), asked[1].Sub(asked[0]); first != slow.silence() || second != c.want {
				t.Errorf("gap %v, pause %v: asked after %v and %v, want %v and %v", c.gap, c.pause, first, second, slow.silence(), c.want)
			}
		})
	}
}

// A clock that stands still keeps nobody waiting longer than life does.
func TestAGapPassesInLifeAtTheLatest(t *testing.T) {
	for name, wired := range map[string]func(*testing.T) (*Bus, *request){
		"RTU": func(t *testing.T) (*Bus, *request) {
			return lined(t, usual, func(conn net.Conn) {
				for heard(conn) != nil {
					conn.Write(theAnswer())
				}
			}), theRead(t)
		},
		"TCP": func(t *testing.T) (*Bus, *request) { return wired(t, honest), mustRequest(t, 1, 4, 0x48, 2) },
	} {
		synctest.Test(t, func(t *testing.T) {
			b, r := wired(t)
			b.now = func() time.Duration { return 0 }
			r.gap = 100 * time.Millisecond
			start := time.Now()
			for range 3 {
				if got, err := b.ask(t.Context(), r); string(got) != right || err != nil {
					t.Fatalf("%s: % x, %v", name, got, err)
				}
			}
			if took := time.Since(start); took < 200*time.Millisecond || took > 300*time.Millisecond {
				t.Errorf("%s: took %v", name, took)
			}
		})
	}
}

// What comes between two exchanges answers nothing, and begins the silence anew.
func TestWhatComesOutOfTurnIsHeardAndForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked, spoke time.Time
		b := lined(t, usual, func(conn net.Conn) {
			for range 3 {
				conn.Write(framed(1, 4, 4, 9, 9, 9, 9)) // as if to an earlier request
				spoke = time.Now()
				time.Sleep(3 * time.Millisecond)
			}
			heard(conn)
			asked = time.Now()
			conn.Write(theAnswer())
		})
		got, err := b.ask(t.Context(), theRead(t))
		if string(got) != right || err != nil || asked.Sub(spoke) != usual.silence() {
			t.Errorf("% x, %v; asked %v after the last word", got, err, asked.Sub(spoke))
		}
	})
}

func TestALineThatNeverFallsSilentIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := lined(t, usual, func(conn net.Conn) {
			for {
				time.Sleep(2 * time.Millisecond)
				if _, err := conn.Write([]byte{0}); err != nil {
					return
				}
			}
		})
		start := time.Now()
		_, err := b.ask(t.Context(), theRead(t))
		if took := time.Since(start); err == nil || !strings.Contains(err.Error(), "not silent") || took < maxNoise || took > maxNoise+10*time.Millisecond {
			t.Errorf("%v after %v", err, took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond) // a second is quiet
		defer cancel()
		start = time.Now()
		if _, err := b.ask(ctx, theRead(t)); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 1500*time.Millisecond {
			t.Errorf("under a context: %v after %v", err, time.Since(start))
		}
	})
}

func TestTheDeadlineOfALineCountsItsSpeed(t *testing.T) {
	for s, onLine := range map[setting]time.Duration{slow: 17 * slow.wireTime(1), usual: 17 * usual.wireTime(1)} {
		synctest.Test(t, func(t *testing.T) {
			b := lined(t, s, func(conn net.Conn) {
				heard(conn)
				for _, c := range theAnswer() { // each byte is in time, the answer is not
					time.Sleep(400 * time.Millisecond)
					if _, err := conn.Write([]byte{c}); err != nil {
						return
					}
				}
			})
			start := time.Now()
			_, err := b.ask(t.Context(), theRead(t))
			want := s.silence() + onLine.Round(0) + time.Second
			if took := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) || took < want || took > want+time.Microsecond {
				t.Errorf("%v: %v after %v, want a time-out after %v", s, err, took, want)
			}
		})
	}
}

// After whatever failure nothing is asked for as long as an answer can take, and
// what comes meanwhile goes nowhere; after a refusal all goes on.
func TestAFailureIsFollowedByQuiet(t *testing.T) {
	for name, c := range map[string]struct {
		answer []byte
		after  time.Duration // from the failure to the next request
	}{
		"no answer":       {nil, time.Second + usual.silence()},
		"wrong checksum":  {append(theAnswer()[:7], 0, 0), time.Second + usual.silence()},
		"another unit":    {framed(2, 4, 4, 1, 2, 3, 4), time.Second + usual.silence()},
		"a refusal":       {framed(1, 0x84, 4), usual.silence()},
		"a false refusal": {framed(1, 0x84, 4, 0)[:5], time.Second + usual.silence()},
	} {
		synctest.Test(t, func(t *testing.T) {
			first, asked := true, time.Time{}
			b := lined(t, usual, func(conn net.Conn) {
				for heard(conn) != nil {
					answer := theAnswer()
					if first {
						first, answer = false, c.answer
					} else {
						asked = time.Now()
					}
					conn.Write(answer)
				}
			})
			if got, err := b.ask(t.Context(), theRead(t)); err == nil {
				t.Errorf("%s: % x", name, got)
			}
			failed := time.Now()
			got, err := b.ask(t.Context(), theRead(t))
			if string(got) != right || err != nil || asked.Sub(failed) != c.after {
				t.Errorf("%s: then % x, %v; asked after %v, want %v", name, got, err, asked.Sub(failed), c.after)
			}
		})
	}
}

// lenient takes a deadline although the other end is gone, as a port does and a
// pipe does not.
type lenient struct{ wire }

func (l lenient) SetDeadline(t time.Time) error {
	l.wire.SetDeadline(t)
	return nil
}

// An adapter that was pulled out while nothing was asked shows that before
// anything is sent, and then another try costs nothing.
func TestALineLostWhileIdleIsOpenedAgainAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := 0
		b := lined(t, usual, func(conn net.Conn) {
			opened++
			heard(conn)
			conn.Write(theAnswer())
			// and hangs up
		})
		pipe := b.dial
		b.dial = func(ctx context.Context) (wire, error) {
			conn, err := pipe(ctx)
			return lenient{conn}, err
		}
		for i := range 3 {
			if got, err := b.ask(t.Context(), theRead(t)); string(got) != right || err != nil {
				t.Fatalf("reading %d: % x, %v", i, got, err)
			}
			synctest.Wait()
		}
		if opened != 3 {
			t.Errorf("opened %d times", opened)
		}
	})
}

// Nothing was asked, so nothing can come late.
func TestGivingUpBeforeAskingLeavesTheLineAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []time.Time
		b := lined(t, usual, func(conn net.Conn) {
			for heard(conn) != nil {
				asked = append(asked, time.Now())
				conn.Write(theAnswer())
			}
		})
		r := theRead(t)
		r.gap = 100 * time.Millisecond
		if _, err := b.ask(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := b.ask(ctx, r); !errors.Is(err, context.DeadlineExceeded) || b.conn == nil {
			t.Errorf("%v, and connected: %t", err, b.conn != nil)
		}
		if _, err := b.ask(t.Context(), r); err != nil || len(asked) != 2 || asked[1].Sub(asked[0]) > 200*time.Millisecond {
			t.Errorf("%v, asked at %v", err, asked)
		}
	})
}

// A port that can be opened and is dead all the same is not opened all the time.
func TestADeadPortIsOpenedRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := 0
		b := lined(t, usual, func(net.Conn) { opened++ })
		pipe := b.dial
		b.dial = func(ctx context.Context) (wire, error) {
			conn, err := pipe(ctx)
			return lenient{conn}, err
		}
		for start := time.Now(); time.Since(start) < 10*time.Second; time.Sleep(10 * time.Millisecond) {
			if _, err := b.ask(t.Context(), theRead(t)); !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
		}
		if opened > 50 {
			t.Errorf("opened %d times in 10 s", opened)
		}
	})
}

// pieces is a line on which bytes come in pieces, and then nothing more.
type pieces struct {
	bytes []byte
	most  int // bytes a piece
}

func (p *pieces) Read(to []byte) (int, error) {
	n := copy(to, p.bytes[:min(p.most, len(p.bytes))])
	if n == 0 {
		return 0, os.ErrDeadlineExceeded
	}
	p.bytes = p.bytes[n:]
	return n, nil
}

func (p *pieces) Write(b []byte) (int, error) { return len(b), nil }
func (p *pieces) SetDeadline(time.Time) error { return nil }
func (p *pieces) Close() error                { return nil }
func received(r *request, p *pieces) ([]byte, error) {
	b := newBus(place{scheme: schemeRTU}, func() time.Duration { return 0 })
	size, err := b.answer(p, r)
	if err != nil {
		return nil, err
	}
	return r.fromRTU(b.buf[:size])
}

func TestAnEchoIsSkippedExactlyAndNothingElseIs(t *testing.T) {
	r := theRead(t)
	echo := r.adu
	one := requestTo(t, encodeRTU, 1, 3, 0x0248, 1) // begins as its own answer does
	oneAnswer := framed(1, 3, 2, 7, 8)
	for _, c := range []struct {
		name  string
		r     *request
		bytes []byte
		want  string // registers; empty: an error
	}{
		{"an answer", r, theAnswer(), right},
		{"an echo and an answer", r, slices.Concat(echo, theAnswer()), right},
		{"what follows is for the next to hear", r, append(theAnswer(), 0, 0, 1, 4), right},
		{"two echoes", r, slices.Concat(echo, echo, theAnswer()), ""},
		{"half an echo", r, slices.Concat(echo[:4], theAnswer()), ""},
		{"an echo of something else", r, slices.Concat(theRead(t).adu[:7], []byte{0}, theAnswer()), ""},
		{"an echo alone", r, echo, ""},
		{"a byte before", r, append([]byte{0}, theAnswer()...), ""},
		{"a byte between", r, slices.Concat(echo, []byte{1}, theAnswer()), ""},
		{"one register", one, oneAnswer, "\x07\x08"},
		{"an echo and one register", one, slices.Concat(one.adu, oneAnswer), "\x07\x08"},
	} {
		for most := 1; most <= len(c.bytes); most++ {
			got, err := received(c.r, &pieces{slices.Clone(c.bytes), most})
			if string(got) != c.want || (err == nil) != (c.want != "") {
				t.Errorf("%s, in pieces of %d: % x, %v; want % x", c.name, most, got, err, c.want)
			}
		}
	}
}

func TestTheChecksumIsTheStandards(t *testing.T) {
	// The example of the specification of the serial line: 02 07 has 41 12.
	if got := framed(2, 7); !bytes.Equal(got, []byte{2, 7, 0x41, 0x12}) {
		t.Errorf("% x", got)
	}
	if r := theRead(t); !bytes.Equal(framed(r.adu[:6]...), r.adu) {
		t.Errorf("% x is not what goburrow makes of it: % x", framed(r.adu[:6]...), r.adu)
	}
}

// FuzzRTUFrame looks at whatever comes after a request. What we take is the whole
// answer of this unit to this request with the right checksum, by goburrow's own
// arithmetic; and such an answer is taken, in whatever pieces it comes.
func FuzzRTUFrame(f *testing.F) {
	r := theRead(f)
	f.Add(theAnswer(), uint8(3))
	f.Add(slices.Concat(r.adu, theAnswer()), uint8(100))
	f.Add(framed(1, 0x84, 2), uint8(1))
	f.Add(framed(2, 4, 4, 1, 2, 3, 4), uint8(9))
	f.Add(framed(1, 4, 2, 1, 2), uint8(9))
	f.Add(append(theAnswer()[:7], 0, 0), uint8(9))
	f.Fuzz(func(t *testing.T, stream []byte, most uint8) {
		if len(stream) > maxFrame {
			return
		}
		got, err := received(r, &pieces{slices.Clone(stream), 1 + int(most)})
		frame := bytes.TrimPrefix(stream, r.adu)
		handler := goburrow.NewRTUClientHandler("")
		sound := func(size int) bool {
			if len(frame) < size {
				return false
			}
			_, err := handler.Decode(frame[:size])
			return err == nil && handler.Verify(r.adu, frame[:size]) == nil
		}
		isAnswer := sound(9) && frame[1] == 4 && frame[2] == 4
		isRefusal := sound(5) && frame[1] == 0x84
		if (err == nil) != isAnswer || refused(err) != isRefusal {
			t.Fatalf("% x: % x, %v; an answer: %t, a refusal: %t", stream, got, err, isAnswer, isRefusal)
		}
		if isAnswer && !bytes.Equal(got, frame[3:7]) {
			t.Fatalf("% x: % x", stream, got)
		}
	})
}

// An answer that belongs to the reading before cannot be told from a new one but
// by its length.
func TestConsecutiveReadingsAskInOtherWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := meters.Find("eastron_sdm630")
		if err != nil {
			t.Fatal(err)
		}
		image, last := meters.NewImage(m), []byte(nil)
		if err := image.Show(meters.Shown{Import: 1000, Power: 500, Serial: "1"}); err != nil {
			t.Fatal(err)
		}
		stale := false
		b := lined(t, usual, func(conn net.Conn) {
			for r := heard(conn); r != nil; r = heard(conn) {
				answer, _ := image.Registers(r[:2:2], r[1], binary.BigEndian.Uint16(r[2:]), binary.BigEndian.Uint16(r[4:]))
				if answer = framed(answer...); stale {
					answer, last = last, answer
				} else {
					last = answer
				}
				conn.Write(answer)
			}
		})
		meter, err := b.Meter(m, 1)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 6 {
			if stale = i == 3; stale { // from now on each answer is the one before
				image.Show(meters.Shown{Import: 2000, Power: 500, Serial: "1"})
			}
			want := hal.Energy(1000)
			if i >= 3 {
				want = 2000
			}
			got, err := meter.Read(t.Context())
			if stale != (err != nil) || err == nil && got.Register != want {
				t.Errorf("reading %d: %+v, %v", i, got, err)
			}
		}
	})
}
