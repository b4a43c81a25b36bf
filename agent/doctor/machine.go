package doctor

import (
	"fmt"
	"strings"
	"time"
)

// Chosen by us.
const (
	offsetSlight = 2 * time.Second // a clock that is further off is not disciplined well
	fewFree      = 200 << 20       // bytes; a ledger's day takes well under one of these MB
	hardlyFree   = 50 << 20        // bytes
	mostUsed     = 90              // percent
	wornAt       = 80              // percent of a flash's life
	wornOut      = 100             // percent
	longestDog   = 16              // s; what the hardware of a Raspberry Pi can count
)

// built is a time before which no post was built: a clock that says so is wrong.
const built = 1767225600 // 2026-01-01T00:00:00Z

const setClock = "timedatectl status; sudo systemctl restart systemd-timesyncd"

// daemonRuns says whether there is somebody to ask.
func daemonRuns(f *Facts, tell func(Finding)) {
	switch {
	case f.Daemon == nil && f.Refused:
		tell(Finding{Status: Fail, What: say("programmet går, men sier ikke hvordan det har det: %s", "the daemon runs, but does not say how it is: %s", f.Absent),
			Remedy: Text{"vent litt, og spør igjen: sudo stolpe doctor", "wait a little, and ask again: sudo stolpe doctor"}})
	case f.Daemon == nil && len(f.File.Wrong) > 0:
		tell(Finding{Status: Fail, Topic: "recovery",
			What:   say("programmet går ikke: konfigurasjonen er ikke gyldig: %s", "the daemon does not run: its configuration is not valid: %s", f.File.Wrong[0]),
			Remedy: say("rett det i %s, og prøv: stolpe config validate %s; så sudo systemctl start stolpe", "put that right in %s, and try: stolpe config validate %s; then sudo systemctl start stolpe", f.File.Path, f.File.Path)})
	case f.Daemon == nil:
		tell(Finding{Status: Fail, Topic: "recovery", What: say("programmet går ikke: %s", "the daemon does not run: %s", f.Absent),
			Remedy: Text{"sudo systemctl start stolpe; går det ikke: stolpe logs", "sudo systemctl start stolpe; if it does not: stolpe logs"}})
	case f.Daemon.Unheard != "":
		tell(Finding{Status: Fail, Topic: "recovery", What: say("programmet går, men %s svarer ikke", "the daemon runs, but %s does not answer", f.Daemon.Unheard),
			Remedy: Text{"ta en støttepakke (stolpe support bundle), så sudo systemctl restart stolpe", "take a support bundle (stolpe support bundle), then sudo systemctl restart stolpe"}})
	default:
		tell(Finding{Status: Pass, What: say("post %s, versjon %s", "post %s, version %s", f.Daemon.Post, f.Daemon.Version)})
	}
}

// clock judges the wall clock.
func clock(f *Facts, tell func(Finding)) {
	m := f.Machine
	says := time.Unix(m.Now, 0).UTC().Format("2006-01-02 15:04 UTC")
	quality := m.Clock
	if f.Daemon != nil && f.Daemon.Clock != "" {
		quality = f.Daemon.Clock
	}
	x := Finding{Topic: "recovery"}
	switch {
	case m.Now < built || quality == "unknown":
		x.Status, x.What = Fail, say("klokken er %s, og det er feil", "the clock says %s, which is wrong", says)
		x.Remedy = say("gi posten nett og vent på tidstjeneren (%s), eller still den selv: sudo timedatectl set-ntp false; sudo timedatectl set-time 'ÅÅÅÅ-MM-DD TT:MM:SS'; sudo timedatectl set-ntp true", "give the post a network and wait for the time server (%s), or set it yourself: sudo timedatectl set-ntp false; sudo timedatectl set-time 'YYYY-MM-DD HH:MM:SS'; sudo timedatectl set-ntp true", setClock)
	case quality != "synced":
		x.Status, x.What = Warn, say("klokken er %s, og ingen tidstjener holder den", "the clock says %s, and no time server disciplines it", says)
		x.Remedy = say("slipp NTP (UDP 123) ut, og se: %s", "let NTP (UDP 123) out, and look: %s", setClock)
	case m.Offset != nil && time.Duration(*m.Offset)*time.Millisecond > offsetSlight, m.Offset != nil && time.Duration(-*m.Offset)*time.Millisecond > offsetSlight:
		x.Status, x.What = Warn, say("klokken går %d ms feil", "the clock is %d ms off", *m.Offset)
		x.Remedy = say("se hvilken tidstjener den har: %s", "see which time server it has: %s", setClock)
	default:
		x.Status, x.What = Pass, Text{"holdt av en tidstjener", "disciplined by a time server"}
		if m.Offset != nil {
			x.What = x.What.then(say("%d ms unna", "%d ms off", *m.Offset))
		}
	}
	tell(x)
}

