package panel

import (
	"fmt"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// Sample is a scene with a name, for pictures that are compared, looked at and measured.
type Sample struct {
	Name  string // letters, digits and dashes: the name of a file
	Scene Scene
}

// stand is the time of all samples: 2026-01-15 12:41:08 UTC.
const stand = 1768480868

// Samples are scenes of every face in two languages, with ordinary values and with the
// longest that can occur. Their prices are in the currency of the first language.
func Samples(first, second display.Lang) []Sample {
	k := easel{langs: [2]display.Lang{first, second}, currency: payment.NOK}
	switch first {
	case display.DA:
		k.currency = payment.DKK
	case display.FI, display.DE:
		k.currency = payment.EUR
	}
	all := append(k.idle(), k.before()...)
	all = append(all, k.during()...)
	all = append(all, k.after()...)
	all = append(all, k.wrong()...)
	return append(all, k.several()...)
}

// easel is what all scenes of one table share.
type easel struct {
	langs    [2]display.Lang
	currency payment.Currency
}

// scene is a display for these EVSEs.
func (k easel) scene(es ...EVSE) Scene {
	return Scene{
		Post:  display.Post{ID: "stolpe-7", Name: "Storgata 12, Lillevik", Helpdesk: "22 00 00 00"},
		Langs: k.langs, EVSEs: es, Version: "v0.9.3", Now: hal.Stamp{Unix: stand, Clock: hal.ClockSynced},
	}
}

// long is a scene where everything is as long as it may be.
func (k easel) long(es ...EVSE) Scene {
	s := k.scene(es...)
	s.Post.Name = "Kongens gate 118, gårdsrommet, plass 14, 7012 Trondheim"
	s.Post.Helpdesk = "+47 900 00 000 00"
	s.Post.Pay = "MobilePay"
	s.Version = "v10.12.134-rc.2"
	return s
}

// free is an EVSE that may be used, with an ordinary price.
func (k easel) free(code string) EVSE {
	return EVSE{Link: "https://lad.example.no/" + code, View: display.View{
		Code: code, State: display.Available, MaxPower: 22_000, Default: 350_00,
		Price: payment.Price{Currency: k.currency, VAT: 2500, KWh: 549, Idle: payment.Idle{After: 15 * time.Minute, Minute: 100}},
	}}
}

// dear is one with the longest code, price and notice.
func (k easel) dear() EVSE {
	e := k.free("LADEPLASS-NR-118")
	e.View.Default = MostCost
	e.View.Price = payment.Price{Currency: k.currency, VAT: 2550, KWh: 99_99, Minute: 99_99, Session: 999_99,
		Idle: payment.Idle{After: 3*time.Hour + 59*time.Minute, Minute: 99_99, Cap: 9_999_99}}
	return e
}

// in puts a charge under way on an EVSE.
func (e EVSE) in(state display.State, edit func(*display.Charge)) EVSE {
	e.View.State, e.View.Busy = state, true
	e.View.Since = hal.Stamp{Unix: stand - 6240, Clock: hal.ClockSynced}
	e.View.Charge = display.Charge{Ref: "stolpe-7-000041", Price: e.View.Price, Reserved: 350_00, Held: true,
		Energy: 12_400, Cost: 68_08, Power: 7_200, Elapsed: 104 * time.Minute, Reading: 2 * time.Second, StopCode: "7391"}
	if edit != nil {
		edit(&e.View.Charge)
	}
	return e
}

// over puts an ended charge on it.
func (e EVSE) over(end display.End, since time.Duration, edit func(*display.Charge)) EVSE {
	e = e.in(display.Available, func(c *display.Charge) {
		c.End, c.Power, c.Reading, c.StopCode = end, 0, 0, ""
		c.Settled, c.Captured, c.Released = true, c.Cost, c.Reserved-c.Cost
		c.Bill.Total = c.Cost
		if edit != nil {
			edit(c)
		}
	})
	e.View.Busy, e.Over = false, since
	return e
}

// most fills a charge with the longest values.
func most(c *display.Charge) {
	c.Energy, c.Cost, c.Reserved, c.Power = MostEnergy, MostCost, MostCost, 350_500
	c.Elapsed, c.Left = 99*time.Hour+59*time.Minute, 59*time.Minute+59*time.Second
	if c.End != display.NotEnded {
		c.Captured, c.Bill.Total, c.Released = MostCost, MostCost, 0
	}
}

// none is a charge that took nothing.
func none(c *display.Charge) {
	c.Energy, c.Cost, c.Captured, c.Bill.Total, c.Released = 0, 0, 0, 0, c.Reserved
}

func (k easel) idle() []Sample {
	button, closed := k.free("A12"), k.free("A12")
	button.Button, closed.View.State = true, display.Unavailable
	pressed := k.dear()
	pressed.Button = true
	plain, busy, notice, boot, here := k.free("A12"), k.free("A12"), k.free("A12"), k.free("A12"), k.free("A12")
	plain.View.Price.Idle, busy.View.Busy = payment.Idle{}, true
	boot.View.State, here.View.Here = display.Starting, true
	notice.View.Notice[k.langs[0]] = "Fra 1. mars er prisen 4,99 kr/kWh her, og plass 3 er reservert for beboerne hele døgnet."
	off, updating, cold := k.scene(k.free("A12")), k.scene(k.free("A12")), k.scene(k.free("A12"))
	off.Off, updating.Update, cold.Cold = true, true, true
	offLong := k.long(k.dear())
	offLong.Off = true
	bootLong := k.dear()
	bootLong.View.State = display.Starting
	rotating, rotatingLong := k.free("A12"), k.dear()
	rotating.Link += "/7F3K9Q"
	rotatingLong.Link = "https://lading.borettslaget-solbakken.no/LADEPLASS-NR-118/7F3K9Q"
	return []Sample{
		{"free-rotating", k.scene(rotating)}, {"free-rotating-long", k.long(rotatingLong)},
		{"out-of-order", off}, {"out-of-order-long", offLong},
		{"boot", k.scene(boot)}, {"boot-long", k.long(bootLong)},
		{"free", k.scene(k.free("A12"))}, {"free-plain", k.scene(plain)}, {"free-notice", k.scene(notice)}, {"free-long", k.long(k.dear())},
		{"free-button", k.scene(button)}, {"free-button-long", k.long(pressed)},
		{"busy", k.scene(busy)}, {"unavailable", k.scene(closed)},
		{"updating", updating}, {"here", k.scene(here)}, {"too-cold", cold},
	}
}

func (k easel) before() []Sample {
	waiting := func(c *display.Charge) { c.Left, c.Held, c.Energy, c.Cost = 9*time.Minute+12*time.Second, false, 0, 0 }
	paid := func(c *display.Charge) { c.Left, c.Energy, c.Cost = 4*time.Minute+32*time.Second, 0, 0 }
	code := func(c *display.Charge) {
		waiting(c)
		c.Way, c.PayURL = payment.ByCode, "https://qr.vipps.no/p/o/5f3Kq9ZbT2mVx7Lr"
	}
	codeLong := func(c *display.Charge) {
		most(c)
		c.Held, c.Way, c.PayURL = false, payment.ByCode, "https://qr.vippsmobilepay.com/p/o/5f3Kq9ZbT2mVx7LrW8nYc4Hd"
	}
	return []Sample{
		{"pay-code", k.scene(k.free("A12").in(display.Paying, code))}, {"pay-code-long", k.long(k.dear().in(display.Paying, codeLong))},
		{"paying", k.scene(k.free("A12").in(display.Paying, waiting))},
		{"paying-long", k.long(k.dear().in(display.Paying, func(c *display.Charge) { most(c); c.Held = false }))},
		{"authorised", k.scene(k.free("A12").in(display.Authorised, paid))}, {"authorised-long", k.long(k.dear().in(display.Authorised, most))},
		{"closing", k.scene(k.free("A12").in(display.Closing, paid))}, {"closing-long", k.long(k.dear().in(display.Closing, most))},
	}
}

func (k easel) during() []Sample {
	quiet := func(c *display.Charge) {
		c.Power, c.Idle = 0, display.IdleView{Quiet: 6 * time.Minute, Starts: 9 * time.Minute}
	}
	fee := func(c *display.Charge) { c.Power, c.Idle = 0, display.IdleView{Quiet: 20 * time.Minute, Runs: true} }
	feeLong := func(c *display.Charge) {
		most(c)
		c.Power, c.Idle = 0, display.IdleView{Starts: 3*time.Hour + 59*time.Minute}
	}
	near := func(c *display.Charge) { c.Energy, c.Cost = 57_900, 318_00 }
	chargingLong := func(c *display.Charge) { most(c); c.Cost = MostCost * 79 / 100 }
	return []Sample{
		{"charging", k.scene(k.free("A12").in(display.Charging, nil))},
		{"charging-zero", k.scene(k.free("A12").in(display.Charging, func(c *display.Charge) { c.Energy, c.Cost, c.Power, c.Elapsed = 0, 0, 0, 0 }))},
		{"charging-stale", k.scene(k.free("A12").in(display.Charging, func(c *display.Charge) { c.Reading = 8 * time.Minute }))},
		{"charging-long", k.long(k.dear().in(display.Charging, chargingLong))},
		{"suspended", k.scene(k.free("A12").in(display.Suspended, quiet))}, {"suspended-fee", k.scene(k.free("A12").in(display.Suspended, fee))},
		{"suspended-long", k.long(k.dear().in(display.Suspended, feeLong))},
		{"near-limit", k.scene(k.free("A12").in(display.Charging, near))}, {"near-limit-long", k.long(k.dear().in(display.Charging, most))},
		{"stopping", k.scene(k.free("A12").in(display.Stopping, nil))}, {"stopping-long", k.long(k.dear().in(display.Stopping, most))},
	}
}

func (k easel) after() []Sample {
	parked := func(e EVSE) EVSE { e.Parked = true; return e }
	lost := k.free("A12").over(display.ContactorBad, 8*time.Second, nil)
	lost.View.State, lost.View.Fault = display.Faulted, "CON-001"
	unsettled := func(c *display.Charge) { c.Settled, c.Captured, c.Released = false, 0, 0 }
	return []Sample{
		{"finished", k.scene(parked(k.free("A12").over(display.ByDriver, 12*time.Second, nil)))},
		{"finished-unplugged", k.scene(k.free("A12").over(display.Unplugged, 12*time.Second, unsettled))},
		{"finished-long", k.long(parked(k.dear().over(display.LimitReached, 12*time.Second, most)))},
		{"no-energy", k.scene(parked(k.free("A12").over(display.NoEnergy, 12*time.Second, none)))},
		{"no-energy-long", k.long(parked(k.dear().over(display.NoEnergy, 12*time.Second, func(c *display.Charge) { most(c); none(c) })))},
		{"occupied", k.scene(parked(k.free("A12").over(display.CarFull, 20*time.Minute, nil)))},
		{"occupied-long", k.long(parked(k.dear().over(display.CarFull, 99*time.Hour, most)))},
		{"interrupted", k.scene(parked(k.free("A12").over(display.PowerLost, 90*time.Second, nil)))},
		{"interrupted-fault", k.scene(parked(lost))},
		{"interrupted-long", k.long(parked(k.dear().over(display.MeterLost, 30*time.Second, most)))},
	}
}

func (k easel) wrong() []Sample {
	fault := func(e EVSE, code string, state display.State) EVSE {
		e.View.Fault, e.View.State = code, state
		return e
	}
	noPay := k.free("A12")
	noPay.NoPay = true
	return []Sample{
		{"faulted", k.scene(fault(k.free("A12"), "MET-003", display.Faulted))}, {"faulted-long", k.long(fault(k.dear(), "MET-003", display.Faulted))},
		{"emergency", k.scene(fault(k.free("A12"), emergencyStop, display.Faulted))}, {"emergency-long", k.long(fault(k.dear(), emergencyStop, display.Faulted))},
		{"pay-offline", k.scene(noPay)}, {"pay-offline-long", k.long(fault(k.dear(), "PAY-002", display.Settling))},
	}
}

func (k easel) several() []Sample {
	fault, full := k.free("B1"), []EVSE{}
	fault.View.State, fault.View.Fault = display.Faulted, "CON-001"
	for i := range 8 {
		e := k.free(fmt.Sprintf("LADEPLASS-NR-11%d", i))
		if i%2 == 1 {
			e.View.Price.KWh = 99_99
		} else {
			e = e.in(display.Charging, most)
		}
		full = append(full, e)
	}
	busy := k.free("A12").in(display.Suspended, nil)
	return []Sample{
		{"several-two", k.scene(k.free("A11"), k.free("A12").in(display.Charging, nil))},
		{"several-free", k.scene(k.free("A11"), k.free("A12"), k.free("A13"))},
		{"several-none", k.scene(busy, fault)},
		{"several-long", k.long(full...)},
	}
}
