package page

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"stolpe/agent/telemetry/fleet"
	"stolpe/payment"
)

// table is a file for a spreadsheet. Energy is in Wh, money in minor units, time in UTC.
type table struct {
	name string
	head []string
	rows func(p fleet.Post, now time.Time, row func(...any))
}

func tables() []table {
	return []table{
		{"evses.csv", []string{"tenant", "post", "place", "evse", "code", "state", "since", "standing", "trouble", "online", "last_heard", "version", "clock", "unsettled",
			"nevi_30d", "nevi_365d", "uk_this_year", "working_s_365d", "down_s_365d", "offline_s_365d", "worked_offline_s_365d", "excluded_s_365d", "unknown_s_365d"}, evseRows},
		{"months.csv", []string{"tenant", "post", "month", "currency", "asked", "approved", "contactor_closed", "got_energy", "need_a_person", "energy_wh", "charging_s",
			"revenue", "written_off", "refunded"}, monthRows},
		{"outages.csv", []string{"tenant", "post", "evse", "from", "to", "seconds", "standing", "trouble", "excluded_because", "lasts"}, outageRows},
	}
}

func evseRows(p fleet.Post, _ time.Time, row func(...any)) {
	debts := ""
	if p.Health != nil {
		debts = strconv.Itoa(p.Health.Debts)
	}
	for _, e := range p.EVSEs {
		y := e.Year
		row(p.Tenant, p.ID, p.Name, e.Number, e.Code, e.State, e.Since, e.Is, e.Trouble, p.There, p.Heard, p.Version, p.Clock, debts,
			share(e.Month.NEVI()), share(y.NEVI()), share(e.Calendar.UK()), y.Working, y.Down, y.Away, y.Cut, y.Excluded, y.Unheard)
	}
}

func monthRows(p fleet.Post, _ time.Time, row func(...any)) {
	for _, m := range p.Months {
		row(p.Tenant, p.ID, m.Begins[:len("2026-11")], "", m.Asked, m.Approved, m.Closed, m.Fed, m.Troubled, m.Energy, m.Seconds, "", "", "")
		for _, c := range []payment.Currency{payment.NOK, payment.DKK, payment.EUR} { // amounts in rows of their own, as no two currencies add up
			if m.Revenue[c]+m.Lost[c]+m.Refunded[c] > 0 {
				row(p.Tenant, p.ID, m.Begins[:len("2026-11")], c, "", "", "", "", "", "", "", m.Revenue[c], m.Lost[c], m.Refunded[c])
			}
		}
	}
}

func outageRows(p fleet.Post, now time.Time, row func(...any)) {
	for _, e := range p.EVSEs {
		for _, o := range e.Outages(now) {
			row(p.Tenant, p.ID, e.Number, o.From, o.To, o.To.Sub(o.From), o.Is, o.Code, o.Cause, o.Lasts)
		}
	}
}

// share writes a share that is known, between 0 and 1.
func share(s float64, ok bool) string {
	if !ok {
		return ""
	}
	return strconv.FormatFloat(s, 'f', 6, 64)
}

// file answers with a table of the posts that a login may see.
func (p *Pages) file(t table) func(http.ResponseWriter, *http.Request, Login) {
	return func(w http.ResponseWriter, r *http.Request, l Login) {
		now := p.o.Now()
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", t.name))
		var out bytes.Buffer
		c := csv.NewWriter(&out)
		c.Write(t.head) //nolint:errcheck // a buffer takes everything
		p.o.Fleet.Each(now, l.sees, func(x fleet.Post) {
			t.rows(x, now, func(cells ...any) {
				row := make([]string, len(cells))
				for i, v := range cells {
					row[i] = cell(v)
				}
				c.Write(row) //nolint:errcheck // as before
			})
		})
		c.Flush()
		w.Write(out.Bytes()) //nolint:errcheck // whoever has gone needs no file
	}
}

// cell writes a value so that no spreadsheet takes a post's text for a formula.
func cell(v any) string {
	switch v := v.(type) {
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.UTC().Format(time.RFC3339)
	case time.Duration:
		return strconv.FormatInt(int64(v/time.Second), 10)
	case int, int64, uint64, bool:
		return fmt.Sprint(v)
	}
	text := strings.ReplaceAll(fmt.Sprint(v), ";", ",") // where ; separates, what follows would be a cell
	if text != "" && strings.ContainsRune("=+-@\t\r'", rune(text[0])) {
		return "'" + text
	}
	return text
}
