package doctor

import (
	"fmt"
	"slices"
)

// LackKind is a kind of thing that a post can do without when it starts.
type LackKind string

// The kinds.
const (
	Wires   LackKind = "lines"  // of the contactor of an EVSE
	Folder  LackKind = "folder" // of the state
	Keys    LackKind = "secret"
	Signers LackKind = "certificate" // of the broker's authority
	Pages   LackKind = "pages"       // their address
)

// Lack is something that the post started without. It looks for it, and takes it into use
// when it is there.
type Lack struct {
	Kind LackKind `json:"kind"`
	EVSE int      `json:"evse,omitempty"` // whose it is; 0 for the post's
	Name string   `json:"name"`           // as the configuration names it
	Why  string   `json:"why,omitempty"`  // it is not there; left out for guests
}

// Same says whether both are the same thing, for whatever reason it is missing.
func (l Lack) Same(o Lack) bool { return l.Kind == o.Kind && l.EVSE == o.EVSE && l.Name == o.Name }

// Text says what is missing.
func (l Lack) Text() Text {
	t := map[LackKind]Text{
		Wires:   say("linjene til kontaktoren %s", "the lines of the contactor, %s", l.Name),
		Folder:  say("tilstandsmappen %s", "the state folder %s", l.Name),
		Keys:    say("hemmeligheten til %s", "the secret of %s", l.Name),
		Signers: say("sertifikatene i %s", "the certificates in %s", l.Name),
		Pages:   say("adressen til sidene, %s", "the address of the pages, %s", l.Name),
	}[l.Kind]
	if l.EVSE != 0 {
		t = say("EVSE %d: ", "EVSE %d: ", l.EVSE).join(t)
	}
	return t
}

// told is the same with why.
func (l Lack) told() Text {
	t := say("posten gikk i gang uten ", "the post started without ").join(l.Text())
	if l.Why != "" {
		t = t.join(Text{": " + l.Why, ": " + l.Why})
	}
	return t
}

// remedy is what to do.
func (l Lack) remedy() Text {
	if l.Kind == Keys { // of which systemd hands some over, at the start only
		return Text{"stolpe config secret list viser hva som finnes, stolpe config secret set NAVN legger den inn; så sudo systemctl restart stolpe, hvis den er kryptert; en i en fil tar posten i bruk av seg selv",
			"stolpe config secret list shows what there is, stolpe config secret set NAME keeps it; then sudo systemctl restart stolpe, if it is an encrypted one; one in a file the post takes into use by itself"}
	}
	return map[LackKind]Text{
		Wires:   {"se på linjen (gpioinfo viser hvem som har den), og på /dev/gpiochip*; kan kontaktoren være lukket, slå av sikringen", "look at the line (gpioinfo shows who has it), and at /dev/gpiochip*; if the contactor may be closed, switch off the breaker"},
		Folder:  say("se på disken (dmesg, findmnt %[1]s), og lag mappen: sudo systemd-tmpfiles --create stolpe.conf", "look at the disk (dmesg, findmnt %[1]s), and make the folder: sudo systemd-tmpfiles --create stolpe.conf", l.Name),
		Signers: {"legg filen dit, lesbar for gruppen stolpe-admin", "put the file there, readable for the group stolpe-admin"},
		Pages:   {"se hvem som har den (ss -ltnp), og om maskinen har adressen (ip addr)", "see who has it (ss -ltnp), and whether the machine has the address (ip addr)"},
	}[l.Kind].then(Text{"posten tar det i bruk av seg selv når det er der", "the post takes it into use by itself when it is there"})
}

// lacking tells what the post started without. These are causes: what follows from one is
// not told again.
func lacking(f *Facts, tell func(Finding)) {
	if f.Daemon == nil {
		return
	}
	for _, l := range f.Daemon.Lacks {
		x := Finding{ID: "missing." + string(l.Kind), Status: Fail, What: l.told(), Remedy: l.remedy(), Topic: "recovery"}
		if l.EVSE != 0 {
			x.ID += fmt.Sprintf(".%d", l.EVSE)
		}
		if l.Kind == Signers && f.Daemon.Pay.Through != "gateway" {
			x.Status = Warn // charging goes on without
		}
		tell(x)
	}
	if len(f.Daemon.Lacks) == 0 {
		tell(Finding{Status: Pass, What: Text{"ingenting", "nothing"}})
	}
}

// lacks says whether the post has started without that; the EVSE's, or the post's with 0.
func (f *Facts) lacks(kind LackKind, evse int) bool {
	return f.Daemon != nil && slices.ContainsFunc(f.Daemon.Lacks, func(l Lack) bool { return l.Kind == kind && l.EVSE == evse })
}

// after is what is told of something that cannot be judged for want of something else.
func after(id string, kind LackKind) Finding {
	return Finding{ID: id, Status: Skip, What: say("kan ikke ses på ennå: se missing.%s", "cannot be looked at yet: see missing.%s", kind)}
}

// follows says whether a fault of an EVSE comes of what the post started without.
func (f *Facts) follows(e *EVSE, code string) bool {
	switch code {
	case "CON-003", "SAF-002", "SAF-003", "SAF-004", "SAF-005":
		return f.lacks(Wires, e.ID)
	case "STO-001":
		return f.lacks(Folder, 0)
	case "PAY-001", "PAY-002":
		return f.lacks(Keys, 0) || f.lacks(Signers, 0) || f.lacks(Folder, 0)
	}
	return false
}

// started lists what keeps EVSEs from charging because the post has started without it.
func (f *Facts) started() []Blocker {
	var all []Blocker
	for _, l := range f.Daemon.Lacks {
		if l.Kind != Signers || f.Daemon.Pay.Through == "gateway" {
			all = append(all, Blocker{l.EVSE, Agent, "missing." + string(l.Kind), l.told(), l.remedy(), "recovery"})
		}
	}
	return all
}
