package doctor

import (
	"net/url"
	"strings"
)

// Display is one of a post's displays, or a light.
type Display struct {
	Name     string `json:"name"` // as people tell it from the others
	Kind     string `json:"kind"`
	URL      string `json:"url"`
	Index    int    `json:"index"`             // in the configuration
	Missing  string `json:"missing,omitempty"` // a device that it needs, and that the machine does not have
	Code     string `json:"code,omitempty"`    // of what is wrong with it, as far as the daemon knows
	Wrong    string `json:"wrong,omitempty"`   // in the words of whoever drew
	Shown    *int64 `json:"shown_s,omitempty"` // since something was drawn, s; nil for not since the start
	Pages    uint64 `json:"pages"`             // drawn since the start
	Failures uint64 `json:"failures"`          // of drawing since the start
	Opened   uint64 `json:"opened"`            // how often it was set up since the start
}

// Codes of what may be wrong with a display. None is a reason not to charge, so no EVSE
// has one of them among its faults.
const (
	displayFails = "DIS-001"
	displayRests = "DIS-002"
)

// DisplayCodes are all of them, the gravest first.
func DisplayCodes() []string { return []string{displayFails, displayRests} }

// Chosen by us: what a technician should look at. A contactor that switches disturbs a
// display now and then, and it is set up anew.
const (
	manyFailures = 20 // fewer are no pattern
	oneIn        = 50 // pages
)

// displays judges all displays.
func displays(f *Facts, tell func(Finding)) {
	all := f.Displays
	if f.Daemon != nil {
		all = f.Daemon.Displays
	}
	for i := range all {
		x := all[i].judge(f.Daemon != nil, &f.Machine)
		x.ID = "display." + all[i].Name
		tell(x)
	}
}

// judge judges one display.
func (d *Display) judge(daemon bool, m *Machine) Finding {
	x := Finding{Topic: "displays"}
	switch {
	case d.Code == displayRests:
		x.Status, x.What = Warn, say("det er for kaldt til å tegnes, og hviler til det blir varmere (%s)", "it is too cold to be drawn, and rests until it is warmer (%s)", d.Code).then(Text{d.Wrong, d.Wrong})
		x.Remedy = rests()
	case d.Code != "":
		x.Status, x.What = Warn, say("det svarer ikke som det skal (%s); ladingen går som før", "it does not answer as it should (%s); charging goes on", d.Code).then(Text{d.Wrong, d.Wrong})
		x.Remedy = d.remedy(m)
	case d.Missing != "" && !daemon:
		x.Status, x.What, x.Remedy = Warn, say("maskinen har ikke %s", "the machine has no %s", d.Missing), d.remedy(m)
	case !daemon:
		x.Status, x.What = Skip, say("ved %s; bare en daemon prøver det", "at %s; only a daemon tries it", d.URL)
	case d.Pages == 0:
		x.Status, x.What = Pass, Text{"startet nettopp", "has just started"}
	case d.Failures >= manyFailures && d.Failures*oneIn >= d.Pages:
		x.Status, x.What = Warn, say("det virker, men %d av %d ganger gikk det galt", "it works, but failed %d of %d times", d.Failures, d.Failures+d.Pages)
		x.Remedy = disturbed(d.Kind)
	default:
		x.Status, x.What = Pass, say("ved %s; %d sider, %d feil", "at %s; %d pages, %d failures", d.URL, d.Pages, d.Failures)
	}
	return x
}

// remedy is what to do about a display that fails, by what was said when it did.
func (d *Display) remedy(m *Machine) Text {
	at, err := url.Parse(d.URL)
	if err != nil {
		at = &url.URL{} // the configuration would not have it
	}
	bus, path := at.Scheme, at.Path
	said := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(d.Wrong, w) {
				return true
			}
		}
		return false
	}
	switch {
	case d.Missing != "" && m.asks(d.Missing):
		return m.unheeded(d.Missing)
	case d.Missing != "":
		return missing(d.Missing)
	case said("permission denied", "operation not permitted"):
		return rights(bus, path)
	case said("address already in use"):
		return say("et annet program lytter der: finn det med sudo ss -ltnp, eller velg en annen port: stolpe config set 'display[%d].url' ADRESSE", "another program listens there: find it with sudo ss -ltnp, or choose another port: stolpe config set 'display[%d].url' ADDRESS", d.Index)
	case said("device or resource busy"):
		return say("et annet program eller en driver i kjernen har den: sudo fuser -v %s; gpioinfo viser hvem som har linjene", "another program, or a driver of the kernel, has it: sudo fuser -v %s; gpioinfo shows who has the lines", or(path, "/dev/gpiochip0"))
	case said("no space left", "read-only file system"):
		return Text{"se på disken: stolpe doctor disk", "look at the disk: stolpe doctor disk"}
	}
	switch bus {
	case "i2c":
		return answers(path, at.Query().Get("address"))
	case "spi", "lines":
		return Text{"slå av strømmen, og se at pluggen sitter og at hver leder går dit stolpe help wiring sier; en SPI-skjerm sier ikke fra om brutte ledere", "switch the power off, and see that the plug is in and that each wire goes where stolpe help wiring says; a display on SPI does not tell of a broken wire"}.then(again(d.Name))
	case "pwm":
		return say("se at kanalene er der: ls %s; slå på PWM i config.txt (dtoverlay=i2c-pwm-pca9685a for en PCA9685), og start maskinen på nytt når ingen lader", "see that the channels are there: ls %s; switch PWM on in config.txt (dtoverlay=i2c-pwm-pca9685a for a PCA9685), and reboot when nobody charges", path)
	case "file":
		return say("lag mappen, og gi den til programmets bruker: sudo install -d -o stolpe %s", "make the folder, and give it to the program's user: sudo install -d -o stolpe %s", path[:strings.LastIndex(path, "/")+1])
	}
	return Text{"se hva loggen sier: stolpe logs --since 1h", "see what the log says: stolpe logs --since 1h"}.then(again(d.Name))
}

