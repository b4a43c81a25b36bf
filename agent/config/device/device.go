// Package device reads the addresses of devices of this machine that a configuration
// names: of a display, or of a light.
//
// # Why
//
// A display hangs on a bus and on some lines beside it, or is a file, or a page. One
// address says all of that in one line, as that of a meter does, and whoever opens the
// device gets it taken apart: there is no second place that could read it in another way.
package device

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Bus is the way to a device: the scheme of its address.
type Bus string

// The ways.
const (
	I2C         Bus = "i2c"
	SPI         Bus = "spi"
	Lines       Bus = "lines" // nothing but lines
	PWM         Bus = "pwm"
	Framebuffer Bus = "fb"
	File        Bus = "file"
	Page        Bus = "http"
)

// Address is where a device is.
type Address struct {
	Bus      Bus
	Path     string            // of the device, or of the file; host:port of a Page; empty with Lines
	Target   int               // on an I2C bus, 8 to 119
	Lines    map[string]string // by what they are for, as lines are written; nil without any; those of a light may begin with !, where low lights it
	Channels map[string]int    // of a PWM, by what they are for
	Width    int               // of a picture, pixels
	Height   int               // of a picture, pixels
}

// Said are the names of all options that an address has, sorted.
func (a Address) Said() []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(a.Lines)), maps.Keys(a.Channels))
	if a.Target != 0 {
		all = append(all, "address")
	}
	if a.Width != 0 {
		all = append(all, "size")
	}
	slices.Sort(all)
	return all
}

// Same says whether two addresses lead to one device, or to one channel of it. Whether
// lines are used twice is for whoever knows all lines of the machine.
func (a Address) Same(b Address) bool {
	if a.Bus != b.Bus || a.Path != b.Path || a.Target != b.Target || a.Bus == Lines || a.Bus == "" {
		return false
	}
	if a.Bus != PWM {
		return true
	}
	for _, n := range a.Channels {
		for _, m := range b.Channels {
			if n == m {
				return true
			}
		}
	}
	return false
}

// Parse takes an address apart. Output says whether a text names a line. Which options
// there are to be is for whoever knows the device.
func Parse(text string, output func(string) bool) (Address, error) {
	u, err := url.Parse(text)
	if err != nil {
		return Address{}, fmt.Errorf("device: %q is no address", text)
	}
	a := Address{Bus: Bus(u.Scheme), Path: u.Path}
	before := u.Scheme + "://" + a.Path
	switch a.Bus {
	case Lines:
		before = "lines:"
	case Page:
		a.Path, before = u.Host, "http://"+u.Host
	}
	if u.RawQuery != "" {
		before += "?" + u.RawQuery
	}
	if text != before || !a.pathFits() {
		return Address{}, fmt.Errorf("device: %q is no address of that form", text)
	}
	said, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Address{}, fmt.Errorf("device: options of %q: %w", text, err)
	}
	for name, values := range said {
		if len(values) != 1 || !a.take(name, values[0], output) {
			return Address{}, fmt.Errorf("device: option %q of %q", name, text)
		}
	}
	return a, nil
}

// pathFits says whether the path is one that the bus may have.
func (a Address) pathFits() bool {
	switch a.Bus {
	case I2C, SPI, PWM, Framebuffer:
		return absolute(a.Path)
	case File:
		return absolute(a.Path) && strings.HasSuffix(a.Path, ".png")
	case Lines:
		return a.Path == ""
	case Page:
		at, err := netip.ParseAddrPort(a.Path)
		return err == nil && at.String() == a.Path && at.Port() > 0 && at.Addr().IsLoopback()
	}
	return false
}

// take reads one option.
func (a *Address) take(name, value string, output func(string) bool) bool {
	switch {
	case !slices.Contains(a.Bus.options(), name):
		return false
	case name == "address":
		var ok bool
		a.Target, ok = target(value)
		return ok
	case name == "size":
		w, h, _ := strings.Cut(value, "x")
		var wide, high bool
		a.Width, wide = number(w, 1, mostPixels)
		a.Height, high = number(h, 1, mostPixels)
		return wide && high
	case a.Bus == PWM:
		if a.Channels == nil {
			a.Channels = map[string]int{}
		}
		var ok bool
		a.Channels[name], ok = number(value, 0, mostChannels-1)
		return ok
	}
	if !output(strings.TrimPrefix(value, "!")) || strings.HasPrefix(value, "!") && !slices.Contains(colours(), name) {
		return false
	}
	if a.Lines == nil {
		a.Lines = map[string]string{}
	}
	a.Lines[name] = value
	return true
}

// Chosen by us: more than any display or chip has.
const (
	mostPixels   = 4096
	mostChannels = 32
)

// options are what may be said of a device on that bus.
func (b Bus) options() []string {
	switch b {
	case I2C:
		return []string{"address", "reset"}
	case SPI:
		return []string{"dc", "reset", "busy"}
	case Lines:
		return append(colours(), "rs", "e", "d4", "d5", "d6", "d7", "backlight")
	case PWM:
		return colours()
	case File:
		return []string{"size"}
	}
	return nil
}

// colours are those of a light.
func colours() []string { return []string{"red", "green", "blue"} }

// target reads an I2C address. It is written as data sheets and i2cdetect do; those below
// 0x08 and above 0x77 are reserved (UM10204 rev. 7, 3.1.12).
func target(s string) (int, bool) {
	digits, ok := strings.CutPrefix(s, "0x")
	n, err := strconv.ParseUint(digits, 16, 8)
	return int(n), ok && err == nil && len(digits) == 2 && n >= 0x08 && n <= 0x77
}

// number reads one in its shortest form, from least to most.
func number(s string, least, most int) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= least && n <= most && strconv.Itoa(n) == s
}

// absolute says whether s is an absolute path in its shortest form.
func absolute(s string) bool { return filepath.IsAbs(s) && filepath.Clean(s) == s && s != "/" }
