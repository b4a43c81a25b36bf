package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"stolpe/agent/config/strict"
)

// checkMeter checks one EVSE for itself.
func (r *reader) checkMeter(f *file, i int) {
	e, at := f.EVSEs[i], fmt.Sprintf("evses[%d]", i)
	m := at + ".meter"
	if !r.Fine(m, m+".url", m+".model", m+".unit", at+".contactor", at+".contactor.sim") {
		return
	}
	if e.Meter.URL == "" && !e.Contactor.Sim {
		r.Fail(m+".url", "nothing", "where the meter answers; only a simulated contactor has a meter of its own")
	}
	if e.Meter.URL != "" && e.Meter.Model == "" {
		r.Fail(m+".model", "nothing", "the register map of the meter at "+e.Meter.URL)
	}
	if e.Meter.Unit > 247 && e.Meter.Unit != 255 { // Modbus over serial line 1.02, 2.2; 255: Messaging on TCP/IP 1.0b
		r.Fail(m+".unit", fmt.Sprint(e.Meter.Unit), "1 to 247, or 255 for a meter that is its own gateway")
	}
}

// checkAlike compares one EVSE with those before it.
func (r *reader) checkAlike(f *file, i int) {
	e, at := f.EVSEs[i], fmt.Sprintf("evses[%d]", i)
	for j, o := range f.EVSEs[:i] {
		other := fmt.Sprintf("evses[%d]", j)
		if r.Fine(at+".id", other+".id") && e.ID == o.ID {
			r.Fail(at+".id", fmt.Sprintf("%d again", e.ID), "another number than that of "+other)
		}
		if r.Fine(at+".code", other+".code") && strings.EqualFold(e.Code, o.Code) {
			r.Fail(at+".code", strict.Quote(e.Code)+" again", "another code than that of "+other+" (capitals do not count)")
		}
		r.checkBus(at+".meter", e.Meter, other+".meter", o.Meter)
	}
}

// checkBus compares a meter with one before it, which may be on the same bus.
func (r *reader) checkBus(at string, m Meter, before string, o Meter) {
	if !r.Fine(at+".url", before+".url") || m.URL == "" || busOf(m.URL) != busOf(o.URL) {
		return
	}
	if m.URL != o.URL {
		r.Fail(at+".url", strict.Quote(m.URL), "the same as "+before+".url, "+o.URL+": one bus has one speed, one parity and one kind of frame")
		return
	}
	if r.Fine(at+".unit", before+".unit") && m.Unit == o.Unit {
		r.Fail(at+".unit", fmt.Sprintf("%d again at %s", m.Unit, m.URL), "another meter than that of "+strings.TrimSuffix(before, ".meter"))
	}
}

// checkContactor checks what switches one EVSE, and what it reads.
func (r *reader) checkContactor(f *file, i int) {
	e, at := f.EVSEs[i], fmt.Sprintf("evses[%d]", i)
	c := at + ".contactor"
	if !r.Fine(c, c+".sim", c+".line", c+".sense") {
		return
	}
	k := e.Contactor
	switch {
	case k.Sim:
		r.checkSimulated(at, Contactor(k), e.Inputs)
	case k.Line == "" && k.Sense == "":
		r.Fail(c, "neither sim nor line", "sim: true, or line and sense of a relay")
	case k.Line == "":
		r.Fail(c+".line", "nothing", "the line that closes the contactor, as there is a line that senses it")
	case k.Sense == "":
		r.Fail(c+".sense", "nothing", "the line of its auxiliary contact: what is switched is never believed without being sensed")
	}
}

// checkSimulated refuses lines beside a simulated contactor, which would be
// read and ignored.
func (r *reader) checkSimulated(at string, c Contactor, in Inputs) {
	for _, l := range []struct{ name, spec string }{{"line", c.Line}, {"sense", c.Sense}, {"deadman", c.DeadMan}} {
		if l.spec != "" {
			r.Fail(at+".contactor."+l.name, strict.Quote(l.spec), "it left out, as a simulated contactor switches nothing")
		}
	}
	if c.ActiveLow {
		r.Fail(at+".contactor.active_low", "true", "it left out, as a simulated contactor switches nothing")
	}
	if in != (Inputs{}) {
		r.Fail(at+".inputs", "a section", "it left out, as a simulated contactor has no inputs to read")
	}
}

// checkLines refuses a line that is used twice anywhere in the file: an output
// that is also read, or two contactors that close together.
func (r *reader) checkLines(f *file) {
	used := map[string]string{} // path of the key that uses a line, by line
	for _, l := range f.lines() {
		if l.spec == "" || !r.Fine(l.path) {
			continue
		}
		line := lineOf(l.spec)
		if before := used[line]; before != "" {
			r.Fail(l.path, strict.Quote(l.spec)+" again", "another line than that of "+before)
			continue
		}
		used[line] = l.path
	}
}

// wire is a line as it is written, and the path of the key that has it.
type wire struct{ path, spec string }

// lines are all that the file has a use for, or that are left out.
func (f *file) lines() (all []wire) {
	for i, e := range f.EVSEs {
		c, in := fmt.Sprintf("evses[%d].contactor.", i), fmt.Sprintf("evses[%d].inputs.", i)
		all = append(all,
			wire{c + "line", e.Contactor.Line}, wire{c + "sense", e.Contactor.Sense}, wire{c + "deadman", e.Contactor.DeadMan},
			wire{in + "plug", e.Inputs.Plug}, wire{in + "stop", e.Inputs.Stop}, wire{in + "estop", e.Inputs.EStop}, wire{in + "rcd", e.Inputs.RCD}, wire{in + "hot", e.Inputs.Hot}, wire{in + "accept", e.Inputs.Accept})
	}
	for i, d := range f.displays() {
		for _, name := range slices.Sorted(maps.Keys(d.At.Lines)) {
			all = append(all, wire{fmt.Sprintf("display[%d].url", i), d.At.Lines[name]})
		}
	}
	return all
}
