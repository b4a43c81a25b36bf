package modbus

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// These tests run in bubbles of virtual time, over pipes in memory.

// unwired gives a bus that has nobody to connect to yet. Its clock is the bubble's.
func unwired() *Bus {
	start := time.Now()
	return newBus(place{scheme: schemeTCP, address: "peer:502"}, func() time.Duration { return time.Since(start) })
}

// wired gives a bus whose every connection is served by a goroutine that runs
// peer, which must return when the connection ends.
func wired(t *testing.T, peer func(net.Conn)) *Bus {
	b := unwired()
	var peers sync.WaitGroup
	b.dial = func(context.Context) (wire, error) {
		near, far := net.Pipe()
		peers.Go(func() {
			defer far.Close()
			peer(far)
		})
		return near, nil
	}
	t.Cleanup(func() {
		b.close()
		peers.Wait()
	})
	return b
}

// hear reads one request of the two registers 0x48 and 0x49, and gives the right
// answer to it; nil at the end of the connection.
func hear(conn net.Conn) []byte {
	frame := make([]byte, 12)
	if _, err := io.ReadFull(conn, frame); err != nil {
		return nil
	}
	return append(frame[:5:5], 7, frame[6], frame[7], 4, 1, 2, 3, 4)
}

// honest answers everything.
func honest(conn net.Conn) {
	for answer := hear(conn); answer != nil; answer = hear(conn) {
		conn.Write(answer)
	}
}

// deaf answers nothing.
func deaf(conn net.Conn) { io.Copy(io.Discard, conn) }

var right = string([]byte{1, 2, 3, 4})

func TestTheDeadlineIsForTheWholeAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := wired(t, func(conn net.Conn) {
			for _, c := range hear(conn) { // each byte is in time, the answer is not
				time.Sleep(900 * time.Millisecond)
				if _, err := conn.Write([]byte{c}); err != nil {
					return
				}
			}
		})
		start := time.Now()
		got, err := b.exchange(t.Context(), mustRequest(t, 1, 4, 0x48, 2))
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("% x, %v after %v; want a time-out after 1 s", got, err, time.Since(start))
		}
	})
}

func TestADoneContextEndsAnExchangeAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := wired(t, deaf)
		for _, c := range []struct {
			name string
			ctx  func() (context.Context, context.CancelFunc)
			want error
		}{
			{"cancelled", func() (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(300*time.Millisecond, cancel)
				return ctx, cancel
			}, context.Canceled},
			{"deadline", func() (context.Context, context.CancelFunc) {
				return context.WithTimeout(t.Context(), 300*time.Millisecond)
			}, context.DeadlineExceeded},
		} {
			ctx, cancel := c.ctx()
			start := time.Now()
			_, err := b.exchange(ctx, mustRequest(t, 1, 4, 0x48, 2))
			if took := time.Since(start); took != 300*time.Millisecond {
				t.Errorf("%s: %v after %v", c.name, err, took)
			}
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v", c.name, err)
			}
			start = time.Now()
			if _, err := b.exchange(ctx, mustRequest(t, 1, 4, 0x48, 2)); !errors.Is(err, c.want) || time.Since(start) != 0 {
				t.Errorf("%s, again: %v after %v", c.name, err, time.Since(start))
			}
			cancel()
		}
	})
}

func TestACancelledContextDoesNotHurtTheNextReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		b := wired(t, honest)
		dial := b.dial
		b.dial = func(ctx context.Context) (wire, error) {
			dials++
			return dial(ctx)
		}
		for range 5 {
			ctx, cancel := context.WithCancel(t.Context())
			if got, err := b.exchange(ctx, mustRequest(t, 1, 4, 0x48, 2)); string(got) != right || err != nil {
				t.Fatalf("% x, %v", got, err)
			}
			cancel() // after the read, as "defer cancel()" does
			synctest.Wait()
		}
		if dials != 1 {
			t.Errorf("%d connections, want the first to live on", dials)
		}
	})
}

