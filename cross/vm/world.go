package vm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"stolpe/cross/vm/disk"
	"stolpe/cross/vm/field"
)

// byID is the serial adapter by the name that lasts, whichever port it comes back as.
const byID = "rtu:///dev/serial/by-id/%s?baud=9600&parity=N"

// fault waits until the post has a fault, or has it no more.
func (p *post) fault(ctx context.Context, within time.Duration, code string, there bool) error {
	return until(ctx, within, fmt.Sprintf("%s is there: %v", code, there), func(ctx context.Context) error {
		phase, faults, err := p.ask(ctx)
		if err == nil && slices.Contains(faults, code) != there {
			err = fmt.Errorf("%s, faults %v", phase, faults)
		}
		return err
	})
}

// adapter pulls out the serial adapter of the meter while a car charges, and puts it back.
func adapter(ctx context.Context, s *stage) error {
	p, err := s.newPost(s.root, s.state)
	if err != nil {
		return err
	}
	p.how.USB = true
	if err := p.boot(ctx); err != nil {
		return err
	}
	if err := p.plug(ctx, true); err != nil {
		return err
	}
	var name string
	if err := until(ctx, time.Minute, "the adapter has a name", func(ctx context.Context) error {
		name, err = p.shell(ctx, "ls /dev/serial/by-id")
		return err
	}); err != nil {
		return err
	}
	if err := p.configure(ctx, fmt.Sprintf(byID, strings.TrimSpace(name))); err != nil {
		return err
	}
	if _, err := p.m.Run(ctx, "systemctl", "restart", unitFor); err != nil {
		return err
	}
	p.site.Died()
	if err := p.begin(ctx, 10); err != nil {
		return err
	}
	before, err := p.shell(ctx, "readlink -f /dev/serial/by-id/*")
	if err != nil {
		return err
	}
	pulled := time.Now()
	if err := p.m.Unplug(ctx); err != nil {
		return err
	}
	if err := until(ctx, 90*time.Second, "the contactor opens", func(context.Context) error {
		if _, closed := p.site.Flowing(); closed {
			return errors.New("closed")
		}
		return nil
	}); err != nil {
		return err
	}
	opened := time.Since(pulled)
	if err := p.fault(ctx, 90*time.Second, "MET-001", true); err != nil {
		return err
	}
	if err := p.m.Plug(ctx); err != nil {
		return err
	}
	back := time.Now()
	if err := p.fault(ctx, 2*time.Minute, "MET-001", false); err != nil {
		late, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		ports, _ := p.shell(late, "ls -l /dev/serial/by-id /dev/ttyUSB*; dmesg | tail -n 8") // beside the error
		return fmt.Errorf("%w; %s", err, ports)
	}
	after, err := p.shell(ctx, "readlink -f /dev/serial/by-id/*")
	if err != nil {
		return err
	}
	s.say("open %s after the adapter was out; in again (%s, before %s) the meter was heard after %s", short(opened), strings.TrimSpace(after), strings.TrimSpace(before), short(time.Since(back)))
	if err := p.whole(ctx); err != nil {
		return err
	}
	return s.balance(ctx, p, 2)
}

// whole is one more charge, from page to stop.
func (p *post) whole(ctx context.Context) error {
	if err := p.begin(ctx, 10); err != nil {
		return err
	}
	return p.stop(ctx)
}

// balance judges, and demands that so many charges were paid.
func (s *stage) balance(ctx context.Context, p *post, captured int) error {
	v, err := p.judge(ctx)
	if err != nil {
		return err
	}
	s.say("%v", v)
	if v.Captured != captured {
		return fmt.Errorf("%d charges were paid, want %d", v.Captured, captured)
	}
	return nil
}

