package main

import (
	"cmp"
	"fmt"
	"strings"

	"stolpe/agent/config"
	"stolpe/agent/session"
	"stolpe/hal"
	"stolpe/hal/modbus"
	"stolpe/hal/modbus/meters"
)

// smooth is the largest step of a register that bills without anybody noticing.
// Chosen by us: 10 Wh are 5 øre at 5.49 kr, and twice that is what a charge can
// lose, at its two ends.
const smooth hal.Energy = 10

// loadMaps reads the register maps that the configuration may name.
func (p *parts) loadMaps(c config.Config) (err error) {
	if p.maps, err = meters.Load(c.MetersDir); err != nil {
		return c.Wrong("meters_dir", c.MetersDir, "a folder of register maps: "+strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return nil
}

// mapOf finds the register map of an EVSE's meter, and refuses one that must not
// bill.
func (p *parts) mapOf(c config.Config, i int) (*meters.Map, error) {
	e, key := c.EVSEs[i], fmt.Sprintf("evses[%d].meter.model", i)
	m, err := p.maps.Find(cmp.Or(e.Meter.Model, simulatedModel))
	if err != nil {
		return nil, c.Wrong(key, fmt.Sprintf("%q", e.Meter.Model), "a model that stolpe meter list has: "+err.Error())
	}
	if m.Confidence == "low" && e.Meter.URL != "" && e.Meter.Confirmed != e.Meter.Model {
		return nil, c.Wrong(key, fmt.Sprintf("%q, whose register map rests on one weak source", m.ID),
			fmt.Sprintf("another, or %s as its confirmed (stolpe config set 'evses[%d].meter.confirmed' %s), once a technician has compared energy, power and voltage in stolpe meter read with the meter's own display", e.Meter.Model, i, e.Meter.Model))
	}
	if e.Meter.Serial != "" && !tellsSerial(m) {
		return nil, c.Wrong(fmt.Sprintf("evses[%d].meter.serial", i), fmt.Sprintf("%q", e.Meter.Serial), cannotTell(m))
	}
	return m, nil
}

// tellsSerial says whether a meter of this map has a register for its serial.
func tellsSerial(m *meters.Map) bool {
	_, has := m.Identity["serial"]
	return has
}

// cannotTell is what is allowed for the serial of one that has none.
func cannotTell(m *meters.Map) string {
	return "it left out: meters of model " + m.ID + " cannot tell their serial"
}

// openMeter prepares the meter of an EVSE on its bus, which EVSEs with the same
// address share. Nothing is connected: a post starts without its meters. It tells
// the rules what the meter is like.
func (p *parts) openMeter(c config.Config, i int, m *meters.Map, url string, unit int, w world, rules *session.Rules) (*modbus.Meter, error) {
	key, log := fmt.Sprintf("evses[%d].meter", i), w.log.With("evse", c.EVSEs[i].ID)
	bus := p.buses[url]
	if bus == nil {
		var err error
		if bus, err = modbus.OpenBus(url, w.mono); err != nil {
			return nil, c.Wrong(key+".url", url, "the address of a bus: "+err.Error())
		}
		p.buses[url] = bus
		p.close = append(p.close, bus.Close)
		if advice := bus.Advice(); advice != "" {
			log.Warn("meter", "advice", advice)
		}
	}
	meter, err := bus.Meter(m, unit)
	if err != nil {
		return nil, c.Wrong(key, fmt.Sprintf("unit %d at %s", unit, url), "a meter that can be there: "+err.Error())
	}
	p.meter[c.EVSEs[i].ID] = meter
	if step := meter.Resolution(); step > smooth {
		log.Warn("meter counts in large steps: a charge is billed to the step below, and a small one may cost nothing", "model", m.ID, "step", step)
	}
	rules.Model, rules.Grain, rules.Modulus, rules.Refresh = m.ID, meter.Resolution(), meter.Modulus(), meter.Refresh()
	return meter, nil
}
