package doctor

import (
	"fmt"
	"strings"
	"time"
)

// disk judges the file system of the state folder.
func disk(f *Facts, tell func(Finding)) {
	d, x := f.Machine.Disk, Finding{Topic: "recovery"}
	if d != nil && f.Daemon != nil && f.Daemon.Disk != "" {
		with := *d
		with.Wrong, d = f.Daemon.Disk, &with
	}
	if d == nil {
		tell(Finding{Status: Skip, What: Text{"ingen tilstandsmappe å se på", "no state folder to look at"}})
		return
	}
	free := d.Free >> 20 // MB
	switch {
	case d.ReadOnly:
		x.Status, x.What = Fail, say("%s kan bare leses: disken er satt i lesemodus", "%s is read-only: the disk has been set so", d.Dir)
		x.Remedy = Text{"se hvorfor: sudo dmesg | grep -i -E 'ext4|mmc'; start maskinen på nytt når ingen lader, så disken sjekkes (sudo reboot); skjer det igjen, bytt kortet", "see why: sudo dmesg | grep -i -E 'ext4|mmc'; reboot when nobody charges, so that the disk is checked (sudo reboot); if it happens again, replace the card"}
	case d.Free < hardlyFree || strings.Contains(d.Wrong, "no space"):
		x.Status, x.What = Fail, say("disken er full: %d MB ledig i %s", "the disk is full: %d MB free in %s", free, d.Dir)
		x.Remedy = say("frigjør plass: sudo journalctl --vacuum-size=50M; sudo apt clean; se så hva som er stort: sudo du -xh / | sort -h | tail", "make room: sudo journalctl --vacuum-size=50M; sudo apt clean; then see what is large: sudo du -xh / | sort -h | tail")
	case d.Wrong != "":
		x.Status, x.What = Fail, say("i %s kan ingenting skrives: %s", "nothing can be written in %s: %s", d.Dir, d.Wrong)
		x.Remedy = say("gi mappen til programmets bruker: sudo chown -R stolpe: %s; er det ikke det, bytt kortet", "give the folder to the program's user: sudo chown -R stolpe: %s; if it is not that, replace the card", d.Dir)
	case d.Free < fewFree || d.Used >= mostUsed:
		x.Status, x.What = Warn, say("%d MB ledig i %s, %d %% brukt", "%d MB free in %s, %d %% used", free, d.Dir, d.Used)
		x.Remedy = Text{"frigjør plass: sudo journalctl --vacuum-size=50M; sudo apt clean", "make room: sudo journalctl --vacuum-size=50M; sudo apt clean"}
	default:
		x.Status, x.What = Pass, say("%d MB ledig, %d %% brukt", "%d MB free, %d %% used", free, d.Used)
	}
	tell(x)
}

// flash judges how worn cards and flash are.
func flash(f *Facts, tell func(Finding)) {
	replace := Text{"ta en støttepakke (stolpe support bundle), og bytt det før det svikter", "take a support bundle (stolpe support bundle), and replace it before it fails"}
	worst, silent := Finding{Status: Pass}, 0
	for _, x := range f.Machine.Flash {
		told := say("%s: %d %% av levetiden er brukt", "%s: %d %% of its life is used", x.Name, x.Used)
		switch {
		case x.Used == 0 && x.Spare == 0:
			silent++
		case x.Used > wornOut || x.Spare == 3:
			worst = Finding{Status: Fail, What: told, Remedy: replace}
		case worst.Status == Fail:
		case x.Used >= wornAt || x.Spare == 2:
			worst = Finding{Status: Warn, What: told, Remedy: replace}
		case worst.Status == Pass:
			worst.What = told
		}
	}
	switch {
	case len(f.Machine.Flash) == 0:
		worst = Finding{Status: Skip, What: Text{"ingen minnekort på denne maskinen", "no memory card in this machine"}}
	case silent == len(f.Machine.Flash):
		worst = Finding{Status: Skip, What: say("%s sier ikke hvor slitt det er", "%s does not tell how worn it is", f.Machine.Flash[0].Name)}
	}
	tell(worst)
}

// journal judges what must survive a power cut.
func journal(f *Facts, e *EVSE) Finding {
	if f.Daemon == nil {
		return Finding{}
	}
	if f.lacks(Folder, 0) {
		return after("journal", Folder)
	}
	if codes := e.has("STO", "PAY-002"); len(codes) > 0 {
		x := found("journal", e, codes)
		if e.Journal != "" {
			x.What = x.What.then(Text{e.Journal, e.Journal})
		}
		return x
	}
	if e.Journal != "" {
		return Finding{ID: "journal", Status: Warn, What: say("ved oppstarten: %s", "at the start: %s", e.Journal),
			Remedy: Text{"ingenting nå; skjer det igjen, bytt kortet", "nothing now; if it happens again, replace the card"}}
	}
	return Finding{ID: "journal", Status: Pass, What: Text{"hel", "whole"}}
}

