package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/evse"
	"stolpe/agent/telemetry"
	"stolpe/hal"
)

// Where Linux tells how the machine is.
const (
	modelFile   = "/proc/device-tree/model"               // the board's name, and a zero byte
	thermalFile = "/sys/class/thermal/thermal_zone0/temp" // thousandths of a °C
	memoryFile  = "/proc/meminfo"                         // lines such as "MemTotal:  949444 kB"
	radioFile   = "/proc/net/wireless"                    // two lines of titles, and one for each radio
)

// counted is a meter whose readings are counted.
type counted struct {
	evse.Meter
	all, bad *atomic.Int64
}

// Read reads the meter.
func (m counted) Read(ctx context.Context) (hal.Reading, error) {
	r, err := m.Meter.Read(ctx)
	if !errors.Is(ctx.Err(), context.Canceled) { // else nobody waits for it any more
		m.all.Add(1)
		if err != nil {
			m.bad.Add(1)
		}
	}
	return r, err
}

// healthOf gives what tells how the machine and the program are. Each of it that cannot
// be found out is left out.
func (p *parts) healthOf(cfg config.Config, w world) func() telemetry.Health {
	began := w.mono()
	return func() telemetry.Health {
		now := w.now()
		h := telemetry.Health{
			Up: int64((now.Mono - began) / time.Second), Heat: heat(thermalFile), Memory: memoryUsed(memoryFile),
			Disk: diskUsed(cfg.StateDir), Radio: radio(radioFile), Offset: clockOffset(), Wire: p.wire(),
		}
		h.Displays = displayTelemetry(p.displayHealth())
		if w.book != nil {
			h.Ledger = w.book.Health()
		}
		debts, oldest := p.owed(now.Wall)
		h.Debts, h.Oldest = debts, int64(oldest/time.Second)
		restarts := 0
		for _, v := range p.units {
			s, _, _ := v.Snapshot()
			restarts = max(restarts, int(s.Boots)-1)
		}
		h.Restarts = &restarts
		return h
	}
}

// owed is how many charges are not settled, and how old the oldest of them is.
func (p *parts) owed(now hal.Stamp) (debts int, oldest time.Duration) {
	for _, v := range p.units {
		s, _, _ := v.Snapshot()
		debts += len(s.Debts)
		for i := range s.Debts {
			if age, _, ok := s.Debts[i].Countdown(now); ok {
				oldest = max(oldest, age)
			}
		}
	}
	return debts, oldest
}

// wire is the share of readings that failed since the last asking, in a million.
func (p *parts) wire() *int64 {
	all, bad := p.readings.Load(), p.misread.Load()
	was := p.told
	p.told = [2]int64{all, bad}
	all, bad = all-was[0], bad-was[1]
	if all == 0 {
		return nil
	}
	share := min(bad, all) * 1_000_000 / all
	return &share
}

// hardware is the board's name; empty where nobody knows.
func hardware() string {
	b, err := os.ReadFile(modelFile)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(bytes.Trim(b, "\x00")))
}

// heat is the processor's temperature, °C.
func heat(file string) *float64 {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return nil
	}
	tenths := float64(n/100) / 10
	return &tenths
}

// memoryUsed is how much is used, and how much there is, MB.
func memoryUsed(file string) []int64 {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var all, free int64 // kB
	for line := range strings.Lines(string(b)) {
		for _, x := range []struct {
			name string
			to   *int64
		}{{"MemTotal:", &all}, {"MemAvailable:", &free}} {
			if rest, ok := strings.CutPrefix(line, x.name); ok {
				if _, err := fmt.Sscan(rest, x.to); err != nil {
					return nil
				}
			}
		}
	}
	if all == 0 || free == 0 || free > all {
		return nil
	}
	return []int64{(all - free) / 1024, all / 1024}
}

// radio is how strong the first Wi-Fi network is received, dBm.
func radio(file string) *int {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line) // name, status, quality of the link, level
		if len(fields) < 4 || !strings.HasSuffix(fields[0], ":") {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSuffix(fields[3], ".")); err == nil && n < 0 {
			return &n
		}
	}
	return nil
}
