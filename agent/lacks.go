package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	commands "stolpe/agent/command"
	"stolpe/agent/config"
	"stolpe/agent/config/trial"
	"stolpe/agent/doctor"
	"stolpe/agent/evse"
	"stolpe/agent/mqtt"
	"stolpe/payment"
)

// lack is something that a post has started without. A post that does not start helps
// nobody: not the driver whose charge is to be settled, nor the technician who asks what is
// wrong. So it starts, serves no driver who would need what is missing, says what it is,
// and looks for it. A meter, a display, a broker or a payment service that is away is none:
// whoever uses it tries again, and needs no start anew for that.
type lack struct {
	doctor.Lack
	there func() bool  // it can be had now, with a start anew; nil where it takes none
	anew  error        // how it is started anew; nil for errRestart
	still func() error // it is not there; nil: until the start anew
}

// without notes that the post starts without something.
func (p *parts) without(l lack, log *slog.Logger) {
	p.lacks = append(p.lacks, l)
	then := "it looks for it, and takes it into use when it is there"
	if errors.Is(l.anew, errMoreSecrets) {
		then = "what could not be decrypted is tried again, and taken into use; what is kept anew, with systemctl restart stolpe"
	}
	log.Error("the post starts without "+l.Text().EN, "err", l.Why, "then", then)
}

// lacking lists what is still missing. Why it is has paths and names of programs in it,
// which are not for guests.
func (p *parts) lacking(guest bool) []doctor.Lack {
	var all []doctor.Lack
	for _, l := range p.lacks {
		if l.still != nil {
			err := l.still()
			if err == nil {
				continue
			}
			l.Why = err.Error()
		}
		if guest {
			l.Why = ""
		}
		all = append(all, l.Lack)
	}
	return all
}

// refuses says why a post does not start with a configuration that names what is missing,
// where it ran with another just before: whoever has changed it has made a mistake, and
// drivers do not suffer for that. What was missing with the other as well is no mistake of
// theirs, and no reason to keep them from changing the rest.
func (p *parts) refuses(from origin) error {
	if !from.another {
		return nil
	}
	for _, l := range p.lacking(false) {
		if !slices.ContainsFunc(from.lacked, l.Same) {
			return fmt.Errorf("it would have to start without %s: %s", l.Text().EN, l.Why)
		}
	}
	return nil
}

// heal looks for what is missing until ctx ends. What takes a start anew gets one as soon
// as nobody charges: a charge is worth more than what was missed so far. A configuration
// on trial would be taken back by it, and is waited for. With a file that does not load the
// post would come back as poor as it was, or not at all.
func (p *parts) heal(d *deeds, tooLate func() bool, anew func(error)) func(context.Context) {
	return func(ctx context.Context) {
		tick := time.NewTicker(lookAgain)
		defer tick.Stop()
		for said := ""; ; {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			if t, _ := trial.Of(d.file); t.On() || d.mayRestart(commands.Command{}) != nil {
				continue // and look for nothing: some looks write to the card
			}
			what, cause := p.came(tooLate)
			if cause == nil {
				continue
			}
			if err := d.loads(); err != nil {
				if err.Error() != said {
					d.log.Error("what was missing is there, but the post cannot start anew with it", "what", what, "err", err)
				}
				said = err.Error()
				continue
			}
			if d.mayRestart(commands.Command{}) != nil { // somebody was faster
				continue
			}
			d.log.Info("what was missing is there: the post starts anew with it", "what", what)
			anew(cause)
			return
		}
	}
}

// came says what has come that takes a start anew, and of what kind that is.
func (p *parts) came(tooLate func() bool) (what string, cause error) {
	for _, l := range p.lacks {
		if l.there != nil && l.there() {
			return l.Text().EN, cmp.Or(l.anew, errRestart)
		}
		if l.Kind == doctor.Wires && l.still() != nil && tooLate() {
			return l.Text().EN, errMoreChips
		}
	}
	return "", nil
}

// useFolder makes the state folder, or says why nothing can be written there.
func useFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	const writeAndEnter = 2 | 1 // W_OK|X_OK
	if err := syscall.Access(dir, writeAndEnter); err != nil {
		return &fs.PathError{Op: "write", Path: dir, Err: err}
	}
	return nil
}

// withoutFolder notes that nothing can be written down. The journals are then as those of a
// dead card: no new driver is served.
func (p *parts) withoutFolder(dir string, err error, log *slog.Logger) {
	p.without(lack{
		Lack:  doctor.Lack{Kind: doctor.Folder, Name: dir, Why: err.Error()},
		there: func() bool { return useFolder(dir) == nil && writable(dir) == nil },
	}, log)
}

// deadAfter is how long a state folder that is missing counts as late. Chosen by us: disks
// that are checked at boot take minutes. One that has not come by then is as good as lost,
// and what the payment service knows is settled without it.
const deadAfter = 10 * time.Minute

// withheld asks for no money before the state folder can be counted as lost. What stands in
// the journals there is more than the payment service knows.
type withheld struct {
	evse.Payments
	mono func() time.Duration
	from time.Duration
}

// errNoFolder is why nobody is asked.
var errNoFolder = errors.New("not asked: the state folder may still come, and what it holds is needed to settle right")

// Ask asks, when it is time.
func (p withheld) Ask(ctx context.Context, o payment.Order) (payment.Answer, error) {
	if p.mono()-p.from < deadAfter {
		return payment.Answer{}, errNoFolder
	}
	return p.Payments.Ask(ctx, o)
}

// unasked is the way to the money of a post that cannot ask for any. Nothing was asked, so
// nothing is known of any payment.
type unasked struct{ err error }

// Ask says why it does not.
func (u unasked) Ask(context.Context, payment.Order) (payment.Answer, error) {
	return payment.Answer{}, u.err
}

// withoutSigners notes that nobody vouches for the broker.
func (p *parts) withoutSigners(m config.MQTT, err error, log *slog.Logger) {
	p.without(lack{
		Lack: doctor.Lack{Kind: doctor.Signers, Name: m.CA, Why: err.Error()},
		there: func() bool {
			o, _ := mqtt.TLS(m.CA, m.Cert, m.Key) // our own pair is read again at each connection
			return o != nil
		},
	}, log)
}

// withoutPages notes that the address of the pages cannot be listened on.
func (p *parts) withoutPages(at string, err error, log *slog.Logger) {
	p.without(lack{
		Lack: doctor.Lack{Kind: doctor.Pages, Name: at, Why: err.Error()},
		there: func() bool {
			l, err := net.Listen("tcp", at)
			return err == nil && l.Close() == nil
		},
	}, log)
}

// withoutWires notes that the lines of a contactor are missing.
func (p *parts) withoutWires(id int, line string, l *lateWires, log *slog.Logger) {
	p.without(lack{
		Lack:  doctor.Lack{Kind: doctor.Wires, EVSE: id, Name: line, Why: l.missing().Error()},
		still: l.missing,
	}, log)
	p.jobs = append(p.jobs, l.run)
}

// names lists what is missing in one line, for systemctl status.
func names(all []doctor.Lack) string {
	var words []string
	for _, l := range all {
		words = append(words, l.Text().EN)
	}
	return fmt.Sprintf("without %s", strings.Join(words, ", "))
}
