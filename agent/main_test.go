package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// program is the command under test, built once for all tests that run it as a
// process of its own.
var program = &builder{}

// abreast is how many tests run at a time, on however few processors: most wait for
// programs that wait themselves. Chosen by us.
const abreast = "12"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", abreast); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		program.remove()
		os.Exit(code)
	}))
}

// builder builds a program, once.
type builder struct {
	once sync.Once
	dir  string
	err  error
}

// path builds the program if nobody has yet, and says where it is.
func (b *builder) path(t *testing.T) string {
	t.Helper()
	b.once.Do(func() {
		if b.dir, b.err = os.MkdirTemp("", "stolpe-test-"); b.err != nil {
			return
		}
		for file, pkg := range map[string]string{b.file(): ".", filepath.Join(b.dir, wizardName): "./wizard"} { // the second stands beside the first
			if out, err := exec.Command("go", "build", "-o", file, pkg).CombinedOutput(); err != nil {
				b.err = fmt.Errorf("go build: %w: %s", err, out)
			}
		}
	})
	if b.err != nil {
		t.Fatal(b.err)
	}
	return b.file()
}

func (b *builder) file() string { return filepath.Join(b.dir, "stolpe") }

func (b *builder) remove() {
	if b.dir != "" {
		os.RemoveAll(b.dir) // what stays behind stays in the folder for such things
	}
}

// paper is what a program has printed. It may be read while it is written.
type paper struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.Write(b)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.String()
}

// pages finds the address on which a daemon listens, since its last start, in what it has
// logged.
func (p *paper) pages() string {
	text := p.String()
	_, after, found := strings.Cut(text[max(strings.LastIndex(text, " listen="), 0):], " listen=")
	address, _, whole := strings.Cut(after, " ")
	if !found || !whole {
		return ""
	}
	return "http://" + address
}

// enough is how long a test waits for what must come. Chosen by us: far more than
// a loaded machine needs.
const enough = 2 * time.Minute

// until looks again and again whether something has come true.
func until(t *testing.T, what string, true func() bool) {
	t.Helper()
	if !cameTrue(true) {
		t.Fatalf("waited %v in vain: %s", enough, what)
	}
}

// cameTrue says whether something has come true in time.
func cameTrue(so func() bool) bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(enough)
	for !so() {
		select {
		case <-tick.C:
		case <-late:
			return false
		}
	}
	return true
}

// said is what became of one command.
type said struct {
	code           int
	stdout, stderr string
}

// command runs the command in this process.
func command(args ...string) said {
	var stdout, stderr paper
	code := run(args, &stdout, &stderr)
	return said{code, stdout.String(), stderr.String()}
}

// write makes a file of a test.
func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
