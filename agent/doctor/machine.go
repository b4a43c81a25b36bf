package doctor

import "time"

// Chosen by us.
const (
	offsetSlight = 2 * time.Second // a clock that is further off is not disciplined well
	fewFree      = 200 << 20       // bytes; a ledger's day takes well under one of these MB
	hardlyFree   = 50 << 20        // bytes
	mostUsed     = 90              // percent
	wornAt       = 80              // percent of a flash's life
	wornOut      = 100             // percent
	longestDog   = 16              // s; so long the hardware of a Raspberry Pi cannot count (20 bits of 65536 Hz)
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
		tell(Finding{Status: Warn, What: clockless(&m),
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

// dogs are how long a watchdog of a Raspberry Pi should count, s: a machine that is busy
// stays calm, and one that hangs is restarted before much has flowed. Chosen by us; the
// hardware cannot count longer than longestDog, and older kernels refuse to try.
const (
	shortDog = 10
	goodDog  = "14s"
)

// watchdog judges what resets a machine that hangs.
func watchdog(f *Facts, tell func(Finding)) {
	const how = "RuntimeWatchdogSec=" + goodDog + " in /etc/systemd/system.conf.d/watchdog.conf; sudo systemctl daemon-reexec"
	x, d := Finding{Topic: "failsafe"}, f.Machine.Watchdog
	switch {
	case d == nil && f.Machine.Pi:
		x.Status, x.What = Fail, Text{"ingen vakthund: en maskin som henger, holder kontaktoren som den står", "no hardware watchdog: a machine that hangs holds the contactor as it is"}
		x.Remedy = Text{"slå den på: dtparam=watchdog=on i config.txt, start på nytt, så " + how, "switch it on: dtparam=watchdog=on in config.txt, reboot, then " + how}
	case d == nil:
		x.Status, x.What = Warn, Text{"maskinen har ingen vakthund", "the machine has no hardware watchdog"}
		x.Remedy = Text{"bruk dødmannskretsen (contactor.deadman), som åpner kontaktoren av seg selv", "use the dead-man circuit (contactor.deadman), which opens the contactor by itself"}
	case !d.Armed && f.Machine.Pi && d.Wanted >= longestDog:
		x.Status, x.What = Fail, say("vakthunden (%s) er ikke slått på: systemd ber om %d s, mer enn den kan telle, og fikk nei", "the hardware watchdog (%s) is not armed: systemd asks for %d s, more than it can count, and was refused", d.Name, d.Wanted)
		x.Remedy = Text{how, how}
	case !d.Armed:
		x.Status, x.What = Fail, say("vakthunden (%s) er ikke slått på: en maskin som henger, holder kontaktoren som den står", "the hardware watchdog (%s) is not armed: a machine that hangs holds the contactor as it is", d.Name)
		x.Remedy = Text{how, how}
	case f.Machine.Pi && max(d.Seconds, d.Wanted) >= longestDog:
		x.Status, x.What = Warn, say("vakthunden teller %d s, mer enn maskinvaren kan", "the hardware watchdog counts %d s, more than the hardware can", max(d.Seconds, d.Wanted))
		x.Remedy = Text{how, how}
	case f.Machine.Pi && d.Seconds > 0 && d.Seconds < shortDog:
		x.Status, x.What = Warn, say("vakthunden teller bare %d s: en maskin som er travel, startes på nytt", "the hardware watchdog counts %d s only: a machine that is busy is reset", d.Seconds)
		x.Remedy = Text{how, how}
	default:
		kept := Text{}
		if d.Other {
			kept = Text{"et annet program enn systemd holder den rolig", "another program than systemd keeps it calm"}
		}
		x.Status, x.What = Pass, say("%s er på, %d s", "%s is armed, %d s", d.Name, d.Seconds).then(kept)
	}
	tell(x)
}

// clockless is what is said of a machine without a battery clock.
func clockless(m *Machine) Text {
	if m.ClockFile == "" {
		return Text{"ingen batteriklokke, og ingenting tar vare på tiden: etter et strømbrudd er klokken måneder bak til nettet er tilbake", "no battery clock, and nothing keeps the time: after a power cut the clock is months behind until the network is back"}
	}
	return say("ingen batteriklokke: etter et strømbrudd er klokken en gjetning (%s) til nettet er tilbake", "no battery clock: after a power cut the clock is a guess (%s) until the network is back", m.ClockFile)
}