// again is how a display that has been put right is proved: the daemon tries by itself.
func again(name string) Text {
	return say("posten prøver igjen av seg selv hvert minutt; se det: stolpe display test-pattern --display %s", "the post tries again by itself every minute; see it: stolpe display test-pattern --display %s", name)
}

// answers is for a display on an I2C bus that nothing is heard of.
func answers(path, address string) Text {
	bus := path[strings.LastIndex(path, "-")+1:]
	return say("se om noe svarer på %s: sudo i2cdetect -y %s; svarer noe på en annen adresse, skriv den i url; svarer ingenting, se på plugg, strøm, SDA og SCL, og hold kabelen kort og unna kontaktoren",
		"see whether something answers at %s: sudo i2cdetect -y %s; if something answers at another address, write that into url; if nothing does, look at plug, power, SDA and SCL, and keep the cable short and away from the contactor", address, bus)
}

// missing is for a device that the machine does not have.
func missing(path string) Text {
	for _, x := range []struct{ begin, set string }{{"/dev/i2c", "dtparam=i2c_arm=on"}, {"/dev/spidev", "dtparam=spi=on"}, {"/sys/class/pwm", "dtoverlay=i2c-pwm-pca9685a"}} {
		if strings.HasPrefix(path, x.begin) {
			return say("skriv %s i config.txt på en Raspberry Pi, og start maskinen på nytt når ingen lader; så ls %s*", "write %s into config.txt on a Raspberry Pi, and reboot when nobody charges; then ls %s*", x.set, x.begin)
		}
	}
	return say("se hva som er der: ls %s*", "see what is there: ls %s*", path[:strings.LastIndex(path, "/")+1])
}

// rights is for a device that the program's user may not open.
func rights(bus, path string) Text {
	for _, x := range []struct{ bus, group string }{{"i2c", "i2c"}, {"spi", "spi"}, {"fb", "video"}, {"lines", "gpio"}} {
		if x.bus == bus {
			return say("gi brukeren til programmet gruppen: sudo usermod -aG %s stolpe, så, når ingen lader, sudo systemctl restart stolpe", "give the program's user the group: sudo usermod -aG %s stolpe, then, when nobody charges, sudo systemctl restart stolpe", x.group)
		}
	}
	return say("programmets bruker må få skrive i %s: sudo chown -R stolpe %s", "the program's user must be able to write in %s: sudo chown -R stolpe %s", path, path)
}

// disturbed is for a display that works most of the time.
func disturbed(kind string) Text {
	switch kind {
	case "png", "kiosk", "framebuffer":
		return Text{"se hva loggen sier: stolpe logs --since 24h", "see what the log says: stolpe logs --since 24h"}
	}
	return Text{"kabelen forstyrres, eller pluggen er løs: kortere kabel, skjerm til jord i én ende, ferritt, og avstand til kontaktoren og dens spole", "the cable is disturbed, or the plug is loose: a shorter cable, its screen to earth at one end, a ferrite, and distance to the contactor and its coil"}
}

// rests is for a display that is too cold.
func rests() Text {
	return Text{"det tegner selv igjen når det blir varmere; er det ofte så kaldt her, sett inn et panel for kulde, eller varme, og skriv det panelet tåler i display[].coldest_c", "it draws again by itself when it is warmer; if it is often so cold here, fit a panel for the cold, or a heater, and write what the panel stands into display[].coldest_c"}
}

// toldOfDisplays is what a technician is told of a code of a display, wherever that hangs.
func toldOfDisplays(code string) (what, remedy Text) {
	if code == displayRests {
		return Text{"et display er for kaldt til å tegnes, og hviler til det blir varmere", "a display is too cold to be drawn, and rests until it is warmer"}, rests()
	}
	return Text{"et display svarer ikke, eller sier at det ikke kan tegne", "a display does not answer, or says that it cannot draw"},
		Text{"ladingen går som før; se hvilket og hvorfor: stolpe doctor display", "charging goes on; see which one and why: stolpe doctor display"}
}