// counted is a context that counts who waits for its end.
type counted struct {
	context.Context
	done    chan struct{}
	waiting int
}

func (c *counted) Done() <-chan struct{} { return c.done }

// AfterFunc is what context.AfterFunc calls if a context has it.
func (c *counted) AfterFunc(func()) (stop func() bool) {
	c.waiting++
	return func() bool { c.waiting--; return true }
}

func TestABusWaitsForOneContextAndForNoneOnceClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := wired(t, honest)
		first := &counted{Context: t.Context(), done: make(chan struct{})}
		second := &counted{Context: t.Context(), done: make(chan struct{})}
		read := func(ctx context.Context) {
			if _, err := b.exchange(ctx, mustRequest(t, 1, 4, 0x48, 2)); err != nil {
				t.Fatal(err)
			}
		}
		expect := func(a, b int) {
			t.Helper()
			if first.waiting != a || second.waiting != b {
				t.Errorf("%d and %d wait, want %d and %d", first.waiting, second.waiting, a, b)
			}
		}
		read(first)
		read(first)
		expect(1, 0)
		read(second)
		expect(0, 1)
		b.close()
		expect(0, 0)
	})
}

// The interruption may come so late that somebody else's exchange is under way.
func TestALateInterruptionSparesTheNextExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := wired(t, func(conn net.Conn) {
			answer := hear(conn)
			time.Sleep(500 * time.Millisecond)
			conn.Write(answer)
			deaf(conn)
		})
		before, cancel := context.WithCancel(t.Context())
		defer cancel()
		time.AfterFunc(200*time.Millisecond, func() { b.interrupt(before.Done()) })
		if got, err := b.exchange(t.Context(), mustRequest(t, 1, 4, 0x48, 2)); string(got) != right || err != nil {
			t.Errorf("% x, %v", got, err)
		}
	})
}

func TestClosingEndsAnExchangeAndAllLaterOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := wired(t, deaf)
		time.AfterFunc(300*time.Millisecond, func() { b.close() })
		start := time.Now()
		_, err := b.exchange(t.Context(), mustRequest(t, 1, 4, 0x48, 2))
		if err == nil || time.Since(start) != 300*time.Millisecond {
			t.Errorf("%v after %v, want an error when it was closed", err, time.Since(start))
		}
		if _, err := b.exchange(t.Context(), mustRequest(t, 1, 4, 0x48, 2)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("later: %v", err)
		}
	})
}

func TestABusClosedWhileConnectingStaysClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := wired(t, deaf)
		dial := b.dial
		b.dial = func(ctx context.Context) (wire, error) {
			b.close()
			return dial(ctx)
		}
		if _, err := b.exchange(t.Context(), mustRequest(t, 1, 4, 0x48, 2)); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	}) // and the bubble finds the peer's goroutine if the connection was left open
}

func TestConnectingTakesNoLongerThanTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := unwired()
		b.dial = func(ctx context.Context) (wire, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		start := time.Now()
		if _, err := b.exchange(t.Context(), mustRequest(t, 1, 4, 0x48, 2)); err == nil || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// A reader who gives up says nothing about the peer.
func TestGivingUpIsNoFailureToConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := wired(t, honest)
		works := b.dial
		b.dial = func(ctx context.Context) (wire, error) {
			<-ctx.Done()
			return nil, errors.New("interrupted")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := b.exchange(ctx, mustRequest(t, 1, 4, 0x48, 2)); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		b.dial = works
		if got, err := b.exchange(t.Context(), mustRequest(t, 1, 4, 0x48, 2)); string(got) != right || err != nil {
			t.Errorf("at once afterwards: % x, %v", got, err)
		}
	})
}

