package gpio

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/host/v3/gpioioctl"
)

// chip is as much of a GPIO chip as is needed here: periph's, or a test's.
type chip interface {
	Name() string
	Label() string
	lines() []lineInfo // by number
	// output requests a line as an output that is low. A line that is taken gives
	// syscall.EBUSY.
	output(number int) (outputLine, error)
	// inputs requests lines as inputs that give edges, each with a pull-up or a
	// pull-down. A line that is taken gives syscall.EBUSY.
	inputs(numbers []int, pullUp []bool) (inputSet, error)
}

// outputLine is the part of a LineSet that drives. It has no Read on purpose.
type outputLine interface {
	Out(bits, mask gpio.GPIOValue) error
	Close() error
}

// Levels of a line that is alone in its set.
const (
	lineLow  gpio.GPIOValue = 0
	lineHigh gpio.GPIOValue = 1 // its bit
	onlyLine gpio.GPIOValue = 1 // the mask of it
)

// inputSet is the part of a LineSet that looks. Bits of Read are in the order of the
// request; WaitForEdge gives the line's number on its chip, and os.ErrDeadlineExceeded
// when its time is up or Halt is called. Its time must be positive: 0 is for ever,
// and less returns at once.
type inputSet interface {
	Read(mask gpio.GPIOValue) (gpio.GPIOValue, error)
	WaitForEdge(timeout time.Duration) (number int, edge gpio.Edge, err error)
	Halt() error
	Close() error
}

// kernelChips lists the kernel's chips, those labelled "pinctrl-" first.
func kernelChips() ([]chip, error) {
	if _, err := startPeriph(); err != nil {
		return nil, err
	}
	var chips []chip
	for _, c := range gpioioctl.Chips {
		chips = append(chips, kernelChip{c})
	}
	if len(chips) == 0 {
		return nil, noChips(chipFiles)
	}
	return chips, nil
}

// startPeriph makes periph look for chips, which it does once in a program's life, and gives
// the files that could be opened then.
// Two things it does besides must not be felt: it logs what it cannot open, and where
// it meets a chip under two names, as on a Raspberry Pi 5, it closes the second one's
// file descriptor twice and file descriptor 0 besides. The next line requested would
// get that number, which periph takes for "none" and never gives back.
var startPeriph = sync.OnceValues(func() ([]string, error) {
	found := usable(chipFiles)
	before := log.Writer()
	log.SetOutput(io.Discard)
	_, err := driverreg.Init()
	log.SetOutput(before)
	return found, errors.Join(err, occupyZero())
})

// chipFiles are the kernel's chips.
const chipFiles = "/dev/gpiochip*"

// usable lists the files that can be opened. One that is there under two names is one.
func usable(pattern string) []string {
	var all []string
	paths, _ := filepath.Glob(pattern) // it is a pattern
	for _, path := range paths {
		real, err := filepath.EvalSymlinks(path)
		if err != nil || slices.Contains(all, real) {
			continue
		}
		if f, err := os.Open(filepath.Clean(real)); err == nil {
			f.Close() // nothing was written
			all = append(all, real)
		}
	}
	return all
}

// TooLate says whether there are chips now that could not be opened when this program first
// looked for any. Only a program that is started anew can use them: in the middle of its life
// what periph closes twice while it looks may be another's by then.
func TooLate() bool {
	before, _ := startPeriph() // what is wrong with it, whoever wants a line is told
	return late(before, chipFiles)
}

func late(before []string, pattern string) bool {
	return slices.ContainsFunc(usable(pattern), func(path string) bool { return !slices.Contains(before, path) })
}

// occupyZero makes sure that file descriptor 0 is something.
func occupyZero() error {
	var is syscall.Stat_t
	if err := syscall.Fstat(0, &is); !errors.Is(err, syscall.EBADF) {
		return err
	}
	_, err := syscall.Open(os.DevNull, syscall.O_RDONLY, 0) // the lowest that is free
	return err
}

// ErrNoChip says that the machine has no lines at all.
var ErrNoChip = errors.New("the kernel has no GPIO chip")

// noChips says why there are none.
func noChips(pattern string) error {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fmt.Errorf("%w: there is no %s", ErrNoChip, pattern)
	}
	var all error
	for _, path := range paths {
		f, err := os.Open(filepath.Clean(path))
		if err == nil {
			err = fmt.Errorf("%s came too late or gives no lines: start again", path)
			f.Close() // nothing was written
		}
		all = errors.Join(all, err)
	}
	return fmt.Errorf("no GPIO chip can be used; the program's user must be in the group that owns them: %w", all)
}

// kernelChip is a chip of the kernel's.
type kernelChip struct{ *gpioioctl.GPIOChip }

func (k kernelChip) lines() []lineInfo {
	var all []lineInfo
	for _, l := range k.Lines() {
		// periph puts the chip's name before a name that it has met before.
		all = append(all, lineInfo{strings.TrimPrefix(l.Name(), k.Name()+"-"), l.Consumer()})
	}
	return all
}

// name gives the name by which periph requests exactly this line.
func (k kernelChip) name(number int) (string, error) {
	name := k.Lines()[number].Name()
	if l := k.ByName(name); l == nil || l.Number() != number {
		return "", fmt.Errorf("line %d of %s has no name of its own (%q): lines can only be requested by name", number, k.Name(), name)
	}
	return name, nil
}

func (k kernelChip) output(number int) (outputLine, error) {
	name, err := k.name(number)
	if err != nil {
		return nil, err
	}
	set, err := k.LineSet(gpioioctl.LineOutput, gpio.NoEdge, gpio.PullNoChange, name)
	if err != nil {
		return nil, known(err)
	}
	return set, nil
}

func (k kernelChip) inputs(numbers []int, pullUp []bool) (inputSet, error) {
	c := gpioioctl.LineSetConfig{DefaultDirection: gpioioctl.LineInput, DefaultEdge: gpio.BothEdges, DefaultPull: gpio.PullDown}
	var ups []string
	for i, number := range numbers {
		name, err := k.name(number)
		if err != nil {
			return nil, err
		}
		c.Lines = append(c.Lines, name)
		if pullUp[i] {
			ups = append(ups, name)
		}
	}
	if len(ups) > 0 {
		if err := c.AddOverrides(gpioioctl.LineInput, gpio.BothEdges, gpio.PullUp, ups...); err != nil {
			return nil, err
		}
	}
	set, err := k.LineSetFromConfig(&c)
	if err != nil {
		return nil, known(err)
	}
	// The first wait makes what Halt and Close need, without a lock: so it is here.
	if _, _, err := set.WaitForEdge(1); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, errors.Join(err, set.Close())
	}
	return set, nil
}

// known gives a taken line's error its number again: periph hands on the text alone.
func known(err error) error {
	if text, ok := strings.CutSuffix(err.Error(), syscall.EBUSY.Error()); ok {
		return fmt.Errorf("%s%w", text, syscall.EBUSY)
	}
	return err
}
