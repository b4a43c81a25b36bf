package main

import (
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"

	"stolpe/agent/config"
	"stolpe/agent/doctor"
	"stolpe/hal/raspberry"
)

// bootFacts is what a Raspberry Pi goes by at boot, as far as it matters to a post.
func (c computer) bootFacts(m *doctor.Machine, evses []config.EVSE) {
	board := raspberry.Board{Model: m.Board, Serial: c.text("/proc/device-tree/serial-number")}
	m.Pi = board.Is()
	m.Persist = c.persist(board)
	settings, file := raspberry.Read(c.files, board)
	if file != "" {
		m.BootConfig = "/" + file
	}
	next := raspberry.ParseCmdline(c.text(path.Join(path.Dir(m.BootConfig), "cmdline.txt")))
	m.Strict = settings.Param("strict_gpiod") || persists(next, board) == "N"
	m.BootI2C, m.BootSPI = settings.Param("i2c_arm") || settings.Param("i2c"), settings.Param("spi")
	for _, e := range evses {
		if k := e.Contactor; k.Line != "" {
			m.Lines = append(m.Lines, lineFacts(e.ID, k, settings, m.Pi))
		}
		if p := c.portFacts(e, board, settings, next); p != nil && m.Pi {
			m.Serial = append(m.Serial, *p)
		}
	}
}

// driverOf is the kernel's driver of a board's lines. One kernel has those of all boards,
// and only that of this board counts.
func driverOf(b raspberry.Board) string {
	if b.RP1() {
		return "pinctrl_rp1"
	}
	return "pinctrl_bcm2835"
}

const persistParam = "persist_gpio_outputs"

// persist is what the kernel's driver of the header's lines says of released outputs.
func (c computer) persist(b raspberry.Board) string {
	return yesNo(c.text("/sys/module/" + driverOf(b) + "/parameters/" + persistParam))
}

// persists is what a command line says of them.
func persists(line raspberry.Cmdline, b raspberry.Board) string {
	value, _ := line.Value(driverOf(b) + "." + persistParam)
	return yesNo(value)
}

// yesNo is a switch of the kernel.
func yesNo(s string) string {
	switch s {
	case "Y", "y", "1":
		return "Y"
	case "N", "n", "0":
		return "N"
	}
	return ""
}

// lineFacts is what a line does before the program has it.
func lineFacts(evse int, k config.Contactor, boot raspberry.Settings, pi bool) doctor.Line {
	l := doctor.Line{EVSE: evse, Name: k.Line, ActiveLow: k.ActiveLow}
	n, ok := raspberry.Number(k.Line)
	if !ok || !pi {
		return l
	}
	before, after := raspberry.PowerOn(n), boot.Rest(n)
	l.Known, l.PulledUp, l.Driven = true, before.High, after.Driven
	if after != before {
		l.Written = "down"
		if after.High {
			l.Written = "up"
		}
	}
	return l
}

// portFacts is how the board's own serial line is, on which a meter is; nil for a meter
// that is somewhere else.
func (c computer) portFacts(e config.EVSE, b raspberry.Board, boot raspberry.Settings, next raspberry.Cmdline) *doctor.Port {
	at, err := url.Parse(e.Meter.URL)
	if err != nil || at.Scheme != "rtu" {
		return nil
	}
	name := strings.TrimPrefix(at.Path, "/dev/")
	own := []string{"serial0", "serial1", "ttyS0"}
	if !slices.Contains(own, name) && !strings.HasPrefix(name, "ttyAMA") {
		return nil
	}
	p := &doctor.Port{EVSE: e.ID, Name: at.Path, RP1: b.RP1()}
	parity := at.Query().Get("parity")
	p.Parity = parity == "E" || parity == "O"
	p.On = boot.Value("enable_uart") == "1"
	if p.RP1 {
		p.On = boot.Param("uart0") || boot.Param("uart0_console")
	}
	p.Device = c.deviceOf(name)
	p.Mini = p.Device == "ttyS0" && !p.RP1
	now := raspberry.ParseCmdline(c.text("/proc/cmdline")).Consoles()
	p.Console = c.consoleAt(p.Device, name, now)
	p.Next = c.consoleAt(p.Device, name, next.Consoles()) != ""
	return p
}

// deviceOf is the device that a name in /dev leads to; empty if it is not there.
func (c computer) deviceOf(name string) string {
	if to, err := fs.ReadLink(c.files, "dev/"+name); err == nil {
		name = path.Base(to)
	}
	if _, err := fs.Lstat(c.files, "dev/"+name); err != nil {
		return ""
	}
	return name
}

// consoleAt is the name by which a kernel talks on a device. The firmware puts the device
// in the place of serial0 in the command line that the kernel sees.
func (c computer) consoleAt(device, name string, consoles []string) string {
	for _, at := range consoles {
		if at == name || device != "" && (at == device || c.deviceOf(at) == device) {
			return at
		}
	}
	return ""
}
