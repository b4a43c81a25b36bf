package vm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// secrets damages a secret on the disk: the machine starts, the post is up and says what it
// lacks, and serves again when the secret is whole.
func secrets(ctx context.Context, s *stage) error {
	p, err := s.booted(ctx)
	if err != nil {
		return err
	}
	if err := p.active(ctx); err != nil { // before that there is nobody to shut the machine down
		return err
	}
	const name, file = "vipps-client-secret", "/etc/credstore.encrypted/vipps-client-secret"
	if _, err := p.shell(ctx, "cp -p "+file+" /root/kept && head -c 200 /dev/urandom >"+file+" && sync"); err != nil {
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
	if _, err := p.shell(ctx, "cp -p /root/kept "+file+" && systemctl restart "+unitFor); err != nil {
		return err
	}
	p.site.Died()
	if err := p.plug(ctx, true); err != nil {
		return err
	}
	if err := p.whole(ctx); err != nil {
		return err
	}
	return s.balance(ctx, p, 1)
}
