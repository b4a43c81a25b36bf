//go:build gpiosim

package gpio

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"stolpe/hal"
)

// These tests hold the package against a kernel: a chip of the kernel's own
// simulator, gpio-sim (CONFIG_GPIO_SIM; modprobe gpio-sim), made through configfs
// and with wires moved through sysfs. They need root, and no hardware:
//
//	go test -tags gpiosim ./hal/gpio

// simulated are the names of the chip's lines. Only the first of the nameless can be
// requested.
func simulated() []string {
	return []string{"CONTACTOR", "SENSE", "PLUG", "STOP", "ESTOP", "RCD", "HOT", "BEAT", "", "", "HELD", "OTHER"}
}

const label = "stolpe-sim"

func onSim() Config {
	return Config{
		Line: label + "/0", Sense: label + "/1", Plug: label + "/2", Stop: label + "/3",
		EStop: label + "/4", RCD: "!" + label + "/5", Hot: label + "/6", DeadMan: label + "/7",
	}
}

// sim is a chip of gpio-sim.
type sim struct {
	*testing.T
	config string // its folder in configfs
	lines  string // its folder in sysfs
	dev    string // its device
}

// run runs a test of its own.
func (s sim) run(name string, test func(sim)) {
	s.Run(name, func(t *testing.T) {
		s.T = t
		test(s)
	})
}

func (s sim) write(path, text string) {
	s.Helper()
	if err := os.WriteFile(path, []byte(text), 0); err != nil {
		s.Fatal(err)
	}
}

func (s sim) read(path string) string {
	s.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		s.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// simulate makes the chip.
func simulate(t *testing.T) sim {
	s := sim{T: t, config: fmt.Sprintf("/sys/kernel/config/gpio-sim/stolpe-%d", os.Getpid())}
	bank := filepath.Join(s.config, "bank0")
	folders := []string{s.config, bank}
	for i, name := range simulated() {
		if name != "" {
			folders = append(folders, filepath.Join(bank, fmt.Sprintf("line%d", i)))
		}
	}
	for _, f := range folders {
		if err := os.Mkdir(f, 0o700); err != nil {
			t.Fatalf("gpio-sim: %v", err)
		}
	}
	t.Cleanup(func() {
		if live := filepath.Join(s.config, "live"); s.read(live) == "1" {
			s.write(live, "0")
		}
		for _, f := range slices.Backward(folders) {
			if err := os.Remove(f); err != nil {
				t.Error(err)
			}
		}
	})
	s.write(filepath.Join(bank, "num_lines"), fmt.Sprint(len(simulated())))
	s.write(filepath.Join(bank, "label"), label)
	for i, name := range simulated() {
		if name != "" {
			s.write(filepath.Join(bank, fmt.Sprintf("line%d", i), "name"), name)
		}
	}
	s.write(filepath.Join(s.config, "live"), "1")
	chip := s.read(filepath.Join(bank, "chip_name"))
	s.lines = filepath.Join("/sys/devices/platform", s.read(filepath.Join(s.config, "dev_name")), chip)
	s.dev = filepath.Join("/dev", chip)
	s.within(5*time.Second, "the device "+s.dev, func() bool { _, err := os.Stat(s.dev); return err == nil })
	return s
}

// pull moves a wire: up or down.
func (s sim) pull(line int, to string) {
	s.Helper()
	s.write(filepath.Join(s.lines, fmt.Sprintf("sim_gpio%d", line), "pull"), "pull-"+to)
}

// high says what a voltmeter shows.
func (s sim) high(line int) bool {
	s.Helper()
	return s.read(filepath.Join(s.lines, fmt.Sprintf("sim_gpio%d", line), "value")) == "1"
}

// within waits until something is so.
func (s sim) within(d time.Duration, what string, so func() bool) {
	s.Helper()
	end, tick := time.After(d), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-end:
			s.Fatalf("%s: not within %v", what, d)
		}
	}
}

// role runs this program again for one of the tests named TestAs. It prints a line
// when it is ready and ends when its input does.
func (s sim) role(name string) (end func(os.Signal)) {
	s.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestAs"+name+"$", "-test.v")
	c.Env = append(os.Environ(), "GPIOSIM_ROLE="+name)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		s.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := c.Start(); err != nil {
		s.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "ready" {
		if strings.HasPrefix(lines.Text(), "---") {
			s.Fatalf("%s: %s", name, lines.Text())
		}
	}
	return func(sig os.Signal) {
		if sig != nil {
			c.Process.Signal(sig)
		}
		in.Close()
		io.Copy(io.Discard, out)
		if err := c.Wait(); err != nil && sig == nil {
			s.Errorf("%s: %v", name, err)
		}
	}
}

func playing(name string) bool { return os.Getenv("GPIOSIM_ROLE") == name }

func ready() {
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}

// TestAsHolder holds a line, closed.
func TestAsHolder(t *testing.T) {
	if !playing("Holder") {
		return
	}
	l, err := Open(Config{Line: label + "/10", Sense: label + "/11"})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Set(hal.Closed); err != nil {
		t.Fatal(err)
	}
	ready()
}

// TestAsTwice runs on a board where the chip has two names in /dev.
func TestAsTwice(t *testing.T) {
	if !playing("Twice") {
		return
	}
	l, err := Open(onSim())
	if err != nil {
		t.Fatal(err)
	}
	zero, err := os.Readlink("/proc/self/fd/0")
	if err != nil || strings.Contains(zero, "gpio") {
		t.Fatalf("file descriptor 0 is %q, %v", zero, err)
	}
	if zero == os.DevNull {
		t.Log("periph has closed file descriptor 0")
	}
	if err := l.Set(hal.Open); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = Open(onSim()); err != nil {
		t.Fatalf("the lines were not given back: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	fmt.Println("ready")
}
