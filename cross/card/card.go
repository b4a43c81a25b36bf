// Package card turns the image of Raspberry Pi OS Lite, or of another Debian for a Raspberry
// Pi, into the card of a post: `go run ./cross card -root DIR -boot DIR`, with the partitions of
// the image mounted there. It changes files, and nothing else: no partition is made, nothing
// is downloaded, no program of the image is run, so any Linux will do. Done twice it is done
// once.
//
// # Why
//
// The system is read-only, by the line of / in fstab, and not below an overlay: an overlay
// eats memory with whatever is written by mistake, hides that it was, and the one of
// Raspberry Pi OS covers every partition, also the one with the money, unless it is told
// otherwise. What must be written goes to memory (logs, temporary files) or to the data
// partition.
//
// The data partition has ext4 as it comes (data=ordered). The journal's files are made once
// and never grow, each slot has a sum of its own, and each record is flushed: data=journal
// would write every slot twice, and what it guards against is seen anyway. A file system
// that errs is set read-only (errors=remount-ro): then the post opens its contactors and says
// so, and a reboot checks it.
//
// It is mounted at /data, and its folders are bound to where programs look for them. Bound
// to a name of its own, a purge of the package cannot empty the whole of it.
//
// The first boot is as ever: the distribution makes keys, users and an id of the machine,
// which no two cards may share, and the package is installed if it came along. When the
// post has its configuration, first-boot puts the read-only fstab in the place of the other,
// in one step, and reboots. Until then it can be written, and a power cut costs nothing but
// another try.
//
// Without the data partition the agent does not start: it would begin a new journal on the
// system's partition. The rest of the machine does, so that somebody can look.
package card

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"stolpe/hal/raspberry"
)

// Options say what card is to be made.
type Options struct {
	Root, Boot string   // folders in which its partitions are mounted
	Lines      []string // of contactors: GPIO17, or !GPIO17 for one that closes on low
	UART       bool     // a meter is on the board's own serial port
	I2C, SPI   bool     // what displays need
	RTC        string   // model of a battery clock on I2C; empty for none
	Packages   []string // .deb files to install at the first boot
}

// Run makes a card, as the arguments say.
func Run(args []string, stdout, stderr io.Writer) int {
	var o Options
	var lines, debs string
	f := flag.NewFlagSet("card", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprint(stderr, usage)
		f.PrintDefaults()
	}
	f.StringVar(&o.Root, "root", "", "`folder` in which the root partition is mounted")
	f.StringVar(&o.Boot, "boot", "", "`folder` in which the boot partition is mounted (default: boot/firmware of the root)")
	f.StringVar(&lines, "lines", "", "`lines` of the contactors, such as GPIO17,!GPIO5 (! where low closes)")
	f.BoolVar(&o.UART, "uart", false, "a meter is on the board's own serial port: no console there, and the good UART, not Bluetooth's")
	f.BoolVar(&o.I2C, "i2c", false, "switch on I2C, for displays and clocks")
	f.BoolVar(&o.SPI, "spi", false, "switch on SPI, for displays")
	f.StringVar(&o.RTC, "rtc", "", "`model` of a battery clock on I2C, such as ds3231")
	f.StringVar(&debs, "deb", "", "`packages` to install at the first boot, with commas between")
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if f.NArg() > 0 || o.Root == "" {
		f.Usage()
		return 2
	}
	o.Lines, o.Packages = split(lines), split(debs)
	changed, err := Make(o)
	for _, path := range changed {
		fmt.Fprintln(stdout, path)
	}
	if err != nil {
		fmt.Fprintln(stderr, "card:", err)
		return 1
	}
	fmt.Fprintf(stdout, "%d files and folders changed; the README says what comes next (A Raspberry Pi)\n", len(changed))
	return 0
}

const usage = `usage: go run ./cross card -root DIR [-boot DIR] [-lines GPIO17] [-uart] [-i2c] [-spi] [-rtc ds3231] [-deb FILE]
Makes the card of a post out of an image of Raspberry Pi OS Lite, with a third partition that has the
label ` + dataLabel + `. Changes files in the mounted image, and nothing else.
`

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// Make makes a card, and gives the files that it changed, below root or boot. All is read
// and checked before anything is changed.
func Make(o Options) (changed []string, err error) {
	if o.Boot == "" {
		o.Boot = filepath.Join(o.Root, "boot", "firmware")
	}
	m := &maker{Options: o}
	if err := m.plan(); err != nil {
		return nil, err
	}
	for _, c := range m.changes {
		did, err := c.apply()
		if did {
			changed = append(changed, c.path)
		}
		if err != nil {
			return changed, err
		}
	}
	return changed, nil
}

// maker collects what is to be changed.
type maker struct {
	Options
	changes []change
}

// change is a file as it is to be: with a text, a link, or a folder.
type change struct {
	path   string
	text   []byte
	mode   os.FileMode // 0 where the file system has none: FAT
	link   string
	folder bool
}

func (m *maker) write(path, text string, mode os.FileMode) {
	m.changes = append(m.changes, change{path: path, text: []byte(text), mode: mode})
}

func (m *maker) link(path, to string) { m.changes = append(m.changes, change{path: path, link: to}) }

// apply makes it so, in one step, and says whether it was not so already.
func (c change) apply() (did bool, err error) {
	if _, missing := os.Lstat(c.path); c.folder {
		return missing != nil, os.MkdirAll(c.path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(c.path), 0o755); err != nil {
		return false, err
	}
	fresh := c.path + ".stolpe-new"
	if c.link != "" {
		if to, err := os.Readlink(c.path); err == nil && to == c.link {
			return false, nil
		}
		if err := errors.Join(remove(fresh), os.Symlink(c.link, fresh)); err != nil {
			return true, err
		}
		return true, os.Rename(fresh, c.path)
	}
	info, err := os.Lstat(c.path)
	if err == nil && info.Mode().IsRegular() && (c.mode == 0 || info.Mode().Perm() == c.mode) {
		if was, err := os.ReadFile(c.path); err == nil && slices.Equal(was, c.text) {
			return false, nil
		}
	}
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return false, err
	}
	if _, err = f.Write(c.text); c.mode != 0 { // whatever umask there is
		err = errors.Join(err, f.Chmod(c.mode))
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return true, err
	}
	return true, os.Rename(fresh, c.path)
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// plan says what is to be changed.
func (m *maker) plan() error {
	wrong := []error{m.planConfig(), m.planCmdline(), m.planFstab(), m.planPackages()}
	m.planSystem()
	return errors.Join(wrong...)
}

// contactor is one of the lines that may be given, and whether low closes it.
func contactor(name string) (n int, low bool, err error) {
	bare, low := strings.CutPrefix(name, "!")
	n, ok := raspberry.Number(bare)
	if !ok {
		return 0, low, fmt.Errorf("-lines %s: want a line of the header, GPIO0 to GPIO27, with ! before it where low closes", name)
	}
	return n, low, nil
}
