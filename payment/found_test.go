package payment

import (
	"errors"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"stolpe/hal"
)

func TestLeftIsWhatIsStillHeld(t *testing.T) {
	for state := NotFound; state <= EndedByUs; state++ {
		f := Found{State: state, Amount: 100, Held: 100, Taken: 30, Freed: 20}
		want := Amount(0)
		if state == Authorised {
			want = 50
		}
		if f.Left() != want {
			t.Errorf("state %d: %d left, want %d", state, f.Left(), want)
		}
	}
}

func TestTermsSurviveTheMetadata(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms := Terms{
			EVSE: rapid.StringN(1, 20, 60).Draw(t, "evse"), Meter: rapid.StringN(0, 20, 60).Draw(t, "meter"),
			Start: hal.Energy(rapid.Int64Min(0).Draw(t, "start")), Price: somePrice(t), Receipts: rapid.Uint64().Draw(t, "receipts"),
		}
		copy(terms.Holder[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "holder"))
		m := terms.Metadata()
		if len(m) > 5 {
			t.Fatalf("%d pairs: the API takes 5", len(m))
		}
		for k, v := range m {
			if len(k) > 100 || len(v) > 500 {
				t.Fatalf("%s=%s is longer than the API takes", k, v)
			}
		}
		back, err := ParseTerms(m)
		if err != nil || back != terms {
			t.Fatalf("wrote %+v\nread %+v, %v", terms, back, err)
		}
	})
}

func TestMetadataOfTheFirstVersionsIsRead(t *testing.T) {
	want := Terms{EVSE: "A12/1", Meter: "7", Start: 5, Price: Price{Currency: NOK, VAT: 2500, KWh: 549}}
	m := want.Metadata()
	m[keyEVSE] = "A12/1"
	if got, err := ParseTerms(m); err != nil || got != want {
		t.Errorf("read %+v, %v", got, err)
	}
}

func TestMetadataOfOthersIsRefused(t *testing.T) {
	good := Terms{EVSE: "A12/1", Meter: "7", Start: 5, Price: Price{Currency: NOK, VAT: 2500, KWh: 549}}.Metadata()
	if _, err := ParseTerms(good); err != nil {
		t.Fatal(err)
	}
	for key, values := range map[string][]string{
		keyEVSE:   {""},
		keyStart:  {"", "-1", "1.5", "abc", "99999999999999999999"},
		keyPrice:  {"", "NOK", "NOK 2500 549 0 0 0 0", "SEK 2500 549 0 0 0 0 0", "NOK 2500 -1 0 0 0 0 0", "NOK 2500 0 0 0 0 0 0"},
		keyHolder: {"", "00", "zz", "000000000000000000000000000000000000"},
	} {
		for _, value := range values {
			m := maps.Clone(good)
			m[key] = value
			if _, err := ParseTerms(m); !errors.Is(err, ErrTerms) {
				t.Errorf("%s=%q: error %v, want ErrTerms", key, value, err)
			}
		}
	}
	if _, err := ParseTerms(nil); !errors.Is(err, ErrTerms) {
		t.Errorf("nothing: error %v, want ErrTerms", err)
	}
}

// Whatever somebody writes into a payment: an error, or terms that mean the same
// when they are written again.
func FuzzParseTerms(f *testing.F) {
	good := Terms{EVSE: "A12/1", Meter: "7", Start: 5, Price: Price{Currency: NOK, VAT: 2500, KWh: 549}}.Metadata()
	f.Add(good[keyEVSE], good[keyMeter], good[keyStart], good[keyPrice], good[keyHolder])
	f.Add("A", "", "0", "NOK 0 1 0 0 9223372036854775807 0 0", good[keyHolder])
	f.Add("A", "", "0", "NOK 0 1 0 0 -60 1 0", good[keyHolder])
	f.Fuzz(func(t *testing.T, evse, meter, start, price, holder string) {
		terms, err := ParseTerms(map[string]string{keyEVSE: evse, keyMeter: meter, keyStart: start, keyPrice: price, keyHolder: holder})
		if err != nil {
			return
		}
		if terms.Price.Idle.After < 0 {
			t.Fatalf("an idle fee that begins %v after the car stops", terms.Price.Idle.After)
		}
		again, err := ParseTerms(terms.Metadata())
		if err != nil || again != terms {
			t.Fatalf("read %+v\nthen %+v, %v", terms, again, err)
		}
	})
}
