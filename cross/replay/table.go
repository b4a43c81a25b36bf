package replay

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"stolpe/hal"
)

// row is one line of the table.
type row struct {
	line   int    // in the file, from 1
	id     string // the table's own, for people
	garage string
	from   time.Time  // plugged in
	to     time.Time  // plugged out
	energy hal.Energy // Wh; as far as it could be read
	skip   reason
	detail string // with unreadable: what is wrong
}

// reason says why a row is not played.
type reason uint8

// The reasons.
const (
	played reason = iota
	unreadable
	noStart
	noEnd
	backwards
	instantly
	noEnergy
	zeroEnergy
	tooMuch
	turnedAway
	reasons
)

// String gives the reason in words.
func (r reason) String() string {
	return [reasons]string{"played", "not parseable", "no start time", "no end time", "plug-out before plug-in",
		"plug-out in the minute of the plug-in", "no energy known", "zero energy",
		"more energy than 22 kW carry in the time", "turned away until the plug-out"}[r]
}

// The columns that are needed, and the one that is used if it is there.
const (
	colGarage = iota
	colFrom
	colTo
	colEnergy
	colID
	columns
)

var columnNames = [columns]string{"Garage_ID", "Start_plugin", "End_plugout", "El_kWh", "session_ID"}

// table is where to find what in a line.
type table struct {
	at    [columns]int // index of the field; -1 if there is none
	width int          // fields in a line
	zone  *time.Location
}

// Errors of readTable.
var (
	errHeader = errors.New("no table of charging sessions")
	errEmpty  = errors.New("a table without any row")
)

// readTable reads a table: a head with the columns' names, and a row a line,
// fields split by semicolons. A bad row is kept with what is wrong with it. The
// error wraps errHeader when the first line is not such a head, and is errEmpty
// when nothing follows it.
func readTable(text []byte, zone *time.Location) ([]row, error) {
	lines := bytes.Split(bytes.TrimPrefix(text, []byte("\ufeff")), []byte("\n"))
	t, err := readHead(fields(lines[0]), zone)
	if err != nil {
		return nil, err
	}
	rows := make([]row, 0, len(lines))
	for i, line := range lines[1:] {
		if len(bytes.TrimSpace(line)) > 0 {
			rows = append(rows, t.readRow(i+2, line))
		}
	}
	if len(rows) == 0 {
		return nil, errEmpty
	}
	return rows, nil
}

func readHead(head []string, zone *time.Location) (table, error) {
	t := table{width: len(head), zone: zone}
	for c, name := range columnNames {
		t.at[c] = slices.Index(head, name)
		if t.at[c] < 0 && c != colID {
			return t, fmt.Errorf("%w: its first line has no column %s between semicolons; it begins %.40q",
				errHeader, name, strings.Join(head, ";"))
		}
	}
	return t, nil
}

// fields splits a line, and takes away the quotation marks that some programs put
// around a field.
func fields(line []byte) []string {
	all := strings.Split(strings.TrimRight(string(line), "\r"), ";")
	for i, f := range all {
		f = strings.TrimSpace(f)
		if len(f) >= 2 && f[0] == '"' && f[len(f)-1] == '"' {
			f = f[1 : len(f)-1]
		}
		all[i] = f
	}
	return all
}

// readRow reads one line. It never fails: what cannot be played says why.
func (t *table) readRow(number int, line []byte) row {
	r := row{line: number}
	f := fields(line)
	switch {
	case !utf8.Valid(line):
		return r.unreadable("not text in UTF-8")
	case len(f) != t.width:
		return r.unreadable(fmt.Sprintf("%d fields, the head has %d", len(f), t.width))
	}
	r.garage = f[t.at[colGarage]]
	if i := t.at[colID]; i >= 0 {
		r.id = f[i]
	}
	energy, errEnergy := parseEnergy(f[t.at[colEnergy]])
	from, errFrom := t.parseTime(f[t.at[colFrom]])
	to, errTo := t.parseTime(f[t.at[colTo]])
	r.energy, r.from, r.to = energy, from, to
	for _, err := range []error{errFrom, errTo, errEnergy} {
		if err != nil && !errors.Is(err, errUnknown) {
			return r.unreadable(err.Error())
		}
	}
	switch {
	case errFrom != nil:
		r.skip = noStart
	case errTo != nil:
		r.skip = noEnd
	case to.Before(from):
		r.skip = backwards
	case to.Equal(from):
		r.skip = instantly
	case errEnergy != nil:
		r.skip = noEnergy
	case energy == 0:
		r.skip = zeroEnergy
	}
	return r
}

func (r row) unreadable(detail string) row {
	r.skip, r.detail = unreadable, detail
	return r
}

// errUnknown says that the table itself does not know.
var errUnknown = errors.New("not known")

func unknown(s string) bool { return s == "" || s == "NA" }

// Years outside these are typing errors. Chosen by us; they also keep virtual time
// far from its largest value.
const (
	firstYear = 2000
	lastYear  = 2099
)

// parseTime reads a local time. The hour that comes twice in autumn is taken as
// Go's time package takes it, the same way for both ends of a row.
func (t *table) parseTime(s string) (time.Time, error) {
	if unknown(s) {
		return time.Time{}, errUnknown
	}
	at, err := time.ParseInLocation("02.01.2006 15:04", s, t.zone)
	if err != nil || at.Year() < firstYear || at.Year() > lastYear {
		return time.Time{}, fmt.Errorf("time %.40q: want dd.mm.yyyy hh:mm", s)
	}
	return at, nil
}

// maxDigits before the comma keeps sums far from the largest number.
const maxDigits = 6

// parseEnergy reads kWh with a decimal comma, to the nearest Wh.
func parseEnergy(s string) (hal.Energy, error) {
	if unknown(s) {
		return 0, errUnknown
	}
	whole, part, comma := strings.Cut(s, ",")
	if !digits(whole) || comma && !digits(part) || len(whole) > maxDigits {
		return 0, fmt.Errorf("energy %.40q: want kWh with a decimal comma", s)
	}
	roundUp := len(part) > 3 && part[3] >= '5'
	wh, err := strconv.ParseInt(whole+(part + "000")[:3], 10, 64)
	if roundUp {
		wh++
	}
	return hal.Energy(wh), err
}

// digits says whether s is nothing but decimal digits, and at least one.
func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