// ledger judges the book.
func ledger(f *Facts, tell func(Finding)) {
	switch {
	case f.Daemon == nil:
	case f.Daemon.Ledger != "":
		tell(Finding{Status: Fail, What: say("hovedboken: %s", "the ledger: %s", f.Daemon.Ledger), Topic: "recovery",
			Remedy: Text{"lading og oppgjør går videre; se på disken (stolpe doctor disk), og ta en støttepakke før noe flyttes (stolpe support bundle)", "charging and settling go on; look at the disk (stolpe doctor disk), and take a support bundle before anything is moved (stolpe support bundle)"}})
	default:
		tell(Finding{Status: Pass, What: Text{"hel", "whole"}})
	}
}

// safety judges the wires that people are saved by.
func safety(f *Facts, e *EVSE) Finding {
	if f.Daemon == nil {
		return Finding{}
	}
	if f.lacks(Wires, e.ID) {
		return after("safety", Wires)
	}
	if codes := e.has("SAF-002", "SAF-003", "SAF-004", "SAF-005"); len(codes) > 0 {
		return found("safety", e, codes)
	}
	var wired []string
	for _, w := range []struct{ name, line string }{{"stop", e.Inputs.Stop}, {"estop", e.Inputs.EStop}, {"rcd", e.Inputs.RCD}, {"hot", e.Inputs.Hot}} {
		if w.line != "" {
			wired = append(wired, w.name)
		}
	}
	if len(wired) == 0 {
		return Finding{ID: "safety", Status: Skip, What: Text{"ingen stopp, nødstopp, jordfeilbryter eller termostat er koblet til", "no stop, emergency stop, residual current device or thermostat is wired"}}
	}
	all := strings.Join(wired, ", ")
	return Finding{ID: "safety", Status: Pass, What: Text{all, all}}
}

// contactor judges what switches an EVSE.
func contactor(f *Facts, e *EVSE) Finding {
	if f.Daemon == nil {
		return Finding{}
	}
	c := e.Contactor
	switch codes := e.has("CON"); {
	case f.lacks(Wires, e.ID) && (len(codes) == 0 || codes[0] == "CON-003"):
		return after("contactor", Wires)
	case e.Young && len(codes) > 0 && codes[0] == "CON-003": // it has not been looked at yet
		return Finding{ID: "contactor", Status: Pass, What: Text{"startet nettopp", "has just started"}}
	case len(codes) > 0:
		return found("contactor", e, codes)
	case e.Young:
		return Finding{ID: "contactor", Status: Pass, What: Text{"startet nettopp", "has just started"}}
	case !c.As:
		return Finding{ID: "contactor", Status: Warn, What: say("den skal være %s, og er ikke følt slik", "it is wanted %s, and not sensed so", c.Want), Topic: "wiring",
			Remedy: Text{"vent noen sekunder og spør igjen; så stolpe contactor status", "wait some seconds and ask again; then stolpe contactor status"}.then(tried(e))}
	case c.Sim:
		return Finding{ID: "contactor", Status: Pass, What: say("simulert, %s", "simulated, %s", c.Want)}
	}
	return Finding{ID: "contactor", Status: Pass, What: say("%s, og følt slik; %d lukkinger", "%s, and sensed so; %d closings", c.Want, c.Wear)}
}

// mid judges until when the meter may bill.
func mid(f *Facts, e *EVSE) Finding {
	x := Finding{ID: "meter.mid"}
	key := fmt.Sprintf("evses[%d].meter.mid_until", e.Meter.Index)
	end, err := time.Parse("2006-01-02", e.Meter.MID)
	left := int64(end.Sub(time.Unix(f.Machine.Now, 0)) / (24 * time.Hour)) // days
	const soon = 180                                                       // days; to order a meter and an electrician
	order := Text{"bestill ny måler eller ny verifisering nå", "order a new meter or a new verification now"}
	switch {
	case e.Meter.URL == "":
		x.Status, x.What = Skip, Text{"måleren er simulert", "the meter is simulated"}
	case e.Meter.MID == "" || err != nil:
		x.Status, x.What = Skip, Text{"det er ikke skrevet til når målerens verifisering gjelder", "it is not written until when the meter's verification holds"}
		x.Remedy = say("les det av måleren eller papirene: stolpe config set '%s' ÅÅÅÅ-MM-DD", "read it off the meter or its papers: stolpe config set '%s' YYYY-MM-DD", key)
	case f.Machine.Now < built:
		x.Status, x.What = Skip, Text{"klokken vet ikke hvilken dag det er", "the clock does not know which day it is"}
	case left < 0:
		x.Status, x.What, x.Remedy = Fail, say("målerens verifisering gikk ut %s", "the meter's verification ran out on %s", e.Meter.MID), order.then(say("så stolpe config set '%s' ÅÅÅÅ-MM-DD", "then stolpe config set '%s' YYYY-MM-DD", key))
	case left < soon:
		x.Status, x.What, x.Remedy = Warn, say("målerens verifisering går ut %s, om %d dager", "the meter's verification runs out on %s, in %d days", e.Meter.MID, left), order
	default:
		x.Status, x.What = Pass, say("gjelder til %s", "holds until %s", e.Meter.MID)
	}
	return x
}

