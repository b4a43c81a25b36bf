package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"stolpe/display"
	"stolpe/hal"
)

// lines prints one line for each EVSE, for logs and narrow places.
func (s *statusing) lines(w io.Writer, p postStatus) {
	for _, e := range p.EVSEs {
		words := append([]string{e.Code, s.headline(e)}, s.figures(e)...)
		for _, f := range e.Faults {
			words = append(words, f.Code+" "+f.Text)
		}
		words = append(words, s.meterWord(e.Meter), s.contactorWord(e))
		words = append(words, s.links(p)...)
		for _, m := range p.Missing {
			words = append(words, pick(s.lang, "mangler ", "missing ")+m.Text().In(s.lang))
		}
		if e.Unsettled.Count > 0 {
			words = append(words, s.owed(e.Unsettled))
		}
		if p.Restart != nil {
			words = append(words, pick(s.lang, "omstart ", "restart ")+s.restart(p.Restart))
		}
		fmt.Fprintln(w, plainSpaces(strings.Join(words, "   ")))
	}
}

// plainSpaces are what terminals and greps know best.
func plainSpaces(text string) string { return strings.ReplaceAll(text, "\u00a0", " ") }

// block prints a few lines for each EVSE, and one of what all of them share.
func (s *statusing) block(w io.Writer, p postStatus) {
	up := pick(s.lang, "oppe i", "up")
	at := p.At
	if t, err := time.Parse(time.RFC3339, p.At); err == nil {
		at = t.In(zoneNamed(p.Zone)).Format("2006-01-02 15:04:05")
	}
	fmt.Fprint(w, plainSpaces(fmt.Sprintf("%s · %s · stolpe %s · %s %s · %s (%s)\n", s.paint.head("Stolpe "+p.Post), p.Name, p.Version, up, s.lang.Time(time.Duration(p.Up)*time.Second), at, s.clockWord(p.Clock))))
	var b strings.Builder
	t := table(&b)
	for _, e := range p.EVSEs {
		s.one(t, e)
	}
	fmt.Fprintf(t, "%s\t%s\n", pick(s.lang, "Forbindelser", "Links"), strings.Join(s.links(p), ", "))
	for _, m := range p.Missing {
		fmt.Fprintf(t, "%s\t%s\n", pick(s.lang, "Mangler", "Missing"), m.Text().In(s.lang))
	}
	if p.Restart != nil {
		fmt.Fprintf(t, "%s\t%s\n", pick(s.lang, "Omstart", "Restart"), s.restart(p.Restart))
	}
	if p.Ledger != "" {
		fmt.Fprintf(t, "%s\t%s\n", pick(s.lang, "Regnskapslogg", "Ledger"), p.Ledger)
	}
	t.Flush()                                  //nolint:errcheck // a builder takes everything
	io.WriteString(w, plainSpaces(b.String())) //nolint:errcheck // a buffer does, too
}

// one prints what is to be said of one.
func (s *statusing) one(w io.Writer, e evseStatus) {
	row := func(name, text string) { fmt.Fprintf(w, "  %s\t%s\n", name, text) }
	fmt.Fprintf(w, "EVSE %d  %s\t%s\n", e.EVSE, e.Code, strings.Join(append([]string{s.colour(e)(s.headline(e))}, s.figures(e)...), "   "))
	if c := e.Charge; c != nil && c.Ref != "" {
		row(pick(s.lang, "lading", "charge"), string(c.Ref))
	}
	for _, f := range e.Faults {
		text := f.Code + "  " + f.Text
		if f.Opens {
			text += pick(s.lang, " (åpner kontaktoren)", " (opens the contactor)")
		}
		row(pick(s.lang, "feil", "fault"), s.grave(f, text))
	}
	meter := s.quality(e.Meter.Quality)
	if e.Meter.Register != nil {
		meter += "   " + s.lang.Register(hal.Energy(*e.Meter.Register))
	}
	if e.Meter.Age != nil {
		meter += "   " + fmt.Sprintf(pick(s.lang, "for %.1f s siden", "%.1f s ago"), float64(*e.Meter.Age)/1000)
	}
	row(pick(s.lang, "måler", "meter"), strings.TrimSpace(meter+"   "+e.Meter.Model))
	contactor := s.position(e.Contactor)
	if plug := s.plug(e.Plug); plug != "" {
		contactor += "   " + pick(s.lang, "plugg ", "plug ") + plug
	}
	row(pick(s.lang, "kontaktor", "contactor"), contactor)
	if e.Unsettled.Count > 0 {
		row(pick(s.lang, "oppgjør", "settlement"), s.owed(e.Unsettled))
	}
}

// headline is what an EVSE does, in capitals, and for how long.
func (s *statusing) headline(e evseStatus) string {
	word := e.State
	if state, known := stateNamed(e.State); known {
		word = strings.ToUpper(string(s.lang.Words().States[state]))
	}
	if c := e.Charge; c != nil {
		if c.Left > 0 {
			return word + " " + display.Countdown(time.Duration(c.Left)*time.Second)
		}
		if c.Seconds > 0 {
			return word + " " + s.lang.Time(time.Duration(c.Seconds)*time.Second)
		}
	}
	return word
}