func TestAttemptsToConnectGrowRarerUpToALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var attempts []time.Duration
		refused := errors.New("connection refused")
		b := wired(t, honest)
		works := b.dial
		start := time.Now()
		b.dial = func(context.Context) (wire, error) {
			attempts = append(attempts, time.Since(start))
			return nil, refused
		}
		for time.Since(start) < 24*time.Second {
			if _, err := b.exchange(t.Context(), mustRequest(t, 1, 4, 0x48, 2)); !errors.Is(err, refused) {
				t.Fatalf("after %v: %v, want the cause", time.Since(start), err)
			}
			time.Sleep(50 * time.Millisecond)
		}
		want := []time.Duration{0, 250, 750, 1750, 3750, 7750, 12750, 17750, 22750} // ms
		if len(attempts) != len(want) {
			t.Fatalf("attempts at %v", attempts)
		}
		for i := range want {
			if attempts[i] != want[i]*time.Millisecond {
				t.Fatalf("attempts at %v", attempts)
			}
		}
		b.dial = works
		time.Sleep(maxPause)
		if got, err := b.exchange(t.Context(), mustRequest(t, 1, 4, 0x48, 2)); string(got) != right || err != nil {
			t.Errorf("once it works: % x, %v", got, err)
		}
	})
}

func TestOneExchangeAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := unwired()
		if err := b.take(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := b.take(ctx, false); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while it is held: %v", err)
		}
		b.release(false)
		if err := b.take(ctx, false); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("free, but under a done context: %v", err)
		}
		if err := b.take(t.Context(), false); err != nil {
			t.Errorf("free: %v", err)
		}
	})
}

func TestAnswersToOtherRequestsAreDroppedUpToALimit(t *testing.T) {
	for _, c := range []struct {
		foreign int
		want    string
	}{{1, right}, {maxForeign, right}, {maxForeign + 1, ""}} {
		synctest.Test(t, func(t *testing.T) {
			b := wired(t, func(conn net.Conn) {
				answer := hear(conn)
				late := append([]byte(nil), answer...)
				late[12] = 99
				id := binary.BigEndian.Uint16(answer)
				for i := range c.foreign {
					binary.BigEndian.PutUint16(late, id-uint16(i)-1)
					conn.Write(late)
				}
				conn.Write(answer)
				deaf(conn)
			})
			got, err := b.exchange(t.Context(), mustRequest(t, 1, 4, 0x48, 2))
			if string(got) != c.want || (err == nil) != (c.want != "") {
				t.Errorf("%d foreign answers: % x, %v", c.foreign, got, err)
			}
		})
	}
}

// What came in one piece with an answer waits for the next exchange, and is
// dropped there if it belongs to nobody.
func TestFramesThatArriveTogetherAreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := wired(t, func(conn net.Conn) {
			for answer := hear(conn); answer != nil; answer = hear(conn) {
				half := append([]byte(nil), answer[:5]...) // of a second copy; the rest comes with the next
				conn.Write(append(answer, half...))
				if next := hear(conn); next != nil {
					conn.Write(append(append([]byte(nil), answer[5:]...), next...))
				}
			}
		})
		for i := range 6 {
			if got, err := b.exchange(t.Context(), mustRequest(t, 1, 4, 0x48, 2)); string(got) != right || err != nil {
				t.Fatalf("exchange %d: % x, %v", i, got, err)
			}
		}
	})
}

// forgetful is a connection that keeps saying it has read nothing.
type forgetful struct{ net.Conn }

func (forgetful) Read([]byte) (int, error) { return 0, nil }

func TestAConnectionThatReadsNothingForEverIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := wired(t, honest)
		dial := b.dial
		b.dial = func(ctx context.Context) (wire, error) {
			conn, err := dial(ctx)
			return forgetful{conn.(net.Conn)}, err
		}
		_, err := b.exchange(t.Context(), mustRequest(t, 1, 4, 0x48, 2))
		if !errors.Is(err, io.ErrNoProgress) || !strings.Contains(err.Error(), "after 0 bytes") {
			t.Error(err)
		}
	})
}
