package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// listed is a figure of the list that dashboards and alerts are held against.
type listed struct {
	by     []string // post, fleet or gateway
	labels []string // in any order; one with ? behind is not everywhere
}

// theList reads testdata/fleet/metrics.txt.
func theList(t *testing.T) map[string]listed {
	t.Helper()
	text, err := os.ReadFile("../testdata/fleet/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]listed{}
	row := regexp.MustCompile(`^([a-z_]+) +((?:post|fleet|gateway)(?: fleet)?) +((?:[a-z]+\??|-)(?: [a-z]+\??)*)  +\S`)
	for line := range strings.Lines(string(text)) {
		if line == "\n" || line[0] == '#' {
			continue
		}
		m := row.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("no row: %s", line)
		}
		f := listed{by: strings.Fields(m[2])}
		if m[3] != "-" {
			f.labels = strings.Fields(m[3])
		}
		all[m[1]] = f
	}
	return all
}

// labelsOf finds the names of labels in what readFigures has for a figure.
func labelsOf(key string) (name string, labels []string) {
	name, rest, _ := strings.Cut(key, "{")
	for _, m := range regexp.MustCompile(`([a-z]+)="`).FindAllStringSubmatch(rest, -1) {
		if m[1] != "le" {
			labels = append(labels, m[1])
		}
	}
	slices.Sort(labels)
	return name, labels
}

// tailOfHistogram is what the lines of a histogram have behind their name.
var tailOfHistogram = regexp.MustCompile(`_(bucket|sum|count)$`)

// checkListed holds what a post serves against the list. Some machines cannot tell some
// of it.
func checkListed(t *testing.T, all map[string]float64) {
	t.Helper()
	got := map[string][]string{}
	for key := range all {
		name, labels := labelsOf(key)
		got[tailOfHistogram.ReplaceAllString(name, "")] = labels
	}
	list := theList(t)
	for name, labels := range got {
		want := []string{}
		for _, l := range list[name].labels {
			want = append(want, strings.TrimSuffix(l, "?"))
		}
		slices.Sort(want)
		if !slices.Contains(list[name].by, "post") || !slices.Equal(labels, want) {
			t.Errorf("%s with %v is served by a post, and listed for %v with %v", name, labels, list[name].by, want)
		}
	}
	for name, f := range list {
		if _, there := got[name]; !there && slices.Contains(f.by, "post") && name != "stolpe_clock_offset_seconds" && name != "stolpe_cpu_celsius" {
			t.Errorf("%s is not served", name)
		}
	}
}
