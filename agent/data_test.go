package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"stolpe/agent/mqtt"
	"stolpe/agent/telemetry"
	"stolpe/cross/wire"
)

// budgets is what a profile may cost, in bytes a month of thirty days. Standard has none.
func budgets() map[telemetry.Profile]int64 {
	return map[telemetry.Profile]int64{telemetry.Minimal: 4e6, telemetry.Frugal: 11e6, telemetry.Standard: 0}
}

// How much a month of each profile costs, with four charges of an hour and a half each
// day: bytes counted between the post and its broker, both ways, over TLS with the
// certificates of both. Connecting is told apart, as networks differ in how often they
// drop a connection. The lines are those of a benchmark, for whoever collects them.
func TestDataUse(t *testing.T) {
	if testing.Short() {
		t.Skip("lives three days")
	}
	t.Parallel()
	for _, profile := range slices.Sorted(maps.Keys(budgets())) {
		t.Run(string(profile), func(t *testing.T) {
			t.Parallel()
			const month = 30
			connecting, day, by := dayOf(t, profile)
			payload := 0
			for _, s := range by {
				payload += s.bytes
			}
			fmt.Printf("BenchmarkData/%s 1 %d bytes/month %d tls-bytes/month %d payload-bytes/month %d bytes/connection\n",
				profile, day.Total()*month, (day.Up.Bytes+day.Down.Bytes)*month, payload*month, connecting.Total())
			t.Logf("a day: up %+v, down %+v", day.Up, day.Down)
			for _, leaf := range slices.Sorted(maps.Keys(by)) {
				t.Logf("%-16s %4d times, %4d bytes of payload each", leaf, by[leaf].times, by[leaf].bytes/by[leaf].times)
			}
			if most := budgets()[profile]; most > 0 && day.Total()*month > most {
				t.Errorf("%.2f MB a month: want at most %.1f", float64(day.Total()*month)/1e6, float64(most)/1e6)
			}
		})
	}
}

// share is what was published under a leaf.
type share struct{ times, bytes int }

// dayOf lives a day, and tells what the first minutes and what the day has cost.
func dayOf(t *testing.T, profile telemetry.Profile) (connecting, day wire.Flow, by map[string]share) {
	by = map[string]share{}
	var h ear
	inQuarter(t, func(q *quarter) {
		q.open()
		end := q.listen(h.hear, "stolpe/v1/#")
		q.start(string(profile))
		q.until(3 * time.Minute)
		connecting = q.line.Flow()
		before := len(h.messages())
		for i := range 4 {
			q.until(time.Duration(6+4*i) * time.Hour)
			q.charge(i, 90*time.Minute)
		}
		q.until(24*time.Hour + 3*time.Minute)
		day = q.line.Flow().Since(connecting)
		for _, m := range h.messages()[before:] {
			count(by, m)
			day.Up.Bytes += unknownHere(m)
		}
		end()
	})
	if day.Connections != 0 {
		t.Errorf("%d connections broke", day.Connections)
	}
	return connecting, day, by
}

// unknownHere is how many bytes longer a message would be on a post, which knows of
// itself what the machine of a test may not.
func unknownHere(m mqtt.Message) (bytes int64) {
	if !strings.HasSuffix(m.Topic, "/"+string(telemetry.HealthLeaf)) {
		return 0
	}
	for _, member := range []string{`,"cpu_c":41.5`, `,"mem_mb":[118,427]`, `,"disk_pct":12`, `,"rssi_dbm":-71`, `,"clk_off_ms":-2`, `,"modbus_err_ppm":12`} {
		name, _, _ := strings.Cut(member, ":")
		if !strings.Contains(string(m.Payload), name[1:]) {
			bytes += int64(len(member))
		}
	}
	return bytes
}

func count(by map[string]share, m mqtt.Message) {
	leaf := strings.Join(strings.Split(m.Topic, "/")[4:], "/")
	s := by[leaf]
	by[leaf] = share{s.times + 1, s.bytes + len(m.Payload)}
}
