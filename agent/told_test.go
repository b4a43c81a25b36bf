package main

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"stolpe/agent/control"
)

// A post that is told to end (systemctl stop, a reboot) ends the charge of whoever is
// there, settles it, and tells them: on a page that is still served, or after the next
// start. Nobody pays for what the meter has not counted.
func TestDriversAreToldThatThePostEnded(t *testing.T) {
	t.Parallel()
	street := newStreet(t, 1, 2, 1)
	var all sync.WaitGroup
	for _, moment := range []moment{approving, charging} {
		v := street.next()
		v.budget = 0 // nobody kills it
		v.stays = make(chan struct{})
		all.Go(func() { v.isEnded(moment) })
	}
	all.Wait()
	if street.tally.Charges != 2 || street.tally.Captured != 1 {
		t.Errorf("%+v: want two charges, one of them with a capture", street.tally)
	}
}

// isEnded has the post end at some moment of a charge, and start again.
func (v *victim) isEnded(at moment) {
	v.prepare()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		v.run()
	}()
	p := newHandset(v)
	p.wait(at.String(), func() bool {
		p.look()
		return v.used() > 0 || at == approving && p.app != ""
	})
	v.mu.Lock()
	before := len(v.logs)
	err := v.process.Process.Signal(syscall.SIGTERM)
	v.mu.Unlock()
	if err != nil {
		v.t.Error(err)
	}
	p.wait("the next start", func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return len(v.logs) > before
	})
	p.wait("all is settled", p.look)
	page, status := p.do(http.MethodGet, v.pages()+p.session, nil)
	if status != http.StatusOK || !strings.Contains(page, "The post was switched off.") {
		v.t.Errorf("%s: while %v, its driver reads, with %d:\n%s", v.id, at, status, page)
	}
	v.end()
	<-ended
	if !v.t.Failed() {
		v.judge()
	}
}

// used is what the charge under way has used by now, Wh.
func (v *victim) used() int64 {
	var p postStatus
	if v.pages() == "" || control.Dial(filepath.Join(v.dir, "run")).Get(context.Background(), "status", nil, &p) != nil || p.EVSEs[0].Charge == nil {
		return 0
	}
	return p.EVSEs[0].Charge.Energy
}