// rtc judges the battery clock.
func rtc(f *Facts, tell func(Finding)) {
	m := f.Machine
	switch {
	case m.RTC == nil:
		tell(Finding{Status: Warn, What: Text{"ingen batteriklokke: etter et strømbrudd er klokken en gjetning til nettet er tilbake", "no battery clock: after a power cut the clock is a guess until the network is back"},
			Remedy: Text{"sett inn en RTC med batteri (DS3231 på I²C, eller batteriet på en Pi 5)", "fit an RTC with a battery (a DS3231 on I²C, or the battery of a Pi 5)"}})
	case *m.RTC < built:
		tell(Finding{Status: Warn, What: say("batteriklokken (%s) sier %s: batteriet er tomt, eller den er aldri stilt", "the battery clock (%s) says %s: its battery is empty, or it was never set", m.RTCName, time.Unix(*m.RTC, 0).UTC().Format("2006-01-02")),
			Remedy: Text{"bytt batteriet, og still den når klokken er rett: sudo hwclock -w", "replace the battery, and set it when the clock is right: sudo hwclock -w"}})
	default:
		tell(Finding{Status: Pass, What: Text{m.RTCName, m.RTCName}})
	}
}

// What the firmware of a Raspberry Pi says, bit by bit (get_throttled).
const (
	lowNow    = 1 << 0
	cappedNow = 1<<1 | 1<<2 | 1<<3
	lowBefore = 1 << 16
	hotBefore = 1<<17 | 1<<18 | 1<<19
)

// undervoltage judges the power supply of the board.
func undervoltage(f *Facts, tell func(Finding)) {
	m := f.Machine
	supply := Text{"bytt strømforsyningen (5,1 V, merkestrømmen til kortet) og kabelen til den; til da kan kortet bli ødelagt", "replace the board's power supply (5.1 V, the board's rated current) and its cable; until then the card may be damaged"}
	heat := Text{"gi skapet luft, og se på kjøleribben", "give the cabinet air, and look at the heat sink"}
	switch {
	case m.Throttled == nil && !m.Pi:
		tell(Finding{Status: Skip, What: Text{"bare en Raspberry Pi måler det", "only a Raspberry Pi measures it"}})
	case m.Throttled == nil:
		tell(Finding{Status: Skip, What: Text{"fastvaren svarte ikke", "the firmware did not answer"}, Remedy: Text{"prøv: vcgencmd get_throttled", "try: vcgencmd get_throttled"}})
	case *m.Throttled&lowNow != 0:
		tell(Finding{Status: Fail, What: Text{"spenningen til kortet er for lav nå", "the board's supply voltage is too low now"}, Remedy: supply})
	case *m.Throttled&lowBefore != 0:
		tell(Finding{Status: Warn, What: Text{"spenningen til kortet har vært for lav siden oppstarten", "the board's supply voltage has been too low since the start"}, Remedy: supply})
	case *m.Throttled&cappedNow != 0:
		tell(Finding{Status: Warn, What: Text{"prosessoren holdes tilbake nå: for varm", "the processor is held back now: too hot"}, Remedy: heat})
	case *m.Throttled&hotBefore != 0:
		tell(Finding{Status: Pass, What: Text{"ingen; prosessoren har vært varm siden oppstarten", "none; the processor has been hot since the start"}})
	default:
		tell(Finding{Status: Pass, What: Text{"ingen siden oppstarten", "none since the start"}})
	}
}

