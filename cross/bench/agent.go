package bench

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Chosen by us: how long programs may come to rest before they are watched (a post
// looks at its meter every second until that has settled), and how long they are
// watched. A poll a second shows in any ten seconds.
const (
	settle = 10 * time.Second
	watch  = 15 * time.Second
)

// startsPerRun is how many times a program is started for one run: a start takes
// milliseconds and scatters more than anything else here.
const startsPerRun = 4

// daemon starts `stolpe run` with everything simulated and its state in the lab.
func (l *lab) daemon(env ...string) (*process, error) {
	file, err := l.program("stolpe", agentPackage)
	if err != nil {
		return nil, err
	}
	state := filepath.Join(l.tmp, "state")
	if err := os.MkdirAll(state, 0o755); err != nil {
		return nil, err
	}
	env = append(env, "STOLPE_STATE_DIR="+state, "STOLPE_CONTROL_DIR="+filepath.Join(l.tmp, "run"), "STOLPE_WEB_LISTEN=127.0.0.1:0")
	return launch(env, file, "run", "--config", filepath.Join(l.dir, "testdata", "config", "sim.yaml"))
}

// bare starts the floor program, with a server for it to talk to.
func (l *lab) bare() (p *process, stop func(), err error) {
	file, err := l.program("floor", floorPackage)
	if err != nil {
		return nil, nil, err
	}
	return l.bareBy(nil, file)
}

// bareBy starts a floor program that may need another to run it.
func (l *lab) bareBy(env []string, program ...string) (p *process, stop func(), err error) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the program is killed when it has done its part
	server.StartTLS()
	certificate := filepath.Join(l.tmp, "certificate.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	if err = os.WriteFile(certificate, pem.EncodeToMemory(block), 0o644); err == nil {
		all := append(slices.Clone(program), server.URL, certificate)
		p, err = launch(env, all[0], all[1:]...)
	}
	if err != nil {
		server.Close()
		return nil, nil, err
	}
	return p, func() { p.kill(); server.Close() }, nil
}

// idle measures memory and processor time of the agent while nobody charges and then
// while somebody does, and of the floor program beside it at the same time.
func idle(l *lab) ([]Row, error) {
	memory := Row{What: "memory, idle (RSS), MQTT over TLS connected", Unit: "MB", Budget: "<= 14 MB", FloorIs: "a bare TLS and HTTP client"}
	const wakes = "a bare TLS and HTTP client that wakes once a second"
	cpu := Row{What: "processor, idle", Unit: "% of a core", Budget: "<= 0.1 %", FloorIs: wakes}
	busy := Row{What: "processor, charging, a poll a second, the simulated meter's share in it", Unit: "% of a core", Budget: "<= 0.5 %", FloorIs: wakes}
	for run := range l.runs {
		l.say(fmt.Sprintf("idle and charging, %d of %d", run+1, l.runs))
		if err := idleOnce(l, &memory, &cpu, &busy); err != nil {
			return nil, err
		}
	}
	return []Row{memory, cpu, busy}, nil
}

func idleOnce(l *lab, memory, cpu, busy *Row) (err error) {
	at, err := l.openPlace()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, at.close()) }()
	file, err := l.program("stolpe", agentPackage)
	if err != nil {
		return err
	}
	ours, err := at.launch(file)
	if err != nil {
		return err
	}
	defer ours.kill()
	floor, stop, err := l.bare()
	if err != nil {
		return err
	}
	defer stop()
	if _, err := floor.await("ready"); err != nil {
		return err
	}
	watched := []*process{ours, floor}
	if err := watchedFor(watched, cpu); err != nil {
		return err
	}
	resident, err := each(watched, (*process).memory)
	if err != nil {
		return err
	}
	memory.Ours, memory.Floor = append(memory.Ours, resident[0]), append(memory.Floor, resident[1])
	if err := at.charge(); err != nil {
		return err
	}
	return watchedFor(watched, busy)
}

// watchedFor adds to a row which part of a core ours and the floor take, once they have
// come to rest.
func watchedFor(watched []*process, row *Row) error {
	time.Sleep(settle)
	before, err := each(watched, (*process).cpu)
	if err != nil {
		return err
	}
	time.Sleep(watch)
	after, err := each(watched, (*process).cpu)
	if err != nil {
		return err
	}
	percent := func(i int) float64 { return 100 * float64(after[i]-before[i]) / float64(watch) }
	row.Ours, row.Floor = append(row.Ours, percent(0)), append(row.Floor, percent(1))
	return nil
}

// each asks every process the same.
func each[T any](processes []*process, ask func(*process) (T, error)) ([]T, error) {
	var all []T
	for _, p := range processes {
		answer, err := ask(p)
		if err != nil {
			return nil, err
		}
		all = append(all, answer)
	}
	return all, nil
}

// start measures how long the agent takes from exec until it has commanded its
// contactor open, and until it tells the service manager that it is ready.
func start(l *lab) ([]Row, error) {
	const floorIs = "a bare TLS and HTTP client's first line"
	open := Row{What: "exec to contactor commanded open", Unit: "ms", Budget: "<= 20 ms", FloorIs: floorIs}
	ready := Row{What: "exec to READY", Unit: "ms", Budget: "<= 60 ms", FloorIs: floorIs}
	for run := range l.runs*startsPerRun + 1 {
		opened, readied, err := l.timeDaemon()
		if err != nil {
			return nil, err
		}
		begun, err := l.timeBare()
		if err != nil {
			return nil, err
		}
		if run == 0 {
			continue // it laid out the journal, which happens once in a post's life
		}
		open.Ours, open.Floor = append(open.Ours, milliseconds(opened)), append(open.Floor, milliseconds(begun))
		ready.Ours, ready.Floor = append(ready.Ours, milliseconds(readied)), append(ready.Floor, milliseconds(begun))
	}
	return []Row{open, ready}, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// timeDaemon starts the agent once, with a socket as systemd gives it one
// (sd_notify(3)).
func (l *lab) timeDaemon() (opened, readied time.Duration, err error) {
	name := filepath.Join(l.tmp, "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return 0, 0, err
	}
	defer os.Remove(name)
	defer socket.Close()
	p, err := l.daemon("NOTIFY_SOCKET=" + name)
	if err != nil {
		return 0, 0, err
	}
	defer p.kill()
	if err := awaitReady(socket); err != nil {
		return 0, 0, errors.Join(err, silent(p))
	}
	readied = time.Since(p.begun)
	opened, err = p.await(`msg="contactor open"`)
	return opened, readied, err
}

// awaitReady returns when READY=1 has come.
func awaitReady(socket net.Conn) error {
	if err := socket.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	message := make([]byte, 4096) // as much as systemd reads
	for {
		n, err := socket.Read(message)
		if err != nil {
			return fmt.Errorf("wait for READY=1: %w", err)
		}
		for line := range strings.Lines(string(message[:n])) {
			if strings.TrimSpace(line) == "READY=1" {
				return nil
			}
		}
	}
}

// silent ends a program that does not do what it should, and gives what it said.
func silent(p *process) error {
	p.cmd.Process.Kill() // it may have ended by itself
	_, err := p.await("\x00 which no program prints")
	return err
}

func (l *lab) timeBare() (time.Duration, error) {
	p, stop, err := l.bare()
	if err != nil {
		return 0, err
	}
	defer stop()
	return p.await("begun")
}