// colour is how a state is painted: as good as it is for the next driver.
func (s *statusing) colour(e evseStatus) func(string) string {
	switch state, _ := stateNamed(e.State); state {
	case display.Faulted:
		return s.paint.bad
	case display.Starting, display.Unavailable, display.Settling:
		return s.paint.warn
	case display.Available, display.Paying, display.Authorised, display.Closing, display.Charging, display.Suspended, display.Stopping:
	}
	return s.paint.good
}

// grave paints a fault.
func (s *statusing) grave(f faultStatus, text string) string {
	if f.Opens {
		return s.paint.bad(text)
	}
	return s.paint.warn(text)
}

// stateNamed is the state of a word.
func stateNamed(word string) (display.State, bool) {
	for state := display.State(0); state <= display.LastState; state++ {
		if state.String() == word {
			return state, true
		}
	}
	return 0, false
}

// figures are those of the charge under way, as far as they are told.
func (s *statusing) figures(e evseStatus) (words []string) {
	c := e.Charge
	if c == nil {
		return nil
	}
	if e.Phase == "charging" || e.Phase == "stopping" {
		words = append(words, s.lang.KWh(hal.Energy(c.Energy)))
	}
	if c.Cost != nil && c.Reserved != nil {
		words = append(words, s.lang.Money(*c.Cost, c.Currency)+pick(s.lang, " av ", " of ")+s.lang.Sum(*c.Reserved, c.Currency))
	}
	if e.Phase == "charging" {
		words = append(words, s.lang.KW(hal.Power(c.Power)))
	}
	return words
}

func (s *statusing) meterWord(m meterStatus) string {
	return pick(s.lang, "måler ", "meter ") + s.quality(m.Quality)
}

func (s *statusing) quality(word string) string {
	return map[string]string{
		"ok": "ok", "stale": pick(s.lang, "gammel verdi", "stale"), "missing": pick(s.lang, "svarer ikke", "silent"),
		"implausible": pick(s.lang, "utroverdig", "implausible"),
	}[word]
}

func (s *statusing) contactorWord(e evseStatus) string {
	return pick(s.lang, "kontaktor ", "contactor ") + s.position(e.Contactor)
}

func (s *statusing) position(word string) string {
	return map[string]string{
		"open": pick(s.lang, "åpen", "open"), "closed": pick(s.lang, "lukket", "closed"),
		"mismatch": pick(s.lang, "GJØR IKKE SOM DEN BLIR BEDT OM", "DOES NOT DO AS TOLD"), "unknown": pick(s.lang, "ukjent", "unknown"),
	}[word]
}

func (s *statusing) plug(word string) string {
	return map[string]string{"in": pick(s.lang, "i", "in"), "out": pick(s.lang, "ute", "out")}[word]
}

func (s *statusing) clockWord(word string) string {
	return map[string]string{
		"synced": pick(s.lang, "klokken er stilt", "clock synchronised"), "holdover": pick(s.lang, "klokken går av seg selv", "clock on its own"),
		"unknown": pick(s.lang, "klokken er ikke stilt", "clock not set"),
	}[word]
}

// links are what the post needs from afar.
func (s *statusing) links(p postStatus) []string {
	state := map[string]string{"ok": "ok", "trouble": pick(s.lang, "SVARER IKKE", "TROUBLE"), "not_asked": pick(s.lang, "ikke spurt ennå", "not asked yet")}[p.Payment.State]
	words := []string{p.Payment.Through + " " + state}
	if p.Payment.Trouble != "" && s.wide {
		words[0] += " (" + p.Payment.Trouble + ")"
	}
	switch {
	case p.MQTT == nil:
	case p.MQTT.Connected:
		words = append(words, "mqtt ok")
	default:
		words = append(words, pick(s.lang, "mqtt BORTE", "mqtt AWAY"))
	}
	if p.MQTT != nil && p.MQTT.Waiting > 0 {
		words = append(words, fmt.Sprintf(pick(s.lang, "%d hendelser venter", "%d events waiting"), p.MQTT.Waiting))
	}
	for _, d := range p.Displays {
		if d.Code != "" {
			words = append(words, d.Name+" "+d.Code)
		}
	}
	return words
}

// owed says what is not settled.
func (s *statusing) owed(o owedStatus) string {
	text := fmt.Sprintf(pick(s.lang, "%d ikke gjort opp", "%d not settled"), o.Count)
	if o.Stuck > 0 {
		text += fmt.Sprintf(pick(s.lang, ", %d SITTER FAST -> stolpe sessions settle --all-stuck", ", %d STUCK -> stolpe sessions settle --all-stuck"), o.Stuck)
	}
	return text
}

// zoneNamed is the time zone of a name; this machine's if it is none.
func zoneNamed(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" {
		return time.Local
	}
	return zone
}

// restart says how a start anew stands that somebody has ordered.
func (s *statusing) restart(r *restartStatus) string {
	switch {
	case !r.Waits && r.Failed == "":
		return pick(s.lang, "trengs, for et annet program ligger på disken -> stolpe restart", "due, as another program is on the disk -> stolpe restart")
	case !r.Waits:
		return fmt.Sprintf(pick(s.lang, "ble ikke noe av: %s", "came to nothing: %s"), r.Failed)
	}
	text := fmt.Sprintf(pick(s.lang, "venter, til versjon %s", "waiting, to version %s"), r.To)
	if r.Spares {
		text += pick(s.lang, ", tar ingen ny sjåfør", ", takes no new driver")
	}
	if len(r.For) > 0 {
		text += ": " + strings.Join(r.For, ", ")
	}
	return text
}
