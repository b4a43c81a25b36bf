package vm

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"stolpe/cross/ports"
	"stolpe/cross/vm/disk"
	"stolpe/cross/vm/field"
	"stolpe/cross/vm/frame"
	"stolpe/cross/vm/machine"
	"stolpe/hal"
)

// The lines of the post's board, as its configuration names them.
const (
	lineContactor = "GPIO17"
	lineSense     = "GPIO27"
	linePlug      = "GPIO22"
	lineStop      = "GPIO23"
	lineEstop     = "GPIO24"
)

// webPort is where the post serves its pages in the machine.
const webPort = 8080

// stateDir is where the post keeps what must survive a power cut: a disk of its own, as
// on a post whose root file system is not written.
const stateDir = "/var/lib/stolpe"

// Wirings of the meter.
const (
	onBoard = "rtu:///dev/ttyS1?baud=9600&parity=N"
	unitFor = "stolpe.service"
)

// Chosen by us.
const (
	travel    = 30 * time.Millisecond // of the contactor, until its auxiliary contact shows it
	offWithin = 2 * time.Minute       // an orderly end: the unit may take 75 s by itself
)

// post is a machine with a Stolpe in it, and the world around it. The world outlives the
// machine's power.
type post struct {
	stage *stage
	site  *field.Site
	phone *field.Phone
	disks [2]*disk.Disk // root and state
	m     *machine.Machine
	how   machine.Options
	web   int          // port of the pages on this machine
	give  func() error // gives it back; nil before it is there

	followed chan struct{} // closed when the machine has ended and all its lines said is done
}

// newPost opens a world and makes disks of the scenario's own.
func (s *stage) newPost(root, state string) (*post, error) {
	p := &post{stage: s}
	var err error
	if p.site, err = field.Open(); err != nil {
		return nil, err
	}
	s.posts = append(s.posts, p)
	for i, from := range []string{root, state} {
		file := filepath.Join(s.dir, []string{"root", "state"}[i])
		if err := copyFile(from, file+".img"); err != nil {
			return nil, err
		}
		if p.disks[i], err = disk.Serve(file+".img", file+".sock"); err != nil {
			return nil, err
		}
	}
	web, give, err := ports.Take()
	if err != nil {
		return nil, err
	}
	p.give = give
	if p.web, err = strconv.Atoi(web); err != nil {
		return nil, err
	}
	p.phone = field.NewPhone("http://127.0.0.1:" + web)
	p.how = machine.Options{
		Image: s.image, Accel: s.accel, Dir: s.dir, Meter: p.site.Meter(), Reach: map[int]int{p.web: webPort},
		Disks:   []string{filepath.Join(s.dir, "root.sock"), filepath.Join(s.dir, "state.sock")},
		Forward: map[int]int{field.PaymentPort: p.site.ServicePort()},
		Watch:   []string{lineContactor},
		Follow:  []frame.Contact{{Of: lineContactor, Line: lineSense, After: travel}},
	}
	return p, nil
}

// boot starts the machine on its disks as they are.
func (p *post) boot(ctx context.Context) error {
	m, err := machine.Boot(ctx, p.how)
	if err != nil {
		return err
	}
	p.m, p.followed = m, make(chan struct{})
	go func() {
		defer close(p.followed)
		p.follow(m)
	}()
	return nil
}

// follow lets the world do what the contactor's line says, until the machine has ended.
func (p *post) follow(m *machine.Machine) {
	for {
		select {
		case e := <-m.Lines():
			p.line(e)
			continue
		default:
		}
		select {
		case e := <-m.Lines():
			p.line(e)
		case <-m.Gone():
			if len(m.Lines()) == 0 {
				return
			}
		}
	}
}

func (p *post) line(e machine.Edge) {
	switch {
	case e.Line != lineContactor:
	case e.High:
		p.site.Contactor(hal.Closed)
	default:
		p.site.Contactor(hal.Open)
	}
}

// cut cuts the power. What was not flushed is lost as policy and seed say.
func (p *post) cut(policy disk.Policy, seed uint64) (lost [2]disk.Lost, err error) {
	p.m.Cut()
	<-p.followed
	p.site.PowerCut()
	for i, d := range p.disks {
		var e error
		lost[i], e = d.Cut(policy, seed+uint64(i))
		err = errors.Join(err, e)
	}
	return lost, err
}

// off ends the machine in order.
func (p *post) off(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, offWithin)
	defer cancel()
	err := p.m.Off(ctx)
	<-p.followed
	p.site.PowerCut()
	return err
}

// end ends whatever is still there.
func (p *post) end() {
	if p.m != nil {
		p.m.Cut()
		<-p.followed
	}
	for _, d := range p.disks {
		if d != nil {
			d.Close() //nolint:errcheck // it is thrown away
		}
	}
	p.site.Close() //nolint:errcheck // nothing is asked of it any more
	if p.give != nil {
		p.give() //nolint:errcheck // nobody listens there any more
	}
}

// shell runs a line of the shell in the machine.
func (p *post) shell(ctx context.Context, line string) (string, error) {
	return p.m.Run(ctx, "sh", "-c", line)
}

// log is the end of what the post's program and systemd have logged about it.
func (p *post) log(ctx context.Context, lines int) (string, error) {
	return p.shell(ctx, fmt.Sprintf("journalctl --namespace=+stolpe -u %s -o short-monotonic --no-hostname -n %d | cut -c1-240", unitFor, lines))
}

// plug puts the cable into the car or takes it out: the wire, and the car.
func (p *post) plug(ctx context.Context, in bool) error {
	if in {
		p.site.PlugIn()
	} else {
		p.site.Unplug()
	}
	return p.m.Pull(ctx, linePlug, in)
}

// configure writes the post's configuration.
func (p *post) configure(ctx context.Context, meterURL string) error {
	text := p.site.Config(field.Wiring{
		Meter:     meterURL,
		Contactor: fmt.Sprintf("{line: %s, sense: %s}", lineContactor, lineSense),
		Inputs:    fmt.Sprintf(`{plug: %s, stop: "!%s", estop: "!%s"}`, linePlug, lineStop, lineEstop),
		State:     stateDir, Control: "/run/stolpe", Listen: fmt.Sprintf("0.0.0.0:%d", webPort), Secrets: "credential:",
	})
	return p.m.Put(ctx, "/etc/stolpe/stolpe.yaml", 0o640, []byte(text))
}

// until looks again and again until something is so. The error says what was waited for,
// and what was last seen.
func until(ctx context.Context, within time.Duration, what string, so func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var err error
	for {
		now := so(ctx)
		if now == nil {
			return nil
		}
		if err == nil || ctx.Err() == nil { // that the time is over says nothing
			err = now
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited %v in vain: %s: %w", within, what, err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
