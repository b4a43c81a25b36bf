package sim

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

const (
	feedPath = "/report/v2/ledgers/302321/funds/feed"
	dayPath  = "/report/v2/ledgers/302321/funds/dates/"
)

// sold makes payments that were captured, one an hour, and refunds one of them.
func sold(t *testing.T, n int) *client {
	t.Helper()
	c := newClient(t, Options{Payer: Payer{Habit: Approves}})
	for i := range n {
		body := strings.Replace(createText, "000001", fmt.Sprintf("%06d", i+1), 1)
		at := fmt.Sprintf("A12-1-%06d", i+1)
		c.create("r-"+at, body)
		if got := c.post(at+"/capture", "c-"+at, takeText); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.raw)
		}
		c.clock.pass(time.Hour)
	}
	c.post(string(ref)+"/refund", "f1", giveText)
	return c
}

// page reads one page of a report.
func (c *client) page(path string, headers ...string) (p reportBody) {
	c.t.Helper()
	got := c.beside("GET", path, "", headers...)
	if err := json.Unmarshal([]byte(got.raw), &p); got.status != 200 || err != nil {
		c.t.Fatalf("%s: %d %s", path, got.status, got.raw)
	}
	return p
}

func TestFeedHasEveryMovementOnce(t *testing.T) {
	c := sold(t, 5)
	var all []moveBody
	at, pages := "", 0
	for later := false; !later; pages++ {
		p := c.page(feedPath+"?cursor="+url.QueryEscape(at), "Vipps-Feed-Page-Size", "2")
		if p.Cursor == "" || p.More != nil {
			t.Errorf("%+v", p)
		}
		all, at, later = append(all, p.Items...), p.Cursor, p.Later
	}
	if len(all) != 6 || pages != 3 {
		t.Fatalf("%d entries on %d pages", len(all), pages)
	}
	sum := 0
	for i, m := range all {
		sum += int(m.Amount)
		if m.Currency != "NOK" || m.Recipient != "api:123456" || int(m.After) != sum || m.Before+m.Amount != m.After {
			t.Errorf("entry %d: %+v", i, m)
		}
	}
	if last := all[5]; last.Type != "refund" || last.Amount != -808 || last.Reference != ref || all[0].Type != "capture" || all[0].Amount != 6808 {
		t.Errorf("%+v", all)
	}
	var events []eventBody
	if err := json.Unmarshal([]byte(c.get(string(ref)+"/events").raw), &events); err != nil {
		t.Fatal(err)
	}
	if all[0].PSPReference != events[2].PSPReference || all[5].PSPReference != events[3].PSPReference {
		t.Errorf("%+v\n%+v", all, events)
	}
	if p := c.page(feedPath + "?cursor=" + at); len(p.Items) != 0 || !p.Later || p.Cursor != at {
		t.Errorf("at the end: %+v", p)
	}
	c.clock.pass(time.Minute)
	c.post(string(ref)+"/refund", "f2", giveText)
	if p := c.page(feedPath + "?cursor=" + at); len(p.Items) != 1 || p.Items[0].Type != "refund" {
		t.Errorf("later: %+v", p)
	}
}

func TestDatesOfTheReport(t *testing.T) {
	c := sold(t, 14) // from 12:00 on, so into the next day
	first := c.page(dayPath+"2026-11-20", "Vipps-Feed-Page-Size", "7")
	if len(first.Items) != 7 || !*first.More || first.Later || first.Cursor == "" {
		t.Errorf("%+v", first)
	}
	rest := c.page(dayPath+"2026-11-20?cursor="+first.Cursor, "Vipps-Feed-Page-Size", "7")
	if len(rest.Items) != 5 || *rest.More || rest.Cursor != "" {
		t.Errorf("%+v", rest)
	}
	if p := c.page(dayPath + "2026-11-21"); len(p.Items) != 3 || !p.Later || *p.More {
		t.Errorf("today: %+v", p)
	}
	if p := c.page(dayPath + "2026-11-19"); len(p.Items) != 0 || p.Later {
		t.Errorf("yesterday: %+v", p)
	}
	if p := c.page(strings.Replace(feedPath, "funds", "fees", 1)); len(p.Items) != 0 || !p.Later {
		t.Errorf("fees: %+v", p)
	}
	for path, want := range map[string]int{
		dayPath + "2026-11-22": 404, dayPath + "2026-13-01": 400, dayPath + "today": 400, dayPath + "2026-11-20x": 400,
		feedPath + "?cursor=x": 400, feedPath + "?cursor=LTE": 400, feedPath + "?cursor=MDE": 400, feedPath + "?cursor=MTAw": 200,
	} {
		if got := c.beside("GET", path, ""); got.status != want {
			t.Errorf("%s: %d %s, want %d", path, got.status, got.raw, want)
		}
	}
}

func TestLedgers(t *testing.T) {
	c := newClient(t, Options{})
	for query, want := range map[string]int{"": 1, "?settlesForRecipientHandles=api:123456": 1, "?settlesForRecipientHandles=api:1": 0} {
		got := c.beside("GET", "/settlement/v1/ledgers"+query, "")
		if items, _ := got.at("items").([]any); len(items) != want {
			t.Errorf("%q: %s", query, got.raw)
		}
	}
}

// What the bank refused is no movement.
func TestFailedCaptureIsNotInTheReport(t *testing.T) {
	c := held(t, Options{})
	c.till.Do(func(_ time.Duration, b *Book) { b.Funds(ref, false) })
	c.post(string(ref)+"/capture", "c1", takeText)
	if p := c.page(feedPath); len(p.Items) != 0 {
		t.Errorf("%+v", p)
	}
}

func TestPagesAreOnlySoLarge(t *testing.T) {
	for text, want := range map[string]int{"": maxPage, "1": 1, "1000": maxPage, "1001": maxPage, "999999999": maxPage} {
		in := inbound{header: map[string][]string{"Vipps-Feed-Page-Size": {text}}}
		if size, from, field := paging(in); size != want || from != 0 || field != "" {
			t.Errorf("%q: %d %d %q, want %d", text, size, from, field, want)
		}
	}
}

func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"", "MA", "MTAw", "LTE", "MDE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk", "====", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		in := inbound{query: url.Values{"cursor": {text}}}
		if _, from, field := paging(in); from < 0 || field == "" && text != "" && cursor(from) != text {
			t.Fatalf("%q: %d %q", text, from, field)
		}
	})
}
