package bench

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestQuantilesAreOfTheSortedTimes(t *testing.T) {
	var took []time.Duration
	for n := range 1000 {
		took = append(took, time.Duration(1000-n)*time.Millisecond)
	}
	if got, want := quantilesOf(took), (quantiles{501 * time.Millisecond, 991 * time.Millisecond}); got != want {
		t.Errorf("quantiles %v, want %v", got, want)
	}
	if got := quantilesOf(nil); got != (quantiles{}) {
		t.Errorf("quantiles of nothing: %v", got)
	}
}

// columns are figures that are easy to tell apart.
func columns() []figures {
	ms := time.Millisecond
	return []figures{
		{1, 2000, 4000, quantiles{50 * ms, 200 * ms}, quantiles{2 * ms, 7 * ms}, []float64{90}, 1},
		{2, 3000, 3500, quantiles{40 * ms, 150 * ms}, quantiles{3 * ms, 8 * ms}, []float64{80, 81}, 0.5},
	}
}

func TestTheTableOfGatewaysGoesIntoTheReadme(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(file, []byte("above\n"+gatewayBegin+"old\n"+gatewayEnd+"\nbelow\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	text := gatewayMarkdown(burden{posts: 10_000}, "a broker", columns())
	if err := intoFile(file, gatewayBegin, gatewayEnd, text); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(got), "\n\n")
	want := `| gateways | 1 | 2 |
|---|---|---|
| askings answered a second | 2000 | 3000 |
| askings answered a second of the gateways' processor time (budget: at least 2000) | 4000 | 3500 |
| asking to answer, p50 / p99, 256 at once | 50.0 / 200 ms | 40.0 / 150 ms |
| asking to answer, p50 / p99, 4 at once | 2.00 / 7.00 ms | 3.00 / 8.00 ms |
| memory of a gateway, RSS (budget: at most 400 MB) | 90.0 MB | 80.0 MB, 81.0 MB |
| posts whose pages a gateway has | 100 % | 50.0 % |
<!-- /bench gateway -->
below
`
	if diff := cmp.Diff(want, table); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(string(got), "10000 simulated posts") || !strings.Contains(string(got), "a broker") || strings.Contains(string(got), "old") {
		t.Errorf("README is\n%s", got)
	}
}

func TestTheReadmeHasAPlaceForGateways(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), gatewayBegin) || !strings.Contains(string(text), gatewayEnd) {
		t.Error("there are no marks for the table of gateways")
	}
}

func TestGatewayFlagsHaveBounds(t *testing.T) {
	for _, args := range [][]string{{"gateway", "-posts", "1"}, {"gateway", "-posts", "100000"}, {"gateway", "-span", "1ms"}, {"gateway", "x"}} {
		if code := Run(args, io.Discard, io.Discard); code != 2 {
			t.Errorf("%q: exit code %d, want 2", args, code)
		}
	}
}

// TestGatewaysAreMeasured measures a short while, so that the whole way is known to
// work: broker, certificates, gateways, posts and payment service.
func TestGatewaysAreMeasured(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs gateways: a minute on a busy machine")
	}
	l := &lab{dir: filepath.Join("..", ".."), tmp: t.TempDir(), made: make(map[string]string), say: func(s string) { t.Log(s) }}
	f, broker, err := l.gateways(burden{posts: 300, replicas: 2, span: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %+v", broker, f)
	if f.gateways != 2 || f.perSecond <= 0 || f.perCPU <= 0 || f.busy.half <= 0 || f.busy.most < f.busy.half || f.calm.half <= 0 || len(f.memory) != 2 || f.known != 1 {
		t.Errorf("figures %+v", f)
	}
}
