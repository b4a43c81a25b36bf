package replay

import (
	"errors"
	"strings"
	"testing"
	"time"

	"stolpe/hal"
)

const head = "session_ID;Garage_ID;Start_plugin;End_plugout;El_kWh\n"

func oslo(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestRows(t *testing.T) {
	const at, later = "07.01.2019 16:10", "08.01.2019 07:05"
	for _, c := range []struct {
		line   string
		skip   reason
		energy hal.Energy
		detail string
	}{
		{"1;G;" + at + ";" + later + ";12,4", played, 12_400, ""},
		{"1;G;" + at + ";" + later + ";12,4\r", played, 12_400, ""},
		{`"1";"G";"` + at + `";"` + later + `";"12,4"`, played, 12_400, ""},
		{" 1 ; G ; " + at + " ; " + later + " ; 12,4 ", played, 12_400, ""},
		{";;" + at + ";" + later + ";12", played, 12_000, ""},
		{"1;G;" + at + ";NA;12,4", noEnd, 12_400, ""},
		{"1;G;" + at + ";;12,4", noEnd, 12_400, ""},
		{"1;G;NA;" + later + ";12,4", noStart, 12_400, ""},
		{"1;G;NA;NA;NA", noStart, 0, ""},
		{"1;G;" + later + ";" + at + ";12,4", backwards, 12_400, ""},
		{"1;G;" + at + ";" + at + ";12,4", instantly, 12_400, ""},
		{"1;G;" + at + ";" + later + ";NA", noEnergy, 0, ""},
		{"1;G;" + at + ";" + later + ";0,0004", zeroEnergy, 0, ""},
		{"1;G;" + at + ";NA;NA", noEnd, 0, ""},
		{"1;G;" + at + ";" + later + ";1.5", unreadable, 0, `energy "1.5"`},
		{"1;G;2019-01-07 16:10;" + later + ";1,5", unreadable, 1500, `time "2019-01-07 16:10"`},
		{"1;G;" + at + ";30.02.2019 10:00;1,5", unreadable, 1500, `time "30.02.2019 10:00"`},
		{"1;G;" + at + ";08.01.2100 07:05;1,5", unreadable, 1500, "2100"},
		{"1;G;07.01.1999 10:00;" + later + ";1,5", unreadable, 1500, "1999"},
		{"1;G;" + at + ";" + later, unreadable, 0, "4 fields, the head has 5"},
		{"1;G;" + at + ";" + later + ";1,5;", unreadable, 0, "6 fields"},
		{"1;\xff;" + at + ";" + later + ";1,5", unreadable, 0, "UTF-8"},
	} {
		rows, err := readTable([]byte(head+"\n"+c.line), oslo(t))
		if err != nil || len(rows) != 1 {
			t.Fatalf("%q: %d rows, %v", c.line, len(rows), err)
		}
		r := rows[0]
		if r.skip != c.skip || r.energy != c.energy || !strings.Contains(r.detail, c.detail) || r.line != 3 {
			t.Errorf("%q: line %d %v, %v, %q; want line 3 %v, %v, %q", c.line, r.line, r.skip, r.energy, r.detail, c.skip, c.energy, c.detail)
		}
		if r.skip == played && (r.to.Sub(r.from) != 14*time.Hour+55*time.Minute || strings.Trim(r.id+r.garage, "1G") != "") {
			t.Errorf("%q: session %q at %q, %v", c.line, r.id, r.garage, r.to.Sub(r.from))
		}
	}
}

func TestEnergyIsReadToTheNearestWh(t *testing.T) {
	for text, want := range map[string]hal.Energy{
		"0": 0, "7": 7000, "0,3": 300, "0,01": 10, "80,86": 80_860, "7,125": 7125, "7,1254": 7125, "7,1255": 7126,
		"0,9996": 1000, "999999,999": 999_999_999, "00012,5": 12_500,
	} {
		if got, err := parseEnergy(text); err != nil || got != want {
			t.Errorf("%q is %d Wh (%v), want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"-1", "+1", ",5", "5,", "1.5", "1,5,5", "1 000", "1e3", "1000000", "x", "٣", "0x1"} {
		if got, err := parseEnergy(text); err == nil || errors.Is(err, errUnknown) {
			t.Errorf("%q is taken for %d Wh", text, got)
		}
	}
}

func TestNightsOfTheClockChange(t *testing.T) {
	text := head +
		"1;G;30.03.2019 23:30;31.03.2019 06:00;1\n" + // spring: an hour less
		"2;G;26.10.2019 22:15;27.10.2019 06:00;1\n" // autumn: an hour more
	rows, err := readTable([]byte(text), oslo(t))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []time.Duration{5*time.Hour + 30*time.Minute, 8*time.Hour + 45*time.Minute} {
		if got := rows[i].to.Sub(rows[i].from); got != want {
			t.Errorf("row %s lasts %v, want %v", rows[i].id, got, want)
		}
	}
}

func TestWhatIsNoTable(t *testing.T) {
	for _, text := range []string{"", "\n", "Garage_ID,Start_plugin,End_plugout,El_kWh\n1,2,3,4\n", "Garage_ID;Start_plugin;End_plugout\n", "\x00\x01\x02"} {
		if rows, err := readTable([]byte(text), time.UTC); !errors.Is(err, errHeader) {
			t.Errorf("%q: %d rows, %v", text, len(rows), err)
		}
	}
	if _, err := readTable([]byte(head+"\n \r\n"), time.UTC); !errors.Is(err, errEmpty) {
		t.Errorf("no rows: %v", err)
	}
	marked := "\ufeff" + strings.Replace(head, "session_ID;", "", 1) + "G;NA;NA;1\r\n"
	if rows, err := readTable([]byte(marked), time.UTC); err != nil || len(rows) != 1 || rows[0].garage != "G" {
		t.Errorf("a table of a spreadsheet, without session_ID: %v, %v", rows, err)
	}
}

// FuzzReadTable checks that whatever is in a file, every line that is not blank is
// one row, and what is to be played can be.
func FuzzReadTable(f *testing.F) {
	f.Add([]byte(head + "1;G;07.01.2019 16:10;08.01.2019 07:05;12,4\n"))
	f.Add([]byte(head + "1;G;NA;08.01.2019 07:05;12,4\r\n\r\n2;;07.01.2019 16:10;07.01.2019 16:10;0\n;;;;\n\xff"))
	f.Add([]byte("\ufeff\"El_kWh\";End_plugout;Start_plugin;Garage_ID\n\"0,01\";31.12.2099 23:59;01.01.2000 00:00;"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, text []byte) {
		rows, err := readTable(text, time.UTC)
		if err != nil {
			return
		}
		want := -1 // the head
		for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
			if strings.TrimSpace(line) != "" {
				want++
			}
		}
		if len(rows) != want {
			t.Errorf("%d rows of %d lines", len(rows), want)
		}
		last := 1
		for _, r := range rows {
			if r.line <= last || r.skip >= reasons || (r.detail != "") != (r.skip == unreadable) || r.energy < 0 {
				t.Errorf("%+v after line %d", r, last)
			}
			last = r.line
			if r.skip == played && (!r.to.After(r.from) || r.energy == 0) {
				t.Errorf("%+v is to be played", r)
			}
		}
		for _, s := range assign(rows) {
			if len(s.visits) == 0 {
				t.Errorf("nobody comes to EVSE %d of %s", s.evse, s.post)
			}
		}
	})
}
