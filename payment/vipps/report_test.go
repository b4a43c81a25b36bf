package vipps

import (
	"fmt"
	"net/http"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stolpe/payment"
)

const allLedgers = "/settlement/v1/ledgers"

// ledgerJSON is a ledger as the API tells it.
func ledgerJSON(id string, handles ...string) string {
	return fmt.Sprintf(`{"ledgerId":%q,"currency":"NOK","owner":{"scheme":"business:NO:ORG","id":"987654321"},"settlesForRecipientHandles":["%s"]}`, id, strings.Join(handles, `","`))
}

func ledgersJSON(cursor string, ledgers ...string) string {
	return fmt.Sprintf(`{"cursor":%q,"items":[%s]}`, cursor, strings.Join(ledgers, ","))
}

func entryJSON(kind, psp, handle string, amount int, at time.Time) string {
	return fmt.Sprintf(`{"pspReference":%q,"time":%q,"ledgerDate":%q,"entryType":%q,"reference":%q,"currency":"NOK","amount":%d,"balanceBefore":0,"balanceAfter":%[6]d,"recipientHandle":%q}`,
		psp, at.UTC().Format("2006-01-02T15:04:05.000000Z"), at.UTC().Format(time.DateOnly), kind, ref, amount, handle)
}

// books has one ledger of ours; days gives the answer for a date and a cursor,
// nil for "not yet".
func books(t *testing.T, days func(date, cursor string) (int, string)) *others {
	w := newOthers(t)
	w.on("?", func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == allLedgers {
			says(200, ledgersJSON("", ledgerJSON("302321", "api:123456")))(rw, r)
			return
		}
		status, body := days(path.Base(r.URL.Path), r.URL.Query().Get("cursor"))
		says(status, body)(rw, r)
	})
	return w
}

func TestMovementsOfEveryDayAndPage(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	since := now.Add(-36 * time.Hour)
	yesterday := now.Add(-24 * time.Hour).Format(time.DateOnly)
	w := books(t, func(date, cursor string) (int, string) {
		switch {
		case date == yesterday && cursor == "":
			return 200, `{"hasMore":true,"cursor":"p/2=","tryLater":true,"items":[` +
				entryJSON("capture", "1", "api:123456", 6808, since.Add(-time.Second)) + "," + entryJSON("capture", "2", "api:123456", 6808, since) + "," +
				entryJSON("capture", "3", "api:999999", 1, now) + `]}`
		case date == yesterday && cursor == "p/2=":
			return 200, `{"hasMore":false,"items":[` + entryJSON("refund", "4", "", -100, now) + `]}`
		case date > now.Format(time.DateOnly):
			return 404, ""
		}
		return 200, `{"items":[]}`
	})
	got, err := w.client(t).Movements(t.Context(), since)
	want := []Movement{{ref, "capture", "2", 6808, payment.NOK, since}, {ref, "refund", "4", -100, payment.NOK, now}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	asked := []string{"GET /settlement/v1/ledgers?settlesForRecipientHandles=api%3A123456"}
	for _, date := range datesOf(since, now) {
		line := "GET /report/v2/ledgers/302321/funds/dates/" + date
		asked = append(asked, line)
		if date == yesterday {
			asked = append(asked, line+"?cursor=p%2F2%3D")
		}
	}
	if diff := cmp.Diff(strings.Join(asked, "\n"), w.lines()); diff != "" {
		t.Error(diff)
	}
}

// A day more at both ends, whatever the hour.
func TestDatesAroundTwoTimes(t *testing.T) {
	at := func(day, hour int) time.Time {
		return time.Date(2026, 3, day, hour, 30, 0, 0, time.FixedZone("", 2*60*60))
	}
	for _, row := range []struct {
		since, now time.Time
		want       string
	}{
		{at(2, 12), at(2, 13), "2026-03-01 2026-03-02 2026-03-03"},
		{at(2, 3), at(3, 2), "2026-03-01 2026-03-02 2026-03-03 2026-03-04"},
		{at(2, 1), at(3, 1), "2026-02-28 2026-03-01 2026-03-02 2026-03-03"},
	} {
		if got := strings.Join(datesOf(row.since, row.now), " "); got != row.want {
			t.Errorf("%v to %v: %s, want %s", row.since, row.now, got, row.want)
		}
	}
}

func TestEveryLedgerOfTheSalesUnitIsRead(t *testing.T) {
	w := newOthers(t)
	w.on("?", func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != allLedgers:
			says(404, "")(rw, r)
		case r.URL.Query().Get("cursor") == "":
			says(200, ledgersJSON("next", ledgerJSON("1", "NO:123456", "api:123456"), ledgerJSON("2", "api:1234567"), ledgerJSON("3", "NO:123456")))(rw, r)
		default:
			says(200, ledgersJSON("", ledgerJSON("1", "api:123456"), ledgerJSON("4", "api:9", "api:123456")))(rw, r)
		}
	})
	moves, err := w.client(t).Movements(t.Context(), time.Now())
	if err != nil || len(moves) != 0 {
		t.Error(moves, err)
	}
	for id, read := range map[string]bool{"1": true, "2": false, "3": false, "4": true} {
		if n := strings.Count(w.lines(), "/ledgers/"+id+"/"); (n > 0) != read || n > 4 {
			t.Errorf("ledger %s is read %d times", id, n)
		}
	}
}

