package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// counts are numbers that grow, and distributions, by name with labels. The gateway
// has a library for this; that one says something about the kernel whenever a program
// with it starts, which here would be each command a technician runs.
type counts struct {
	mu     sync.Mutex
	sums   map[string]float64
	spread map[string]*spread
}

// spread is how often a time was at most so long.
type spread struct {
	bounds []float64 // s, rising
	most   []uint64  // how many were at most each
	all    uint64    // how many there were
	sum    float64   // s
}

func newCounts() *counts { return &counts{sums: map[string]float64{}, spread: map[string]*spread{}} }

// add adds to a number. Labels are names and values in turn.
func (c *counts) add(n float64, name string, labels ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sums[labelled(name, labels)] += n
}

// took adds a time to a distribution.
func (c *counts) took(d time.Duration, bounds []float64, name string, labels ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := labelled(name, labels)
	s := c.spread[key]
	if s == nil {
		s = &spread{bounds: bounds, most: make([]uint64, len(bounds))}
		c.spread[key] = s
	}
	s.all++
	s.sum += d.Seconds()
	for i, most := range s.bounds {
		if d.Seconds() <= most {
			s.most[i]++
		}
	}
}

// write adds all of them to lines.
func (c *counts) write(b *lines) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(c.sums)) {
		b.put(key, c.sums[key])
	}
	for _, key := range slices.Sorted(maps.Keys(c.spread)) {
		s := c.spread[key]
		name, labels, _ := strings.Cut(strings.TrimSuffix(key, "}"), "{")
		if labels != "" {
			labels += ","
		}
		for i, most := range s.bounds {
			b.put(fmt.Sprintf(`%s_bucket{%sle="%v"}`, name, labels, most), float64(s.most[i]))
		}
		b.put(fmt.Sprintf(`%s_bucket{%sle="+Inf"}`, name, labels), float64(s.all))
		b.put(strings.Replace(key, name, name+"_sum", 1), s.sum)
		b.put(strings.Replace(key, name, name+"_count", 1), float64(s.all))
	}
}

// labelled is a name with its labels, as Prometheus reads it.
func labelled(name string, labels []string) string {
	for i := 0; i+1 < len(labels); i += 2 {
		name += fmt.Sprintf("%c%s=%q", "{,"[min(i, 1)], labels[i], labels[i+1])
	}
	if len(labels) > 0 {
		name += "}"
	}
	return name
}

// lines are figures as Prometheus reads them.
type lines struct{ bytes.Buffer }

// add adds a figure. Labels are names and values in turn.
func (b *lines) add(value float64, name string, labels ...string) {
	b.put(labelled(name, labels), value)
}

func (b *lines) put(key string, value float64) {
	b.WriteString(key + " " + strconv.FormatFloat(value, 'f', -1, 64) + "\n")
}

// process adds how the program itself is, under the names that are usual for that.
func (b *lines) process(born time.Time) {
	b.add(float64(runtime.NumGoroutine()), "go_goroutines")
	b.add(1, "go_info", "version", runtime.Version())
	b.add(float64(born.Unix()), "process_start_time_seconds")
	var user, system, pages float64
	if stat, err := os.ReadFile("/proc/self/stat"); err == nil { // proc_pid_stat(5); what is in brackets may have spaces in it
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) > 21 {
			for i, to := range map[int]*float64{11: &user, 12: &system, 21: &pages} {
				*to, _ = strconv.ParseFloat(fields[i], 64) //nolint:errcheck // the kernel writes numbers; else it is 0
			}
			const ticks = 100 // a second, on every Linux
			b.add((user+system)/ticks, "process_cpu_seconds_total")
			b.add(pages*float64(os.Getpagesize()), "process_resident_memory_bytes")
		}
	}
	if files, err := os.ReadDir("/proc/self/fd"); err == nil {
		b.add(float64(len(files)), "process_open_fds")
	}
}
