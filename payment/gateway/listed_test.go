package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// checkListed holds what is served against testdata/fleet/metrics.txt, which dashboards
// and alerts are held against. What is listed and takes more to show than this test
// makes happen must at least be in the source.
func checkListed(t *testing.T, served string) {
	t.Helper()
	list, err := os.ReadFile("../../testdata/fleet/metrics.txt")
	must(t, err)
	source := ""
	for _, file := range []string{"figures.go", "figures_fleet.go"} {
		text, err := os.ReadFile(file)
		must(t, err)
		source += string(text)
	}
	by := map[string]string{}
	labels := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z_]+) +((?:post|fleet|gateway)(?: fleet)?) +(\S+(?: [a-z]+\??)*)  `).FindAllStringSubmatch(string(list), -1) {
		by[m[1]], labels[m[1]] = m[2], m[3]
		if m[2] != "post" && !strings.Contains(source, m[1]) {
			t.Errorf("%s is listed for %s, and not served", m[1], m[2])
		}
	}
	label := regexp.MustCompile(`([a-z]+)="`)
	for line := range strings.Lines(served) {
		name := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(regexp.MustCompile(`^[a-z_]+`).FindString(line), "")
		if !strings.HasPrefix(name, "stolpe_") {
			continue // of the process
		}
		who := "gateway"
		if strings.Contains(line, `post="`) {
			who = "fleet"
		}
		if !strings.Contains(by[name], who) {
			t.Errorf("%s is served for %s, and listed for %q", name, who, by[name])
		}
		for _, m := range label.FindAllStringSubmatch(line, -1) {
			if known := m[1] == "quantile" || who == "fleet" && (m[1] == "post" || m[1] == "tenant"); !known && !strings.Contains(labels[name], m[1]) {
				t.Errorf("%s has %s, and is listed with %s", name, m[1], labels[name])
			}
		}
	}
}