func TestLedgersThatCannotBeUsed(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"in test":   says(404, `{"statusCode":404,"message":"Resource not found"}`),
		"no access": says(403, `{"title":"No","type":"t"}`),
		"401":       says(401, `{"code":"Unauthorized","message":"Please check your API keys"}`),
		"500":       says(500, `{"errorCode":1,"errorMessage":"m","contextId":"c"}`),
		"lost":      hangUp,
		"none":      says(200, ledgersJSON("")),
		"another's": says(200, ledgersJSON("", ledgerJSON("1", "api:999999"))),
		"null":      says(200, "null"),
		"list":      says(200, "[]"),
		"path":      says(200, ledgersJSON("", ledgerJSON("../..", "api:123456"))),
		"no end":    says(200, ledgersJSON("again", ledgerJSON("1", "api:123456"))),
		"huge":      says(200, ledgersJSON(strings.Repeat("x", maxReport))),
		"cursor":    says(200, ledgersJSON(strings.Repeat("x", maxCursor+1))),
	} {
		w := newOthers(t).at("GET "+allLedgers, answer)
		moves, err := w.client(t).Movements(t.Context(), time.Now())
		if err == nil || moves != nil || !strings.HasPrefix(err.Error(), "vipps: ") || strings.Contains(w.lines(), "/report/") {
			t.Errorf("%s: %v, %v, asked\n%s", name, moves, err, w.lines())
		}
		if name == "cursor" && strings.Count(w.lines(), allLedgers) != 1 {
			t.Error("a cursor of any length is sent back")
		}
	}
}

func TestReportsThatCannotBeUsed(t *testing.T) {
	entry := entryJSON("capture", "1", "api:123456", 1, time.Now())
	for name, row := range map[string]struct {
		status int
		body   string
	}{
		"a proxy":     {404, "<html>"},
		"403":         {403, `{"title":"No","type":"t"}`},
		"500":         {500, ""},
		"429":         {429, ""},
		"302":         {302, ""},
		"html":        {200, "<html>"},
		"null":        {200, "null"},
		"no cursor":   {200, `{"hasMore":true,"items":[]}`},
		"no end":      {200, `{"hasMore":true,"cursor":"c","items":[]}`},
		"no amount":   {200, `{"items":[` + strings.Replace(entry, `"amount":1,`, "", 1) + `]}`},
		"null amount": {200, `{"items":[` + strings.Replace(entry, `"amount":1,`, `"amount":null,`, 1) + `]}`},
		"part of øre": {200, `{"items":[` + strings.Replace(entry, `"amount":1,`, `"amount":1.5,`, 1) + `]}`},
		"no time":     {200, `{"items":[` + strings.Replace(entry, `"time":`, `"when":`, 1) + `]}`},
		"odd time":    {200, `{"items":[` + strings.Replace(entry, `"time":"2`, `"time":"yesterday 2`, 1) + `]}`},
		"no type":     {200, `{"items":[` + strings.Replace(entry, `"entryType":`, `"type":`, 1) + `]}`},
		"no object":   {200, `{"items":[7]}`},
		"huge":        {200, `{"items":[]}` + strings.Repeat(" ", maxReport)},
	} {
		w := books(t, func(string, string) (int, string) { return row.status, row.body })
		if moves, err := w.client(t).Movements(t.Context(), time.Now()); err == nil || moves != nil || !strings.HasPrefix(err.Error(), "vipps: ") {
			t.Errorf("%s: %v, %v", name, moves, err)
		}
	}
}

