package panel

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// strings of a value, whatever it is made of.
func everyString(v reflect.Value, fn func(string)) {
	switch v.Kind() {
	case reflect.String:
		fn(v.String())
	case reflect.Struct:
		for i := range v.NumField() {
			everyString(v.Field(i), fn)
		}
	case reflect.Array, reflect.Slice:
		for i := range v.Len() {
			everyString(v.Index(i), fn)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			everyString(v.Elem(), fn)
		}
	}
}

// eachScene calls fn with a scene of one EVSE, and of two, in every state that there is
// and in many that there are not.
func eachScene(fn func(s Scene, e EVSE)) {
	k := testEasel()
	faults := []string{"", "CON-001", "SAF-002", "SAF-005", "PAY-002", "USR-001"}
	overs := []time.Duration{0, time.Second, time.Hour}
	codes := &Codes{}
	ends := []display.End{display.NotEnded, display.ByDriver, display.Unplugged, display.NoEnergy, display.PowerLost, display.ContactorBad, display.Declined}
	for state := range display.LastState + 1 {
		for _, end := range ends {
			for bits := range 1 << 7 {
				has := func(i int) bool { return bits&(1<<i) != 0 }
				e := k.free("A12").in(state, secrets)
				e.View.Charge.End, e.View.Busy = end, has(0)
				e.View.Fault = faults[(bits+int(end))%len(faults)]
				e.Over = overs[(bits+int(state))%len(overs)]
				e.NoPay, e.Stop, e.Button, e.Parked = has(1), has(2), has(3), has(4)
				e.View.Charge.Way = payment.Way(bits >> 1 % 3)
				one := k.scene(e)
				one.Off, one.Update, one.Cold = has(5), has(6), has(3) && has(4)
				two := k.scene(e, k.free("A13"))
				two.Off, two.Update = has(5), has(6)
				one.Codes, two.Codes = codes, codes
				fn(one, e)
				fn(two, e)
			}
		}
	}
}

// secrets are what a display must not show of a charge.
func secrets(c *display.Charge) {
	c.StopCode, c.PayURL, c.Ref, c.Receipt = "SECRET-STOP", "https://pay.example.no/SECRET-URL", "SECRET-REF", "SECRET-NUMBER"
	c.Meter = display.Meter{Model: "SECRET-MODEL", Serial: "SECRET-SERIAL", Start: 1234}
	c.Started, c.Issued, c.Ended = hal.Stamp{Unix: stand}, hal.Stamp{Unix: stand}, hal.Stamp{Unix: stand}
	c.Left = time.Minute
}

func TestNoPageTellsASecret(t *testing.T) {
	payCodes := 0
	eachScene(func(s Scene, e EVSE) {
		p := s.Page()
		if p.Face == PayCode {
			payCodes++
			if p.Code == nil || p.Code.Text != e.View.Charge.PayURL || e.View.State != display.Paying || e.View.Charge.Way != payment.ByCode {
				t.Fatalf("the code is %+v in %v", p.Code, e.View.State)
			}
			p.Code = nil
		}
		everyString(reflect.ValueOf(p), func(text string) {
			if strings.Contains(text, "SECRET") {
				t.Fatalf("face %d tells %q: %+v", p.Face, text, p)
			}
		})
	})
	if payCodes == 0 {
		t.Error("no page had a one-time code")
	}
}

// Wherever a code leads to a new charge, one can be had there; and a price is shown there
// only.
func TestNothingIsOfferedThatCannotBeSold(t *testing.T) {
	offers := 0
	eachScene(func(s Scene, e EVSE) {
		p := s.Page()
		if s.Cold && !s.Off && (p.Code != nil || p.Price != "" || p.Cost != "" || p.Energy != "" || p.Face != TooCold) {
			t.Fatalf("the display is too cold: %+v", p)
		}
		if s.Off && (p.Code != nil || p.Price != "" || p.Face != OutOfOrder) {
			t.Fatalf("the program has ended: %+v", p)
		}
		during := p.Face == Charging || p.Face == Suspended || p.Face == NearLimit || p.Face == PayCode
		if p.Code != nil && !during && p.Post == "A12" || p.Price != "" {
			offers++
			if e.View.State != display.Available || e.View.Busy || e.NoPay || e.Stop || e.View.Fault == emergencyStop || s.Off || s.Update {
				t.Fatalf("face %d offers %+v with %+v", p.Face, p.Code, e)
			}
		}
		for _, r := range p.Rows {
			if r.Code == "A12" && r.Scan != nil && (e.View.State != display.Available || e.View.Busy || e.NoPay || e.Stop || s.Update) {
				t.Fatalf("a row offers %+v with %+v", r.Scan, e)
			}
		}
		if p.Face == Several && p.Code != nil && p.Code.Text != "HTTPS://LAD.EXAMPLE.NO/A13" && len(p.Rows) == 2 && p.Rows[0].Scan == nil {
			t.Fatalf("the code of several leads to %s: %+v", p.Code.Text, p.Rows)
		}
	})
	if offers == 0 {
		t.Error("nothing was ever offered")
	}
}
