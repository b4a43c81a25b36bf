package vm

import (
	"context"
	"errors"

	"stolpe/cross/vm/disk"
)

// liar is the check of the check: the disk says that it has flushed and has not, so the
// post must lose something, and the judge must see it.
func liar(ctx context.Context, s *stage) error {
	p, err := s.booted(ctx)
	if err != nil {
		return err
	}
	for _, d := range p.disks {
		d.Be(disk.Mood{Lies: true})
	}
	if err := p.whole(ctx); err != nil {
		return err
	}
	if v, err := p.judge(ctx); err != nil || v.Captured != 1 {
		return errors.Join(err, errors.New("the charge before the cut is wrong already: "+v.String()))
	}
	if _, err := p.cut(disk.Drop, 0); err != nil {
		return err
	}
	for _, d := range p.disks {
		d.Be(disk.Mood{})
	}
	if err := p.boot(ctx); err != nil {
		return err // all that the disks have lost they have lost together, so the machine is as it was
	}
	if err := p.active(ctx); err != nil {
		return err
	}
	v, err := p.judge(ctx)
	if len(v.Faults) == 0 {
		return errors.Join(err, errors.New("a disk has lost all that was flushed, and the judge has seen nothing: no cut proves anything"))
	}
	s.say("found: %v", v.Faults)
	return nil
}