// inService says whether somebody has taken an EVSE out of service.
func inService(f *Facts, e *EVSE) Finding {
	if f.Daemon == nil {
		return Finding{}
	}
	if codes := e.has("USR", "SAF-001"); len(codes) > 0 {
		return found("service", e, codes)
	}
	return Finding{ID: "service", Status: Pass, What: Text{"i drift", "in service"}}
}

// versions compares the program that runs with the one that is installed.
func versions(f *Facts, tell func(Finding)) {
	m := f.Machine
	told := strings.Join(strings.Fields(strings.Join([]string{m.OS, m.Kernel}, " ")), " ")
	switch d := f.Daemon; {
	case d != nil && (d.Version != f.Version || d.Commit != f.Commit):
		tell(Finding{Status: Warn, What: say("installert er %s, men %s går ennå", "%s is installed, but %s still runs", whole(f.Version, f.Commit), whole(d.Version, d.Commit)),
			Remedy: Text{"når ingen lader: sudo systemctl restart stolpe", "when nobody charges: sudo systemctl restart stolpe"}})
	default:
		tell(Finding{Status: Pass, What: say("stolpe %s; %s", "stolpe %s; %s", whole(f.Version, f.Commit), told)})
	}
}

func whole(version, commit string) string {
	if commit == "" {
		return version
	}
	return version + " (" + commit + ")"
}

// configuration compares the file with what runs.
func configuration(f *Facts, tell func(Finding)) {
	c, x := f.File, Finding{Topic: "recovery"}
	switch d := f.Daemon; {
	case c.Unread:
		x.Status, x.What = Skip, say("%s kan ikke leses av deg", "%s is not for you to read", c.Path)
		x.Remedy = Text{"sudo stolpe doctor config", "sudo stolpe doctor config"}
	case len(c.Wrong) > 0:
		x.Status = Fail
		x.What = say("%s er ikke gyldig: %s", "%s is not valid: %s", c.Path, c.Wrong[0])
		if more := len(c.Wrong) - 1; more > 0 {
			x.What = x.What.then(say("og %d til", "and %d more", more))
		}
		x.Remedy = say("rett det, og prøv: stolpe config validate %s; det som går nå, går videre til neste omstart", "put it right, and try: stolpe config validate %s; what runs now runs on until the next restart", c.Path)
	case d != nil && c.Trial != "":
		x.Status, x.What = Warn, say("konfigurasjonen %s er på prøve, og ingen har sagt at den er god", "configuration %s is on trial, and nobody has said that it is good", c.Trial)
		x.Remedy = Text{"den som satte den, bekrefter den, ellers tas den tilbake av seg selv", "whoever set it confirms it, else it is taken back by itself"}
	case d != nil && d.Sum != c.Sum:
		x.Status, x.What = Warn, say("%s er endret siden programmet leste den: det som går nå, er %s", "%s has changed since the program read it: what runs now is %s", c.Path, d.Sum)
		x.Remedy = Text{"se hva: stolpe config diff --running; ta det i bruk: stolpe config reload", "see what: stolpe config diff --running; take it into use: stolpe config reload"}
	default:
		x.Status, x.What = Pass, say("%s, som den går", "%s, as it runs", c.Sum)
		if d == nil {
			x.What = say("%s er gyldig", "%s is valid", c.Path)
		}
	}
	tell(x)
}

// seal judges the sealed part of the configuration.
func seal(f *Facts, tell func(Finding)) {
	switch c := f.File; {
	case f.Daemon != nil && f.Daemon.Seal != "":
		tell(Finding{Status: Warn, What: say("forseglingen: %s", "the seal: %s", f.Daemon.Seal), Topic: "recovery",
			Remedy: say("se på posten: stemmer måler, kontaktor og innganger? Spør den som satte den i drift; er alt i orden, la posten gå etter det nye: sudo rm %s/seal.json, så sudo systemctl restart stolpe", "look at the post: are meter, contactor and inputs as they should be? Ask whoever commissioned it; if all is right, have the post go by what is there now: sudo rm %s/seal.json, then sudo systemctl restart stolpe", f.Daemon.StateDir)})
	case c.Seal != "":
		tell(Finding{Status: Pass, What: say("forseglet %s", "sealed %s", c.Seal)})
	}
}
