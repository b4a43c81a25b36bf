package panel

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func coded(text string) *Code {
	return &Code{Text: text, Size: 1, bits: []bool{true}}
}

// The pages of a charge, as far as they matter here.
func free() Page { return Page{Face: Free, Big: Said{"LEDIG", "FREE"}, Code: coded("A12")} }
func charging(energy string) Page {
	return Page{Face: Charging, Big: Said{"LADER", "CHARGING"}, Energy: energy}
}
func paying(minutes string) Page {
	return Page{Face: Paying, Big: Said{"VENTER", "WAITING"}, Minutes: minutes}
}

func TestPaperIsDrawnWhenItMustBe(t *testing.T) {
	r, start := Paper(), 3*time.Hour
	onCharging := Drawn{}.Draw(charging("1"), Whole, start)
	onFree := Drawn{}.Draw(free(), Whole, start)
	onPaying := Drawn{}.Draw(paying("9"), Whole, start)
	worn := onCharging
	for i := range 5 {
		worn = worn.Draw(charging("2"), Partial, start+time.Duration(i)*time.Second)
	}
	spent := onFree
	for range r.Burst - 1 {
		spent = spent.Draw(free(), Whole, start)
	}
	tired, stale := onCharging, onCharging
	for range r.Burst {
		tired = tired.Draw(charging("1"), Whole, start)
		stale = stale.Draw(charging("1"), Partial, start+r.Stale-time.Minute)
	}
	rows := func(figure string, f Face) Page {
		r := Row{Code: "A1", Face: f, Figure: figure}
		if f == Free {
			r.Scan = coded("A1")
		}
		return Page{Face: Several, Rows: []Row{r}}
	}
	onRows := Drawn{}.Draw(rows("1 kr", Charging), Whole, start)
	for _, c := range []struct {
		name   string
		d      Drawn
		p      Page
		after  time.Duration // since start
		stroke Stroke
		wait   time.Duration
	}{
		{"the first", Drawn{}, free(), 0, Whole, 0},
		{"the same", onFree, free(), time.Minute, Rest, 24*time.Hour - time.Minute},
		{"the same for a day", onFree, free(), 24 * time.Hour, Whole, 0},
		{"a face", onFree, paying("9"), 0, Partial, 0},
		{"a code appears", onCharging, free(), 0, Whole, 0},
		{"another code", onFree, Page{Face: Free, Big: free().Big, Code: coded("A12/7")}, 0, Whole, 0},
		{"only the code appears", onFree.Draw(Page{Face: Free, Big: free().Big}, Partial, start), free(), 0, Whole, 0},
		{"figures", onCharging, charging("2"), time.Second, Rest, 179 * time.Second},
		{"figures after 180 s", onCharging, charging("2"), 180 * time.Second, Partial, 0},
		{"a countdown", onPaying, paying("8"), 59 * time.Second, Rest, time.Second},
		{"a countdown after 60 s", onPaying, paying("8"), 60 * time.Second, Partial, 0},
		{"the sixth", worn, paying("9"), 5 * time.Second, Whole, 0},
		{"a figure in a row", onRows, rows("2 kr", Charging), 0, Rest, 180 * time.Second},
		{"a row with a code appears", onRows, rows("5,49/kWh", Free), 0, Whole, 0},
		{"a row's code must go", Drawn{}.Draw(rows("5,49/kWh", Free), Whole, start), rows("1 kr", Charging), 0, Partial, 0},
		{"a price in a row", Drawn{}.Draw(rows("5,49/kWh", Free), Whole, start), rows("5,59/kWh", Free), 0, Partial, 0},
		{"the minute of a reading", onCharging, Page{Face: Charging, Big: charging("").Big, Energy: "1", At: "12:41", Updated: Said{"Målt 12:41"}}, 0, Rest, 180 * time.Second},
		{"when a fee begins", Drawn{}.Draw(Page{Face: Suspended, Fees: []Said{{"om 9 min"}}}, Whole, start), Page{Face: Suspended, Fees: []Said{{"om 8 min"}}}, 0, Rest, 180 * time.Second},
		{"a fee", Drawn{}.Draw(Page{Face: Free, Fees: []Said{{"1 kr"}}}, Whole, start), Page{Face: Free, Fees: []Said{{"2 kr"}}}, 0, Partial, 0},
		{"a face in a row", onRows, rows("1 kr", Finished), 0, Partial, 0},
		{"the budget is spent", spent, free(), 0, Rest, 24 * time.Hour},
		{"the budget is spent, and the code is another", spent, Page{Code: coded("B1")}, time.Minute, Whole, 0},
		{"the budget is spent, and the code must go", spent, paying("9"), time.Minute, Partial, 0},
		{"the budget is spent, and something else", spent.Draw(paying("9"), Partial, start), charging("1"), time.Minute, Rest, 9 * time.Minute},
		{"the budget is spent, and figures", tired, charging("2"), 180 * time.Second, Rest, 7 * time.Minute},
		{"the budget is spent, and a day is over", stale, charging("1"), r.Stale, Rest, 9 * time.Minute},
		{"opened anew", onCharging.Lost(), charging("1"), time.Second, Whole, 0},
		{"opened anew for the 13th time", spent.Draw(charging("1"), Whole, start).Lost(), charging("1"), 0, Rest, 10 * time.Minute},
		{"opened anew, and the code must go", spent.Lost(), charging("1"), 0, Whole, 0},
		{"too cold", onCharging.Froze(r, start), paying("9"), time.Minute, Rest, 9 * time.Minute},
		{"was too cold", onCharging.Froze(r, start), paying("9"), 10 * time.Minute, Partial, 0},
	} {
		stroke, wait := r.Next(c.d, c.p, start+c.after)
		if stroke != c.stroke || wait != c.wait {
			t.Errorf("%s: %v after %v, want %v after %v", c.name, stroke, wait, c.stroke, c.wait)
		}
	}
}

