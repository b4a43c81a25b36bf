package doctor

import (
	"fmt"
	"strings"
)

// real says whether any contactor is one.
func (f *Facts) real() bool { return len(f.Machine.Lines) > 0 }

// strict judges whether outputs are let go of when the program dies.
func strict(f *Facts, tell func(Finding)) {
	m, x := f.Machine, Finding{Topic: "failsafe"}
	file := or(m.BootConfig, "/boot/firmware/config.txt")
	switch {
	case !f.real():
		x.Status, x.What = Skip, Text{"ingen kontaktor er koblet til linjer", "no contactor is wired to lines"}
	case m.Persist == "Y" && m.Strict:
		x.Status, x.What = Fail, say("utgangene blir stående på hvis programmet dør; %s er rettet, men maskinen er ikke startet på nytt", "outputs stay on if the program dies; %s is right, but the machine has not been rebooted", file)
		x.Remedy = Text{"sudo reboot", "sudo reboot"}
	case m.Persist == "Y":
		x.Status, x.What = Fail, Text{"utgangene blir stående på hvis programmet dør", "outputs stay on if the program dies"}
		x.Remedy = say("skriv dtparam=strict_gpiod i %s, under [all], og sudo reboot", "write dtparam=strict_gpiod in %s, below [all], and sudo reboot", file)
	case m.Persist == "" && m.Pi:
		x.Status, x.What = Warn, Text{"kjernen sier ikke om utgangene blir stående på hvis programmet dør", "the kernel does not say whether outputs stay on if the program dies"}
		x.Remedy = say("oppdater den (sudo apt full-upgrade), og skriv dtparam=strict_gpiod i %s", "update it (sudo apt full-upgrade), and write dtparam=strict_gpiod in %s", file)
	case m.Persist == "":
		x.Status, x.What = Skip, Text{"denne maskinens kjerne har ingen bryter for det", "this machine's kernel has no switch for that"}
	case m.Pi && !m.Strict:
		x.Status, x.What = Warn, say("utgangene slippes hvis programmet dør, men %s ber ikke om det: etter neste oppstart kan de bli stående på", "outputs are let go of if the program dies, but %s does not ask for that: after the next boot they may stay on", file)
		x.Remedy = say("skriv dtparam=strict_gpiod i %s, under [all]", "write dtparam=strict_gpiod in %s, below [all]", file)
	default:
		x.Status, x.What = Pass, Text{"utgangene slippes hvis programmet dør", "outputs are let go of if the program dies"}
	}
	tell(x)
}

// bootLevels judges what the lines of the contactors do before the program has them.
func bootLevels(f *Facts, tell func(Finding)) {
	var bad, held, pulled, strange []string
	for _, l := range f.Machine.Lines {
		up := l.PulledUp
		if l.Written != "" {
			up = l.Written == "up"
		}
		switch {
		case !l.Known:
			strange = append(strange, l.Name)
		case up != l.ActiveLow:
			bad = append(bad, fmt.Sprintf("%s (EVSE %d)", l.Name, l.EVSE))
		case l.Driven:
			held = append(held, l.Name)
		default:
			pulled = append(pulled, l.Name)
		}
	}
	x := Finding{Topic: "wiring"}
	switch all := strings.Join(bad, ", "); {
	case !f.real():
		x.Status, x.What = Skip, Text{"ingen kontaktor er koblet til linjer", "no contactor is wired to lines"}
	case len(bad) > 0:
		x.Status, x.What = Fail, say("fra strømmen kommer til programmet har den, trekkes linjen dit kontaktoren lukker: %s", "from power-on until the program has it, the line is pulled to where the contactor closes: %s", all)
		x.Remedy = Text{"bruk en linje fra GPIO9 til GPIO27 og et relékort som lukker på høyt nivå, eller skriv gpio=N=op,dl (dh for active_low) i config.txt", "use a line from GPIO9 to GPIO27 and a relay board that closes on high, or write gpio=N=op,dl (dh for active_low) in config.txt"}
	case len(strange) > 0:
		x.Status, x.What = Skip, say("det er ikke kjent hva %s gjør ved oppstart", "it is not known what %s does at boot", strings.Join(strange, ", "))
		x.Remedy = Text{"mål spenningen på linjen mens maskinen starter", "measure the line's voltage while the machine starts"}
	case len(pulled) > 0:
		x.Status, x.What = Pass, say("%s trekkes åpen fra strømmen kommer; gpio=N=op,dl (dh for active_low) i config.txt driver den også dit", "%s is pulled open from power-on; gpio=N=op,dl (dh for active_low) in config.txt would drive it there as well", strings.Join(pulled, ", "))
	default:
		x.Status, x.What = Pass, say("%s drives åpen fra fastvaren har lest config.txt", "%s is driven open from when the firmware has read config.txt", strings.Join(held, ", "))
	}
	tell(x)
}

