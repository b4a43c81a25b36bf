package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"stolpe/cross/build"
)

// patience is how long a program may take to print what it is waited for. Chosen
// by us: a thousand times what it takes.
const patience = 20 * time.Second

// errSilent is what await wraps when a program does not print what it should.
var errSilent = errors.New("did not print it")

// The programs that are measured.
const (
	agentPackage = "./agent"
	floorPackage = "./cross/bench/floor"
)

// program builds a program for this machine, once, and gives its file.
func (l *lab) program(name, pkg string) (string, error) {
	return l.programFor(build.Here(), name, pkg)
}

// programFor builds a program for a machine, once, and gives its file.
func (l *lab) programFor(target build.Target, name, pkg string) (string, error) {
	key := target.Name + " " + pkg
	if file, ok := l.made[key]; ok {
		return file, nil
	}
	file := filepath.Join(l.tmp, name+"-"+target.Name)
	if err := build.One(l.dir, build.Program{Name: name, Package: pkg, NoHTTP2: pkg == floorPackage}, target, file); err != nil {
		return "", err
	}
	l.made[key] = file
	return file, nil
}

// process is a program that runs, and what it prints.
type process struct {
	cmd   *exec.Cmd
	begun time.Time
	lines chan said
}

// said is a line and when it came.
type said struct {
	text string
	at   time.Time
}

// launch starts a program. What it prints on either stream is read until it ends.
func launch(env []string, file string, args ...string) (*process, error) {
	cmd := exec.Command(file, args...)
	cmd.Env = append(os.Environ(), env...)
	out, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	cmd.Stdout, cmd.Stderr = w, w
	p := &process{cmd: cmd, begun: time.Now(), lines: make(chan said, 1000)}
	if err := cmd.Start(); err != nil {
		out.Close()
		return nil, err
	}
	go p.read(out)
	return p, nil
}

// read notes when each line came; lines nobody waits for are dropped when there
// are too many.
func (p *process) read(out io.ReadCloser) {
	defer out.Close()
	defer close(p.lines)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		select {
		case p.lines <- said{lines.Text(), time.Now()}:
		default:
		}
	}
}

// await waits for a line that contains text and gives how long after the start of
// the program it came. The error wraps errSilent when it does not come, and has
// what came instead.
func (p *process) await(text string) (time.Duration, error) {
	var other strings.Builder
	late := time.After(patience)
	for {
		select {
		case line, more := <-p.lines:
			switch {
			case !more:
				return 0, fmt.Errorf("%s: %q: %w and ended:\n%s", p.cmd.Path, text, errSilent, other.String())
			case strings.Contains(line.text, text):
				return line.at.Sub(p.begun), nil
			}
			other.WriteString(line.text + "\n")
		case <-late:
			return 0, fmt.Errorf("%s: %q: %w within %v:\n%s", p.cmd.Path, text, errSilent, patience, other.String())
		}
	}
}

// kill ends the program at once and waits until it is gone.
func (p *process) kill() {
	p.cmd.Process.Kill() // it may have ended by itself
	p.cmd.Wait()
	for range p.lines {
	}
}

// memory is the program's resident memory in MB.
func (p *process) memory() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(status) {
		if fields := strings.Fields(string(line)); len(fields) == 3 && fields[0] == "VmRSS:" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			return kib * 1024 / 1e6, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no VmRSS", p.cmd.Process.Pid)
}

// cpu is the processor time that the program's threads have used so far. The
// kernel gives it in nanoseconds here, where `stat` counts hundredths of a second.
func (p *process) cpu() (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("/proc/%d has no schedstat: %w", p.cmd.Process.Pid, os.ErrNotExist)
	}
	var sum time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		first, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}
