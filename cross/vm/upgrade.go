package vm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// upgrade installs a newer package while a car charges, and then tries to take the package
// away while money is owed.
func upgrade(ctx context.Context, s *stage) error {
	p, err := s.booted(ctx)
	if err != nil {
		return err
	}
	if err := s.bring(ctx, p, newer); err != nil {
		return err
	}
	if err := p.begin(ctx, 10); err != nil {
		return err
	}
	old, err := p.version(ctx)
	if err != nil {
		return err
	}
	if _, err := p.m.Run(ctx, "dpkg", "-i", packageFile); err != nil {
		return err
	}
	if err := p.flows(ctx, 10); err != nil {
		return fmt.Errorf("after the upgrade: %w", err)
	}
	if now, err := p.version(ctx); err != nil || now != old {
		return fmt.Errorf("while a car charges the program is %s, was %s: %w", now, old, err)
	}
	s.say("a newer package was installed while a car charged: it goes on, with %s", old)
	if err := p.stop(ctx); err != nil {
		return err
	}
	stopped := time.Now()
	var now string
	if err := until(ctx, 3*time.Minute, "the newer program runs", func(ctx context.Context) error {
		if now, err = p.version(ctx); err == nil && now == old {
			err = errors.New("it is still " + old)
		}
		return err
	}); err != nil {
		return err
	}
	p.site.Died()
	s.say("%s runs %s after the charge was stopped", now, short(time.Since(stopped)))
	if err := s.keepWhatIsOwed(ctx, p); err != nil {
		return err
	}
	if err := s.balance(ctx, p, 2); err != nil {
		return err
	}
	return s.remove(ctx, p)
}

// version is what the running program calls itself.
func (p *post) version(ctx context.Context) (string, error) {
	out, err := p.m.Run(ctx, "stolpe", "status", "--json")
	if err != nil {
		return "", err
	}
	var said struct {
		Version string `json:"version"`
	}
	return said.Version, json.Unmarshal([]byte(out), &said)
}

// keepWhatIsOwed tries to remove the package while a car charges, and while the charge is
// not settled: dpkg must refuse.
func (s *stage) keepWhatIsOwed(ctx context.Context, p *post) error {
	if err := p.begin(ctx, 10); err != nil {
		return err
	}
	if err := p.refuses(ctx); err != nil {
		return fmt.Errorf("while a car charges: %w", err)
	}
	if err := p.m.Net(ctx, false); err != nil {
		return err
	}
	if err := p.press(ctx); err != nil {
		return err
	}
	err := p.refuses(ctx)
	if e := p.m.Net(ctx, true); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("while money is owed: %w", err)
	}
	s.say("dpkg refuses to remove the package while a car charges, and while a charge is not settled")
	return nil
}

// refuses demands that dpkg does not remove the package, and that it still runs.
func (p *post) refuses(ctx context.Context) error {
	if out, err := p.m.Run(ctx, "dpkg", "--remove", "stolpe"); err == nil {
		return fmt.Errorf("dpkg has removed the package: %s", out)
	}
	return p.active(ctx)
}

// remove removes the package and all that it has left, once nothing is owed.
func (s *stage) remove(ctx context.Context, p *post) error {
	if _, err := p.m.Run(ctx, "dpkg", "--remove", "stolpe"); err != nil {
		return err
	}
	p.site.Died()
	if _, err := p.m.Run(ctx, "test", "-e", "/etc/stolpe/stolpe.yaml", "-a", "-e", stateDir+"/evse-1.a"); err != nil {
		return fmt.Errorf("after remove configuration and state are gone: %w", err)
	}
	if _, err := p.m.Run(ctx, "dpkg", "--purge", "stolpe"); err != nil {
		return err
	}
	left, err := p.shell(ctx, "ls -d /usr/bin/stolpe* /etc/stolpe "+stateDir+"/* /usr/lib/systemd/system/stolpe* /run/stolpe 2>/dev/null; true")
	if err != nil {
		return err
	}
	if strings.TrimSpace(left) != "" {
		return fmt.Errorf("after purge there is still %s", strings.Fields(left))
	}
	if _, err := p.shell(ctx, "tar -tzf /var/backups/stolpe-*.tar.gz | grep -q ledger"); err != nil {
		return fmt.Errorf("after purge there is no copy of the accounts in /var/backups: %w", err)
	}
	s.say("removed and purged once nothing was owed: nothing is left but the copy of the accounts")
	return nil
}