// clock boots with a battery clock that has run down, and turns the clock back while a
// car charges.
func clock(ctx context.Context, s *stage) error {
	p, err := s.newPost(s.root, s.state)
	if err != nil {
		return err
	}
	p.how.Clock = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := p.boot(ctx); err != nil {
		return err
	}
	date, err := p.shell(ctx, "date -u +%F")
	if err != nil {
		return err
	}
	if strings.TrimSpace(date) == time.Now().UTC().Format(time.DateOnly) {
		return errors.New("the machine knows what day it is, so its battery clock has not run down")
	}
	if err := p.plug(ctx, true); err != nil {
		return err
	}
	if err := p.whole(ctx); err != nil {
		return err
	}
	s.say("with a battery clock at 2000-01-01 the machine thinks it is %s, and charges", strings.TrimSpace(date))
	if err := p.begin(ctx, 10); err != nil {
		return err
	}
	if _, err := p.m.Run(ctx, "date", "-s", "1970-01-02 00:00:00"); err != nil {
		return err
	}
	if err := p.flows(ctx, 10); err != nil {
		return err
	}
	if _, err := p.m.Run(ctx, "date", "-s", "2031-06-01 12:00:00"); err != nil {
		return err
	}
	if err := p.flows(ctx, 10); err != nil {
		return err
	}
	if err := p.stop(ctx); err != nil {
		return err
	}
	s.say("the clock was set to 1970, and then to 2031, while a car charged: it went on")
	return s.balance(ctx, p, 2)
}

// diskfull fills the disk of the state while a car charges, and later makes room.
func diskfull(ctx context.Context, s *stage) error {
	p, err := s.booted(ctx)
	if err != nil {
		return err
	}
	if err := p.begin(ctx, 10); err != nil {
		return err
	}
	free, err := p.shell(ctx, "dd if=/dev/zero of="+stateDir+"/full bs=64k 2>/dev/null; dd if=/dev/zero of="+stateDir+"/full.too bs=512 2>/dev/null; sync; df --output=avail "+stateDir+" | tail -1")
	if err != nil {
		return err
	}
	if strings.TrimSpace(free) != "0" {
		return fmt.Errorf("the disk is not full: %s KiB are free", strings.TrimSpace(free))
	}
	if err := p.flows(ctx, 10); err != nil {
		return err
	}
	if err := p.stop(ctx); err != nil {
		return err
	}
	if err := p.settled(ctx); err != nil {
		return err
	}
	_, faults, err := p.ask(ctx)
	if err != nil {
		return err
	}
	s.say("with %s KiB free the charge ended and was settled; faults %v", strings.TrimSpace(free), faults)
	if _, err := p.shell(ctx, "rm "+stateDir+"/full "+stateDir+"/full.too"); err != nil {
		return err
	}
	if err := p.whole(ctx); err != nil {
		return err
	}
	return s.balance(ctx, p, 2)
}

// diskdead has the disk of the state refuse every write while a car charges: the stop button
// opens all the same, nobody else is served, and a start with a sound disk makes the bill.
func diskdead(ctx context.Context, s *stage) error {
	p, err := s.booted(ctx)
	if err != nil {
		return err
	}
	if err := p.begin(ctx, 10); err != nil {
		return err
	}
	p.disks[1].Be(disk.Mood{Dies: true})
	if err := p.press(ctx); err != nil {
		return err
	}
	if err := p.fault(ctx, 30*time.Second, "STO-001", true); err != nil {
		return err
	}
	if err := p.phone.Ask(ctx); !errors.Is(err, field.ErrTurnedAway) {
		return fmt.Errorf("a driver is served on a disk that takes nothing: %w", err)
	}
	if _, err := p.cut(disk.Drop, 0); err != nil {
		return err
	}
	p.disks[1].Be(disk.Mood{})
	if err := p.boot(ctx); err != nil {
		return err
	}
	if err := p.settled(ctx); err != nil {
		return err
	}
	s.say("the stop button opened on a dead disk; with a sound one the charge was settled")
	if err := p.plug(ctx, true); err != nil {
		return err
	}
	if err := p.whole(ctx); err != nil {
		return err
	}
	return s.balance(ctx, p, 2)
}
