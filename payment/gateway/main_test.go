package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// programs are the two commands, built once for all tests that run them as processes
// of their own.
var programs = &builder{}

// abreast is how many tests run at a time, on however few processors: those that run in
// parallel wait for programs that wait themselves. Chosen by us.
const abreast = "4"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", abreast); err != nil {
		panic(err)
	}
	// The library of figures starts one for all summaries, and never ends it.
	swaps := goleak.IgnoreAnyFunction("github.com/VictoriaMetrics/metrics.summariesSwapCron")
	goleak.VerifyTestMain(m, swaps, goleak.Cleanup(func(code int) {
		if programs.dir != "" {
			os.RemoveAll(programs.dir) //nolint:errcheck // what stays behind stays in the folder for such things
		}
		os.Exit(code)
	}))
}

// builder builds the programs, once.
type builder struct {
	once sync.Once
	dir  string
	err  error
}

// build gives the folder with stolpe and stolpe-gateway in it.
func (b *builder) build(t *testing.T) string {
	t.Helper()
	b.once.Do(func() {
		if b.dir, b.err = os.MkdirTemp("", "stolpe-gateway-test-"); b.err != nil {
			return
		}
		for name, from := range map[string]string{"stolpe": "stolpe/agent", "stolpe-gateway": "stolpe/payment/gateway"} {
			if out, err := exec.Command("go", "build", "-o", filepath.Join(b.dir, name), from).CombinedOutput(); err != nil {
				b.err = fmt.Errorf("go build %s: %w: %s", from, err, out)
			}
		}
	})
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.dir
}

// printed is what a program has printed. It may be read while it is written.
type printed struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.String()
}