// What may still come is expected of the newest days only.
func TestDaysThatAreNotClosed(t *testing.T) {
	now := time.Now().UTC()
	for back := range 6 {
		date := now.AddDate(0, 0, -back).Format(time.DateOnly)
		w := books(t, func(asked, cursor string) (int, string) {
			switch {
			case asked == date && cursor == "": // told on any page
				return 200, `{"hasMore":true,"cursor":"2","tryLater":true,"items":[]}`
			case asked > now.Format(time.DateOnly):
				return 404, `{"title":"Not yet","type":"t"}`
			}
			return 200, `{"items":[]}`
		})
		moves, err := w.client(t).Movements(t.Context(), now.AddDate(0, 0, -5))
		if closed := back > maxOpen; closed != (err != nil) || moves != nil {
			t.Errorf("%d days back: %v, %v", back, moves, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "report "+date+": ") || !strings.Contains(Advice(err), "half an hour")) {
			t.Errorf("%v: %s", err, Advice(err))
		}
	}
}

// A day whose second page is gone is not a day without entries, and a list that
// never ends is given up.
func TestReportsThatBreakOff(t *testing.T) {
	w := books(t, func(_, cursor string) (int, string) {
		if cursor != "" {
			return 404, ""
		}
		return 200, `{"hasMore":true,"cursor":"2","items":[]}`
	})
	if _, err := w.client(t).Movements(t.Context(), time.Now()); err == nil {
		t.Error("the rest of the day is left out in silence")
	}
	n := 0
	w = books(t, func(string, string) (int, string) {
		n++
		return 200, fmt.Sprintf(`{"hasMore":true,"cursor":"%d","items":[]}`, n)
	})
	if _, err := w.client(t).Movements(t.Context(), time.Now()); err == nil || n != maxPages {
		t.Errorf("%d pages, %v", n, err)
	}
}

// A token that is not to be had is not a day without entries.
func TestReportsWithoutATokenAreNotEmpty(t *testing.T) {
	w := books(t, func(string, string) (int, string) { return 401, "" })
	w.on("token", func(rw http.ResponseWriter, r *http.Request) {
		if strings.Count(w.asked(), "token") == 1 {
			says(200, tokenBody("first", 3600))(rw, r)
			return
		}
		says(404, "")(rw, r)
	})
	if moves, err := w.client(t).Movements(t.Context(), time.Now()); err == nil {
		t.Errorf("%v", moves)
	}
}

func TestMovementsHaveTheirTime(t *testing.T) {
	w := books(t, func(string, string) (int, string) { return 404, "" })
	c := w.client(t)
	for _, since := range []time.Time{{}, time.Now().Add(-100*24*time.Hour - time.Minute), time.Now().Add(time.Hour)} {
		if _, err := c.Movements(t.Context(), since); err == nil || w.asked() != "" {
			t.Errorf("since %v: %v, asked %q", since, err, w.asked())
		}
	}
	if _, err := c.Movements(t.Context(), time.Now().Add(time.Minute-100*24*time.Hour)); err != nil {
		t.Error(err)
	}
	if got := w.last(t, "?").header.Get("Vipps-Feed-Page-Size"); got != pageSize {
		t.Errorf("page size %q", got)
	}
}