// watchdog judges what resets a machine that hangs.
func watchdog(f *Facts, tell func(Finding)) {
	const how = "RuntimeWatchdogSec=14s in /etc/systemd/system.conf.d/watchdog.conf; sudo systemctl daemon-reexec"
	x, d := Finding{Topic: "failsafe"}, f.Machine.Watchdog
	switch {
	case d == nil && f.Machine.Pi:
		x.Status, x.What = Fail, Text{"ingen vakthund: en maskin som henger, holder kontaktoren som den står", "no hardware watchdog: a machine that hangs holds the contactor as it is"}
		x.Remedy = Text{"slå den på: dtparam=watchdog=on i config.txt, start på nytt, så " + how, "switch it on: dtparam=watchdog=on in config.txt, reboot, then " + how}
	case d == nil:
		x.Status, x.What = Warn, Text{"maskinen har ingen vakthund", "the machine has no hardware watchdog"}
		x.Remedy = Text{"bruk dødmannskretsen (contactor.deadman), som åpner kontaktoren av seg selv", "use the dead-man circuit (contactor.deadman), which opens the contactor by itself"}
	case !d.Armed:
		x.Status, x.What = Fail, say("vakthunden (%s) er ikke slått på: en maskin som henger, holder kontaktoren som den står", "the hardware watchdog (%s) is not armed: a machine that hangs holds the contactor as it is", d.Name)
		x.Remedy = Text{how, how}
	case f.Machine.Pi && d.Seconds > longestDog:
		x.Status, x.What = Warn, say("vakthunden teller %d s, mer enn maskinvaren kan", "the hardware watchdog counts %d s, more than the hardware can", d.Seconds)
		x.Remedy = Text{how, how}
	default:
		x.Status, x.What = Pass, say("%s er på, %d s", "%s is armed, %d s", d.Name, d.Seconds)
	}
	tell(x)
}

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
		x.Remedy = say("skriv dtparam=strict_gpiod i %s, og sudo reboot", "write dtparam=strict_gpiod in %s, and sudo reboot", file)
	case m.Persist == "" && m.Pi:
		x.Status, x.What = Warn, Text{"kjernen sier ikke om utgangene blir stående på hvis programmet dør", "the kernel does not say whether outputs stay on if the program dies"}
		x.Remedy = say("oppdater den (sudo apt full-upgrade), og skriv dtparam=strict_gpiod i %s", "update it (sudo apt full-upgrade), and write dtparam=strict_gpiod in %s", file)
	case m.Persist == "":
		x.Status, x.What = Skip, Text{"denne maskinens kjerne har ingen bryter for det", "this machine's kernel has no switch for that"}
	default:
		x.Status, x.What = Pass, Text{"utgangene slippes hvis programmet dør", "outputs are let go of if the program dies"}
	}
	tell(x)
}

// bootLevels judges what the lines of the contactors do before the program has them.
func bootLevels(f *Facts, tell func(Finding)) {
	var bad, known, strange []string
	for _, l := range f.Machine.Lines {
		up := l.PulledUp
		if l.Written != "" {
			up = l.Written == "up"
		}
		switch {
		case !l.Known && l.Written == "":
			strange = append(strange, l.Name)
		case up != l.ActiveLow:
			bad = append(bad, fmt.Sprintf("%s (EVSE %d)", l.Name, l.EVSE))
			fallthrough
		default:
			known = append(known, l.Name)
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
	default:
		x.Status, x.What = Pass, say("%s holdes åpen fra strømmen kommer", "%s is held open from power-on", strings.Join(known, ", "))
	}
	tell(x)
}
