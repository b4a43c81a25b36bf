package light

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// periodNs is the period of the pulse width. Chosen by us: 1 kHz does not flicker, and
// every chip can do it.
const periodNs = 1_000_000 // ns

// appearMost is how long a channel may take to appear and to become ours. Chosen by us:
// rules of udev that give it to a group take some 10 ms.
const appearMost = 2 * time.Second

// appearPoll is how often is looked for it.
const appearPoll = 10 * time.Millisecond

// PWM says which channels of a chip of the kernel's make the light.
type PWM struct {
	Chip             string // folder: /sys/class/pwm/pwmchip0
	Red, Green, Blue int    // numbers of channels
}

// OpenPWM takes a light on three channels.
func OpenPWM(p PWM) (*Device, error) {
	if p.Red == p.Green || p.Green == p.Blue || p.Red == p.Blue {
		return nil, fmt.Errorf("light: channels %d, %d and %d of %s: each colour must have its own", p.Red, p.Green, p.Blue, p.Chip)
	}
	l := &widths{}
	for i, number := range []int{p.Red, p.Green, p.Blue} {
		c, err := openChannel(p.Chip, number)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("light: channel %d of %s: %w", number, p.Chip, err), l.close())
		}
		l.channels[i] = c
	}
	return open(l)
}

// widths are three open channels.
type widths struct {
	channels [3]*channel // red, green, blue
}

func (l *widths) set(red, green, blue uint8) error {
	for i, v := range []uint8{red, green, blue} {
		if err := l.channels[i].width(int(int64(v) * int64(v) * periodNs / (255 * 255))); err != nil {
			return err
		}
	}
	return nil
}

func (l *widths) smooth() bool { return true }

func (l *widths) close() (err error) {
	for _, c := range l.channels {
		if c != nil {
			err = errors.Join(err, c.duty.Close())
		}
	}
	return err
}

// channel is one of them.
type channel struct {
	duty *os.File
	ns   int // that it has; -1: not known
}

// openChannel makes a channel ours, with nothing on it.
func openChannel(chip string, number int) (*channel, error) {
	folder := filepath.Join(chip, fmt.Sprintf("pwm%d", number))
	if _, err := os.Stat(folder); err != nil {
		if err := write(filepath.Join(chip, "export"), strconv.Itoa(number)); err != nil {
			return nil, err
		}
	}
	for began := time.Now(); ; time.Sleep(appearPoll) {
		c, err := tryChannel(folder)
		appears := errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
		if !appears || time.Since(began) > appearMost {
			return c, err
		}
	}
}

// tryChannel sets a channel up, if its files are there and ours.
func tryChannel(folder string) (*channel, error) {
	duty, err := os.OpenFile(filepath.Join(folder, "duty_cycle"), os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	c := &channel{duty: duty, ns: -1}
	if err := c.begin(folder); err != nil {
		return nil, errors.Join(err, duty.Close())
	}
	return c, nil
}

// begin sets a channel up. The kernel takes a polarity only while it is off, and a width
// only within the period.
func (c *channel) begin(folder string) error {
	file := func(name string) string { return filepath.Join(folder, name) }
	if old, err := read(file("period")); err != nil {
		return err
	} else if old != "0" {
		if err := c.width(0); err != nil {
			return err
		}
	}
	if err := write(file("period"), strconv.Itoa(periodNs)); err != nil {
		return err
	}
	// Not every chip has a polarity; one that has may have been turned round before. High is
	// on: a light that wants low is wired through a transistor.
	const polarity = "normal" // as the kernel spells it
	if is, err := read(file("polarity")); err == nil && is != polarity {
		if err := write(file("enable"), "0"); err != nil {
			return err
		}
		if err := write(file("polarity"), polarity); err != nil {
			return err
		}
	}
	if err := c.width(0); err != nil {
		return err
	}
	return write(file("enable"), "1")
}

// width sets for how much of the period it is on.
func (c *channel) width(ns int) error {
	if ns == c.ns {
		return nil
	}
	c.ns = -1
	if _, err := c.duty.WriteAt([]byte(strconv.Itoa(ns)+"\n"), 0); err != nil {
		return fmt.Errorf("a width of %d ns: %w", ns, err)
	}
	c.ns = ns
	return nil
}

// write writes one of the kernel's small files.
func write(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text + "\n"); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

// read gives the first line of one of them.
func read(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return line, nil
}
