package vm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// install installs the package on a machine that knows nothing of it, puts the post into
// service, starts the machine anew, and keeps its disks for all other scenarios.
func install(ctx context.Context, s *stage) error {
	empty := filepath.Join(s.dir, "empty.img")
	if err := newState(empty); err != nil {
		return err
	}
	p, err := s.newPost(s.image.Root, empty)
	if err != nil {
		return err
	}
	if err := p.boot(ctx); err != nil {
		return err
	}
	if err := s.prepare(ctx, p); err != nil {
		return err
	}
	if err := s.unpack(ctx, p); err != nil {
		return err
	}
	if err := p.off(ctx); err != nil {
		return err
	}
	if err := s.start(ctx, p); err != nil {
		return err
	}
	if err := s.inspect(ctx, p); err != nil {
		return err
	}
	if err := p.off(ctx); err != nil {
		return err
	}
	return s.keepDisks(p)
}

// prepare does what a machine has before a post is made of it: the disk of the state.
func (s *stage) prepare(ctx context.Context, p *post) error {
	if err := until(ctx, 2*time.Minute, "systemd is up", func(ctx context.Context) error {
		_, err := p.m.Run(ctx, "systemctl", "is-active", "multi-user.target")
		return err
	}); err != nil {
		return err
	}
	if err := p.patient(ctx, true); err != nil {
		return err
	}
	_, err := p.shell(ctx, "mkdir -p "+stateDir+" && echo 'LABEL=state "+stateDir+" ext4 noatime 0 2' >>/etc/fstab && systemctl daemon-reload && mount "+stateDir)
	return err
}

// calm is a file of systemd's settings that wins over the package's.
const calm = "/etc/systemd/system.conf.d/60-calm.conf"

// patient gives systemd two minutes to keep the hardware watchdog calm, or what the
// package says: on an emulated processor that gets a tenth of a real one, because others
// want it too, a reload of systemd alone takes longer than the package allows.
func (p *post) patient(ctx context.Context, yes bool) error {
	if !yes {
		_, err := p.shell(ctx, "rm "+calm+" && systemctl daemon-reload")
		return err
	}
	if _, err := p.m.Run(ctx, "mkdir", "-p", "/etc/systemd/system.conf.d"); err != nil {
		return err
	}
	return p.m.Put(ctx, calm, 0o644, []byte("[Manager]\nRuntimeWatchdogSec=2min\n"))
}

// unpack installs the package as an operator does, and puts the post into service.
func (s *stage) unpack(ctx context.Context, p *post) error {
	if err := s.bring(ctx, p, older); err != nil {
		return err
	}
	began := time.Now()
	if _, err := p.m.Run(ctx, "dpkg", "-i", packageFile); err != nil {
		return err
	}
	s.say("dpkg -i took %s", short(time.Since(began)))
	for _, name := range slices.Sorted(maps.Keys(p.site.Secrets())) {
		if _, err := p.shell(ctx, fmt.Sprintf("printf %%s '%s' | stolpe config secret set %s", p.site.Secrets()[name], name)); err != nil {
			return err
		}
	}
	if err := p.configure(ctx, onBoard); err != nil {
		return err
	}
	if _, err := p.shell(ctx, "chown stolpe:stolpe /etc/stolpe/stolpe.yaml && rm "+packageFile+" && systemctl start stolpe"); err != nil {
		return err
	}
	return p.active(ctx)
}

// active waits until systemd says that the unit is ready.
func (p *post) active(ctx context.Context) error {
	return until(ctx, time.Minute, "the unit is active", func(ctx context.Context) error {
		out, err := p.m.Run(ctx, "systemctl", "is-active", unitFor)
		if err != nil {
			return fmt.Errorf("%s", strings.TrimSpace(out))
		}
		return nil
	})
}

// start starts the machine from its disks, and measures how long until the unit is ready.
func (s *stage) start(ctx context.Context, p *post) error {
	began := time.Now()
	if err := p.boot(ctx); err != nil {
		return err
	}
	if err := p.active(ctx); err != nil {
		return err
	}
	wall := time.Since(began)
	begun, err := p.moment(ctx, "ExecMainStartTimestampMonotonic")
	if err != nil {
		return err
	}
	ready, err := p.moment(ctx, "ActiveEnterTimestampMonotonic")
	if err != nil {
		return err
	}
	s.say("started anew: ready %s after the kernel began, %s after systemd began the program (%s on this machine's clock)", short(ready), short(ready-begun), short(wall))
	s.timed = append(s.timed, figure{"start of the kernel to a post that is ready", spread{ready}})
	return nil
}

// moment is when something happened to the unit, since the kernel began.
func (p *post) moment(ctx context.Context, property string) (time.Duration, error) {
	out, err := p.m.Run(ctx, "systemctl", "show", "--value", "--property", property, unitFor)
	if err != nil {
		return 0, err
	}
	µs, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
	return time.Duration(µs) * time.Microsecond, err
}

// inspect looks at what the package has made of the machine.
func (s *stage) inspect(ctx context.Context, p *post) error {
	for _, c := range []struct{ what, line string }{
		{"no unit failed", `test -z "$(systemctl list-units --failed --no-legend)" || { systemctl list-units --failed --no-legend; false; }`},
		{"the sockets are there", "ls -l /run/stolpe | grep ^s"},
		{"the units are as systemd wants them", "systemd-analyze verify --man=no /usr/lib/systemd/system/stolpe*.service 2>&1 | tee /dev/stderr | (! grep -q stolpe)"},
		{"the log has a namespace of its own", "journalctl --namespace=stolpe -n 1 | grep ."},
		{"the state belongs to the post", `test "$(stat -c %U ` + stateDir + `)" = stolpe`},
		{"nobody else reads the configuration", "! setpriv --reuid=nobody --regid=nogroup --clear-groups cat /etc/stolpe/stolpe.yaml"},
		{"the secrets are sealed", "! grep -rq subscription-7x1m /etc"},
	} {
		if _, err := p.shell(ctx, c.line); err != nil {
			return fmt.Errorf("%s: %w", c.what, err)
		}
	}
	out, err := p.shell(ctx, "systemd-analyze security stolpe.service --no-pager | tail -1")
	if err != nil {
		return err
	}
	s.say("%s", strings.Trim(strings.TrimSpace(out), "→ "))
	out, err = p.m.Run(ctx, "stolpe", "doctor", "--json")
	if !strings.Contains(out, `"status"`) {
		return errors.Join(fmt.Errorf("stolpe doctor: %s", out), err)
	}
	s.say("stolpe doctor ran; units, sockets, log, folders and secrets are as they should be")
	return nil
}

// keepDisks makes the disks those that others begin with.
func (s *stage) keepDisks(p *post) error {
	for i, keep := range []*string{&s.root, &s.state} {
		if err := p.disks[i].Close(); err != nil {
			return err
		}
		p.disks[i] = nil
		*keep = filepath.Join(s.dir, []string{"root.img", "state.img"}[i])
	}
	return nil
}

// booted is a post of the scenario's own, booted, with a car at it.
func (s *stage) booted(ctx context.Context) (*post, error) {
	p, err := s.newPost(s.root, s.state)
	if err != nil {
		return nil, err
	}
	if err := p.boot(ctx); err != nil {
		return nil, err
	}
	return p, p.plug(ctx, true)
}
