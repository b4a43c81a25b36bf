package vm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// secrets damages a secret on the disk: the machine starts, the post is up and says what it
// lacks, and serves again, by itself, when the secret has been decrypted.
func secrets(ctx context.Context, s *stage) error {
	p, err := s.booted(ctx)
	if err != nil {
		return err
	}
	if err := p.active(ctx); err != nil { // before that there is nobody to shut the machine down
		return err
	}
	const name, file = "vipps-client-secret", "/etc/credstore.encrypted/vipps-client-secret"
	// Of a post that has been started so often in ten minutes nothing is remembered, as one that
	// has does not start anew by itself.
	if _, err := p.shell(ctx, "systemctl stop "+unitFor+" && rm -rf "+stateDir+"/* && cp -p "+file+" /root/kept && head -c 200 /dev/urandom >"+file+" && sync"); err != nil {
		return err
	}
	if err := p.off(ctx); err != nil {
		return err
	}
	if err := p.boot(ctx); err != nil {
		return err
	}
	if err := p.active(ctx); err != nil {
		return err
	}
	if err := until(ctx, time.Minute, "the post says what it lacks", func(ctx context.Context) error {
		out, err := p.shell(ctx, "stolpe why; stolpe doctor missing; true")
		if err == nil && !strings.Contains(out, name) {
			err = errors.New(out)
		}
		return err
	}); err != nil {
		return err
	}
	if said, err := p.shell(ctx, "journalctl -b -u stolpe-secrets | grep -c 'cannot be decrypted on this machine'"); err != nil {
		return fmt.Errorf("the log does not tell of the secret: %s: %w", said, err)
	}
	s.say("with a damaged secret the unit is active and says which one")
	if err := p.mended(ctx, name, "cp -p /root/kept "+file); err != nil {
		return err
	}
	s.say("it has started anew by itself when the secret was decrypted")
	p.site.Died()
	if err := p.plug(ctx, true); err != nil {
		return err
	}
	if err := p.whole(ctx); err != nil {
		return err
	}
	return s.balance(ctx, p, 1)
}

// mended waits until a secret has been tried again in vain, mends it, and waits until the
// post has taken it into use by itself.
func (p *post) mended(ctx context.Context, name, mend string) error {
	// It is tried again after five minutes, which is long for a scenario: the timer is told to
	// wait for less.
	if said, err := p.shell(ctx, "set -e; systemctl is-active stolpe-secrets-again.timer; mkdir -p /run/systemd/system/stolpe-secrets-again.timer.d; "+
		"printf '[Timer]\\nOnActiveSec=\\nOnActiveSec=5s\\nAccuracySec=1s\\n' >/run/systemd/system/stolpe-secrets-again.timer.d/soon.conf; "+
		"systemctl daemon-reload; systemctl restart stolpe-secrets-again.timer"); err != nil {
		return fmt.Errorf("what could not be decrypted is not tried again: %s: %w", said, err)
	}
	if err := until(ctx, 2*time.Minute, "it is tried again and again", func(ctx context.Context) error {
		_, err := p.shell(ctx, "test $(journalctl -b -u stolpe-secrets | grep -c 'cannot be decrypted on this machine') -ge 3")
		return err
	}); err != nil {
		return err
	}
	if _, err := p.shell(ctx, mend); err != nil {
		return err
	}
	return until(ctx, 2*time.Minute, "the post has started anew with the secret", func(ctx context.Context) error {
		out, err := p.shell(ctx, "journalctl -b --namespace=stolpe -o cat | grep 'a secret that was missing has been decrypted'; stolpe why")
		if err == nil && (!strings.Contains(out, "has been decrypted") || strings.Contains(out, name)) {
			err = errors.New(out)
		}
		return err
	})
}