// serial judges the board's own serial lines with a meter on them: each has a trap of the
// board in it, and none shows as more than a meter that is silent now and then.
func serial(f *Facts, tell func(Finding)) {
	for i := range f.Machine.Serial {
		x := f.Machine.Serial[i].judge()
		x.ID, x.Topic = fmt.Sprintf("serial.%d", f.Machine.Serial[i].EVSE), "raspberry-pi"
		tell(x)
	}
}

// judge judges one serial line.
func (p *Port) judge() (x Finding) {
	reboot := Text{"så sudo reboot når ingen lader", "then sudo reboot when nobody charges"}
	switch {
	case p.Device == "" && !p.On && p.RP1:
		x.Status, x.What = Fail, say("kortets serieport (%s) er ikke slått på", "the board's serial port (%s) is not switched on", p.Name)
		x.Remedy = Text{"skriv dtparam=uart0=on i config.txt, og bruk /dev/ttyAMA0", "write dtparam=uart0=on in config.txt, and use /dev/ttyAMA0"}.then(reboot)
	case p.Device == "" && !p.On:
		x.Status, x.What = Fail, say("kortets serieport (%s) er ikke slått på", "the board's serial port (%s) is not switched on", p.Name)
		x.Remedy = Text{"skriv enable_uart=1 og dtoverlay=disable-bt i config.txt", "write enable_uart=1 and dtoverlay=disable-bt in config.txt"}.then(reboot)
	case p.Device == "":
		x.Status, x.What = Fail, say("kortets serieport (%s) er ikke der, selv om config.txt slår den på", "the board's serial port (%s) is not there, though config.txt switches it on", p.Name)
		x.Remedy = Text{"se hvilke som er der: ls -l /dev/serial* /dev/ttyAMA* /dev/ttyS*", "see which ones are there: ls -l /dev/serial* /dev/ttyAMA* /dev/ttyS*"}.then(reboot)
	case p.Console != "" && !p.Next:
		x.Status, x.What = Fail, say("kjernen skriver til måleren: %s er konsoll; cmdline.txt er rettet, men maskinen er ikke startet på nytt", "the kernel writes to the meter: %s is a console; cmdline.txt is right, but the machine has not been rebooted", p.Name)
		x.Remedy = Text{"sudo reboot når ingen lader", "sudo reboot when nobody charges"}
	case p.Console != "":
		x.Status, x.What = Fail, say("kjernen skriver til måleren: %s er konsoll", "the kernel writes to the meter: %s is a console", p.Name)
		x.Remedy = say("ta console=%s ut av cmdline.txt på oppstartspartisjonen; sudo systemctl disable --now serial-getty@%s", "take console=%s out of cmdline.txt on the boot partition; sudo systemctl disable --now serial-getty@%s", p.Console, p.Device).then(reboot)
	case p.Mini && p.Parity:
		x.Status, x.What = Fail, say("måleren vil ha paritet, og %s er den lille UART-en (%s), som ikke har det", "the meter wants a parity, and %s is the small UART (%s), which has none", p.Name, p.Device)
		x.Remedy = giveBack(p.Name).then(reboot)
	case p.Mini:
		x.Status, x.What = Warn, say("%s er den lille UART-en (%s): farten følger prosessorens, og den mister tegn", "%s is the small UART (%s): its speed follows the processor's, and it loses characters", p.Name, p.Device)
		x.Remedy = giveBack(p.Name).then(reboot)
	default:
		x.Status, x.What = Pass, say("%s (%s), uten konsoll", "%s (%s), without a console", p.Name, p.Device)
	}
	return x
}

// giveBack is how the good UART comes to the header: Bluetooth has it from the factory.
func giveBack(name string) Text {
	return say("Bluetooth har den gode: skriv dtoverlay=disable-bt i config.txt, og sudo systemctl disable hciuart; %s leder så til ttyAMA0", "Bluetooth has the good one: write dtoverlay=disable-bt in config.txt, and sudo systemctl disable hciuart; %s then leads to ttyAMA0", or(name, "/dev/serial0"))
}
