package sim

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestServeStopsWhenTold(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	till := NewTill(Options{})
	served := make(chan error, 1)
	go func() { served <- till.Serve(ctx, l) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	w, err := client.Get("http://" + l.Addr().String() + "/epayment/v1/payments/" + string(ref))
	if err != nil {
		t.Fatal(err)
	}
	w.Body.Close()
	if w.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %d, want 401", w.StatusCode)
	}
	stop()
	if err := <-served; err != nil {
		t.Errorf("an orderly stop: %v", err)
	}
	if w, err := client.Get("http://" + l.Addr().String() + "/"); err == nil {
		w.Body.Close()
		t.Error("still served")
	}
}

func TestServeSaysWhyItEnded(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := NewTill(Options{}).Serve(t.Context(), l); err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("error %v does not name %v", err, l.Addr())
	}
}

// pipes is a listener over connections in memory.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, open := <-p; open {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error {
	close(p)
	return nil
}

func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

// served starts a Till over one connection in memory and sends a request.
func served(t *testing.T, o Options, request string) (near net.Conn, stop func(), done chan error) {
	t.Helper()
	l := make(pipes, 1)
	near, far := net.Pipe()
	l <- far
	ctx, stop := context.WithCancel(t.Context())
	done = make(chan error, 1)
	go func() { done <- NewTill(o).Serve(ctx, l) }()
	if request != "" {
		if _, err := near.Write([]byte(request)); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Wait()
	return near, stop, done
}

func TestServeDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, stop, done := served(t, Options{}, "POST /accesstoken/get HTTP/1.1\r\nHost: till\r\nContent-Length: 9\r\n\r\nhalf")
		stop()
		began := time.Now()
		if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the stop's time-out", err)
		}
		if took := time.Since(began); took != stopTimeout {
			t.Errorf("stopped after %v, want %v", took, stopTimeout)
		}
		near.Close()
	})
}

// A client that has connected, and has asked nothing yet, is no reason to end with an error.
func TestServeEndsBesideOneWhoHasAskedNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, stop, done := served(t, Options{}, "")
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		near.Close()
	})
}

func TestSlowAnswersEndWhenTheServerDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(Call) Fault { return Fault{Kind: Slow, Wait: MaxSlow} }
		near, stop, done := served(t, Options{Faults: slow}, "POST /accesstoken/get HTTP/1.1\r\nHost: till\r\nContent-Length: 0\r\n\r\n")
		began := time.Now()
		stop()
		answer, err := http.ReadResponse(bufio.NewReader(near), nil)
		if err != nil || answer.StatusCode != http.StatusBadRequest {
			t.Errorf("answer %v %v", answer, err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took >= MaxSlow/10 {
			t.Errorf("stopped after %v", took)
		}
		near.Close()
	})
}
