package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"stolpe/agent/ledger"
	"stolpe/payment"
)

// A post with a day's events that nobody has heard is killed while it tells them, twice,
// and the third life ends it: every event has arrived, in its order, once by its id.
func TestPostIsKilledWhileItTells(t *testing.T) {
	t.Parallel()
	const events, each = 90, 35
	address, dir := serveBroker(t), t.TempDir()
	refunds(t, dir, events)
	_, came := listener(t, address, postBase+"#")
	file := write(t, "stolpe.yaml", strings.NewReplacer("STATE", dir, "BROKER", address).Replace(toldPost))
	c := newConsumer(t)
	late := time.After(2 * time.Minute)
	lives := 0
	for _, enough := range []uint64{each, 2 * each, events} {
		lives++
		log := new(paper)
		cmd := exec.Command(program.path(t), "run", "--config", file)
		cmd.Stderr = log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for _, newest := c.known(); newest < enough; _, newest = c.known() {
			select {
			case m := <-came:
				c.hear(m)
			case <-late:
				cmd.Process.Kill() //nolint:errcheck // the test has failed
				t.Fatalf("waited in vain for event %d, heard %d\n%s", enough, newest, log)
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		var killed *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &killed) {
			t.Errorf("life %d ended by itself: %v\n%s", lives, err, log)
		}
	}
	if gaps := c.gaps(); c.late > 0 || len(gaps) > 0 || c.again < each {
		t.Errorf("%d events came late, %v never, %d twice: want none, none, and at least %d", c.late, gaps, c.again, each)
	}
}

// refunds puts some entries about money into the ledger of a post that is to be.
func refunds(t *testing.T, dir string, n int) {
	t.Helper()
	book, _, err := ledger.Open(ledgerPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close() //nolint:errcheck // each line is on the disk
	for i := range n {
		e := ledger.Entry{
			At: 1_800_000_000, Clock: "synced", EVSE: 1, Ref: payment.NewRef("A12", 1, uint64(i+1)), Kind: ledger.Refunded,
			Refund: &ledger.Refund{Key: fmt.Sprint("k", i), Amount: 500, Currency: "NOK", Reason: "too much"},
		}
		if err := book.Append(e); err != nil {
			t.Fatal(err)
		}
	}
}