func TestADisplayWithoutRulesIsDrawnWheneverSomethingChanges(t *testing.T) {
	d, now := Drawn{}, time.Second
	for _, p := range []Page{free(), charging("1"), charging("2"), charging("3"), paying("9"), paying("8"), free()} {
		stroke, wait := Refresh{}.Next(d, p, now)
		if stroke == Rest || wait != 0 {
			t.Errorf("%+v: %v after %v", p, stroke, wait)
		}
		d = d.Draw(p, stroke, now)
		if stroke, wait := (Refresh{}).Next(d, p, now+48*time.Hour); stroke != Rest || wait != 0 {
			t.Errorf("%+v again: %v after %v", p, stroke, wait)
		}
		if !d.Shows(p) || d.Lost().Shows(p) || d.Shows(charging("4")) {
			t.Error("what the display shows is not known")
		}
	}
}

// A post that flutters between pages as it likes.
func TestPaperIsSparedWhateverHappens(t *testing.T) {
	pages := []Page{free(), {Face: Free, Code: coded("A12/2")}, paying("9"), paying("8"), charging("1"), charging("2"), {Face: Faulted}}
	rapid.Check(t, func(t *rapid.T) {
		r, d, now := Paper(), Drawn{}, time.Duration(0)
		var draws []time.Duration
		partials, code := 0, ""
		for range 400 {
			p := pages[rapid.IntRange(0, len(pages)-1).Draw(t, "page")]
			now += time.Duration(rapid.IntRange(0, 90_000).Draw(t, "ms")) * time.Millisecond
			stroke, wait := r.Next(d, p, now)
			switch {
			case stroke == Rest && lacks(p, Page{Code: coded(code)}) && code != "":
				t.Fatalf("the code %q stays for %v while the page has %q", code, wait, codes(p))
			case stroke == Rest && wait == 0:
				t.Fatal("nothing is due, although a whole draw is due each day")
			case stroke == Rest:
				if s, _ := r.Next(d, p, now+wait); s == Rest {
					t.Fatalf("still nothing after the %v it said", wait)
				}
				if s, _ := r.Next(d, p, now+wait-1); s != Rest {
					t.Fatalf("drawn before the %v it said", wait)
				}
				continue
			}
			if partials++; stroke == Whole {
				partials = 0
			}
			if partials > 5 {
				t.Fatal("six partial draws in a row")
			}
			if d, code = d.Draw(p, stroke, now), ""; p.Code != nil {
				code = p.Code.Text
			}
			draws = append(draws, now)
			if n := len(draws) - 2*r.Burst - 1; n >= 0 && now-draws[n] < r.BurstTime {
				t.Fatalf("%d draws in %v", 2*r.Burst+1, now-draws[n])
			}
		}
	})
}
