package card

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"stolpe/agent/config/strict/legal"
	"stolpe/hal/raspberry"
)

// Marks around what this program has written into a file of somebody else.
const (
	begin = "# begin stolpe: written by go run ./cross card, which writes it anew\n"
	end   = "# end stolpe\n"
)

// withBlock puts a text at the end of another, in the place of what stood between the marks.
func withBlock(text, block string) string {
	before, rest, found := strings.Cut(text, begin)
	if found {
		_, after, _ := strings.Cut(rest, end)
		text = before + after
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text + begin + block + end
}

// planConfig has the firmware let go of outputs, hold the contactors open, and switch on
// what is needed. It stands at the end, where the last word counts.
func (m *maker) planConfig() error {
	path := filepath.Join(m.Boot, "config.txt")
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("-boot: %w; want the folder of a Raspberry Pi's boot partition", err)
	}
	b := "[all]\ndtparam=strict_gpiod\ndtparam=watchdog=on\n"
	var wrong []error
	for _, line := range m.Lines {
		n, low, err := contactor(line)
		wrong = append(wrong, err)
		level := "dl"
		if low {
			level = "dh"
		}
		b += fmt.Sprintf("gpio=%d=op,%s\n", n, level)
	}
	if m.I2C || m.RTC != "" {
		b += "dtparam=i2c_arm=on\n"
	}
	if m.SPI {
		b += "dtparam=spi=on\n"
	}
	if m.RTC != "" {
		if !legal.Only(m.RTC, "-") {
			wrong = append(wrong, fmt.Errorf("-rtc %q: want a model, such as ds3231", m.RTC))
		}
		b += "dtoverlay=i2c-rtc," + m.RTC + "\n"
	}
	if m.UART { // a Pi 5 has its serial port elsewhere, and no small one
		b += "enable_uart=1\ndtoverlay=disable-bt\n[pi5]\ndtparam=uart0=on\n[all]\n"
	}
	m.write(path, withBlock(string(text), b), 0)
	return errors.Join(wrong...)
}

// planCmdline takes out what would make the root partition as large as the card, which has
// a partition behind it; an overlay; and a console where the meter is.
func (m *maker) planCmdline() error {
	path := filepath.Join(m.Boot, "cmdline.txt")
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("-boot: %w", err)
	}
	line := raspberry.ParseCmdline(string(text)).Without(func(word string) bool {
		name, value, _ := strings.Cut(word, "=")
		switch {
		case name == "init":
			return strings.HasSuffix(value, "/firstboot") || strings.HasSuffix(value, "/init_resize.sh")
		case name == "console":
			return m.UART && (strings.HasPrefix(value, "serial") || strings.HasPrefix(value, "ttyAMA") || strings.HasPrefix(value, "ttyS"))
		}
		return word == "resize" || name == "overlayroot" || word == "boot=overlay"
	})
	m.write(path, line.With("fsck.repair=yes").String(), 0)
	return nil
}
