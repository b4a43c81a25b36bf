package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"stolpe/agent/evse"
	"stolpe/agent/session"
)

// tallied is a journal whose records a quarter counts.
type tallied struct {
	evse.Journal
	q *quarter
}

func (c tallied) Save(k session.Kept) error {
	c.q.saved.Add(1)
	return c.Journal.Save(k)
}

// mostRecords is how many records of the journal a charge may take: a card bears a
// hundred thousand writes of a place or so, and a post is to last ten years.
const mostRecords = 30

// What a post writes: few records a charge, and nothing at all while nobody charges,
// with everything around it in order. The line is that of a benchmark, for whoever
// collects it.
func TestACardIsSpared(t *testing.T) {
	t.Parallel()
	const charges, hours = 3, 3
	var records, idle int64
	inQuarter(t, func(q *quarter) {
		q.open()
		q.start("frugal")
		q.pass(10 * time.Minute)
		for i := range charges {
			before := q.saved.Load()
			q.charge(i, 90*time.Minute)
			q.pass(20 * time.Minute)
			records = max(records, q.saved.Load()-before)
		}
		before, saved := q.files(), q.saved.Load()
		q.pass(hours * time.Hour)
		idle = q.written(before)
		if n := q.saved.Load() - saved; n > 0 {
			t.Errorf("%d records in %d hours without a driver", n, hours)
		}
	})
	fmt.Printf("BenchmarkWrites 1 %d records/charge %d bytes/hour\n", records, idle/hours)
	if records == 0 || records > mostRecords {
		t.Errorf("a charge takes %d records of the journal: want at most %d", records, mostRecords)
	}
	if idle > 0 {
		t.Errorf("%d bytes written in %d hours without a driver: want none", idle, hours)
	}
}

// files are what the post's folder holds, by name.
func (q *quarter) files() map[string][]byte {
	all := map[string][]byte{}
	q.must(filepath.WalkDir(q.life.state, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			all[name], err = os.ReadFile(name)
		}
		return err
	}))
	return all
}

// written gives how much of the post's files is not as it was: what is written anew with
// the same content is not seen.
func (q *quarter) written(before map[string][]byte) (n int64) {
	for name, now := range q.files() {
		for at := 0; at < len(now); at += block {
			end := min(at+block, len(now))
			if was := before[name]; len(was) < end || !bytes.Equal(was[at:end], now[at:end]) {
				n += int64(end - at)
			}
		}
	}
	return n
}

// block is what a card writes at least, in bytes.
const block = 4096
