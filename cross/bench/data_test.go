package bench

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDataUseBecomesATable(t *testing.T) {
	out := `    data_test.go:34: a day
BenchmarkData/minimal 1 3000000 bytes/month 1500000 tls-bytes/month 300000 payload-bytes/month 8500 bytes/connection
BenchmarkData/frugal 1 10500000 bytes/month 6300000 tls-bytes/month 3150000 payload-bytes/month 8600 bytes/connection
BenchmarkData/standard 1 58000000 bytes/month 29000000 tls-bytes/month 14500000 payload-bytes/month 9000 bytes/connection
`
	rows, err := dataRows(parseBench(out))
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"profile", "minimal", "frugal", "standard"},
		{"a month of 30 days", "3.00 MB (budget: at most 4 MB)", "10.5 MB (budget: at most 11 MB)", "58.0 MB"},
		{"of that payloads / MQTT and TLS / TCP and IP", "10 / 40 / 50 %", "30 / 30 / 40 %", "25 / 25 / 50 %"},
		{"ten years", "0.36 GB", "1.26 GB", "6.96 GB"},
		{"one more connection", "8.50 kB", "8.60 kB", "9.00 kB"},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
	if text := dataMarkdown(rows); !strings.Contains(text, "|---|---|---|---|\n| a month") {
		t.Error(text)
	}
	if _, err := dataRows(parseBench(strings.Replace(out, "frugal", "thrifty", 1))); err == nil {
		t.Error("a profile that was not measured has figures")
	}
	if code := Run([]string{"data", "more"}, new(strings.Builder), new(strings.Builder)); code != 2 {
		t.Errorf("exit code %d, want 2", code)
	}
}
