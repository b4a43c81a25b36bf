package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"stolpe/agent/setup"
	"stolpe/display"
)

// Files of a provisioning, beside the folder that it takes in: on the boot partition, which
// every laptop can read.
const (
	takenIn  = "stolpe-provisioned.txt"
	refusals = "stolpe-provision-failed.txt"
)

// provisioning gives a post its configuration, secrets and certificates from a folder.
//
// A power cut may come at any time. So all is read and judged before anything is changed;
// what is written is on the disk before what follows from it; nothing is taken out of the
// folder before all of it is where it belongs, which a note beside the configuration says;
// and whatever was done is done again in the same way by the next try.
type provisioning struct {
	vault
	from  string // the folder
	user  string // who the daemon runs as
	lang  display.Lang
	seals func(ctx context.Context, name, path, value string) error // keeps a secret encrypted; nil where nobody can
	step  func(what string) error                                   // told before each change, which an error keeps from being made; may be nil
}

func provisionCommand() *cobra.Command {
	var p provisioning
	c := &cobra.Command{
		Use:   "provision",
		Short: "take configuration, secrets and certificates from a folder on the boot partition, once",
		Long: `Gives a post that has no configuration yet what it needs, from a folder that a laptop has put on the
boot partition of its card: /boot/firmware/stolpe, or /boot/stolpe. stolpe-provision.service does so
at boot. The folder has

  stolpe-setup.yaml       answers, as for stolpe setup --answers; or, instead, stolpe.yaml, a configuration
  secrets/NAME            one secret each, for credential:NAME or file:/etc/stolpe/secrets/NAME
  certificates/NAME       for /etc/stolpe/NAME, such as ca.pem, post.pem and post.key

All of it is checked before anything is changed. Then the secrets and keys in the folder are written
over and deleted, and the folder with them. Flash may keep what was written over, and a card that was lost
with the folder on it has lost the secrets. What came of it stands beside the folder, in
stolpe-provisioned.txt or stolpe-provision-failed.txt.

No meter is read and no contactor closes: on site, stolpe setup --resume does the rest.`,
		Example: `  stolpe provision
  stolpe provision --from /media/usb/stolpe --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			p.lang = langOf(c)
			if p.from == "" {
				p.from = bootFolder("/boot/firmware/stolpe", "/boot/stolpe")
			}
			if creds, err := exec.LookPath("systemd-creds"); err == nil {
				p.seals = func(ctx context.Context, name, path, value string) error {
					return encryptSecret(ctx, creds, name, path, value)
				}
			}
			done, err := p.run(c.Context())
			if err != nil {
				return p.refuse(err)
			}
			if p.json {
				return failed(printJSON(c.OutOrStdout(), done))
			}
			_, err = fmt.Fprint(c.OutOrStdout(), done.text(p.lang))
			return failed(err)
		},
	}
	c.Flags().StringVar(&p.from, "from", "", "`folder` to take it from (default: that of the boot partition)")
	c.Flags().StringVar(&p.user, "user", "stolpe", "`user` that the post runs as, who gets the files")
	return p.flags(c, "one JSON object")
}

// bootFolder is the first of several that is there; the first if none is.
func bootFolder(all ...string) string {
	for _, dir := range all {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir
		}
	}
	return all[0]
}

// provisioned is what came of a provisioning.
type provisioned struct {
	Post         string   `json:"post"`
	Config       string   `json:"config"`
	Secrets      []string `json:"secrets"`      // where they are kept, as the configuration has it
	Certificates []string `json:"certificates"` // their files
	Report       string   `json:"report"`
}

// run does it.
func (p *provisioning) run(ctx context.Context) (provisioned, error) {
	if _, err := os.Stat(p.from); err != nil {
		return provisioned{}, coded{fmt.Errorf("there is nothing to take in: %w", err), exitNotFound}
	}
	if err := p.plainFiles(); err != nil {
		return provisioned{}, err
	}
	note, err := readNote(p.noteFile())
	if err != nil {
		return provisioned{}, failed(err)
	}
	sum, err := p.sum()
	if err != nil {
		return provisioned{}, err
	}
	if note.Done != nil && p.isLeft(note, sum) {
		return *note.Done, p.clear(note)
	}
	h, err := p.read()
	if err != nil {
		return provisioned{}, err
	}
	if err := p.mayWrite(note); err != nil {
		return provisioned{}, err
	}
	done := provisioned{h.post, p.file, h.where(), h.certFiles(p), filepath.Join(filepath.Dir(p.from), takenIn)}
	note = noted{Sum: sum, Done: &done}
	if err := p.write(ctx, h, note); err != nil {
		return provisioned{}, failed(fmt.Errorf("%w; nothing was taken out of %s: the next try goes on", err, p.from))
	}
	return done, p.clear(note)
}

// isLeft says whether the folder is what is left of the one that a note is about, of which
// all but the clearing up was done, and not another one that has come since.
func (p *provisioning) isLeft(note noted, sum string) bool {
	if sum == note.Sum && !note.Cleared {
		return true
	}
	return (sum == note.Sum || sum == "") && !p.holdsFiles()
}

// mayWrite says no where a post has a configuration that no provisioning has left half
// done: who is owed money stands in a state folder that belongs to it. One that somebody
// has made at the post meanwhile, as nothing came of the folder, is not of a provisioning.
func (p *provisioning) mayWrite(note noted) error {
	is, err := readPlain(p.file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && note.Done == nil && slices.Contains(note.Wrote, textSum(is)) {
		return nil
	}
	if err != nil {
		return failed(err)
	}
	return coded{fmt.Errorf("this post has a configuration already, %s, and nothing was changed; change it with stolpe config set or stolpe setup, or, for another post on this card, move %s and %s away first, when nothing is owed", p.file, p.file, p.noteFile()), exitRefused}
}

// before is asked before each change.
func (p *provisioning) before(what string) error {
	if p.step == nil {
		return nil
	}
	return p.step(what)
}

// refuse writes beside the folder why nothing came of it, for whoever takes the card out.
func (p *provisioning) refuse(err error) error {
	if _, missing := os.Stat(p.from); missing != nil {
		return err
	}
	text := setup.Words{
		NB: "Posten ble ikke satt opp. Rett dette på kortet, og start posten på nytt:",
		EN: "The post was not set up. Put this right on the card, and start the post again:",
	}.In(p.lang) + "\n\n" + err.Error() + "\n"
	if wrong := p.onBoot(refusals, text); wrong != nil {
		return errors.Join(err, failed(fmt.Errorf("this could not be noted beside the folder: %w", wrong)))
	}
	return err
}

// onBoot writes a file beside the folder. A FAT partition has neither owners nor modes.
func (p *provisioning) onBoot(name, text string) error {
	dir := filepath.Dir(p.from)
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NOFOLLOW, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(strings.ReplaceAll(text, "\n", "\r\n")) // for any laptop
	return errors.Join(err, f.Sync(), f.Close(), syncFolder(dir))
}

// text is what came of it, in words.
func (d provisioned) text(l display.Lang) string {
	say := func(nb, en string) string { return setup.Words{NB: nb, EN: en}.In(l) }
	var b strings.Builder
	fmt.Fprintf(&b, say("Post %s har fått sin konfigurasjon: %s\n", "Post %s has got its configuration: %s\n"), d.Post, d.Config)
	for _, where := range d.Secrets {
		fmt.Fprintf(&b, say("  hemmelighet: %s\n", "  secret: %s\n"), where)
	}
	for _, file := range d.Certificates {
		fmt.Fprintf(&b, say("  sertifikat: %s\n", "  certificate: %s\n"), file)
	}
	b.WriteString(say(`Mappen er slettet, og hemmelighetene i den er skrevet over. Minnekort kan beholde det som er
skrevet over: et kort som kommer på avveier, har mistet dem.
Ingenting er prøvd ennå. På stedet: stolpe setup --resume, og stolpe doctor.
`, `The folder is deleted, and the secrets in it were written over. A memory card may keep what was
written over: one that goes astray has lost them.
Nothing has been tried yet. On site: stolpe setup --resume, and stolpe doctor.
`))
	return b.String()
}
