package vipps

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"stolpe/payment"
)

// The Report API (2.0). It is there in production only.
const (
	ledgersPath = "/settlement/v1/ledgers"
	reportsPath = "/report/v2/ledgers"
)

// Chosen by us. One call a day is asked for: a feed would begin with the first
// day the sales unit ever sold.
const (
	maxDays   = 100     // back, in one asking
	maxPages  = 200     // of one list
	maxReport = 1 << 20 // bytes of a page
	pageSize  = "500"   // entries; one has some 400 bytes
	maxMoves  = 200_000 // entries in all
	maxCursor = 4096    // bytes
	maxOpen   = 2       // days that may still be open, beside today
)

var ledgerPattern = regexp.MustCompile(`^[0-9A-Za-z_-]+$`)

// Movement is an entry in the books of the service: what was taken, given back,
// or paid out.
type Movement struct {
	Ref          payment.Ref // empty for fees and payouts
	Kind         string      // the service's word: capture, refund, fees-retained, ...
	PSPReference string
	Amount       payment.Amount // minor units, as the service writes it: its sign follows the balance
	Currency     payment.Currency
	At           time.Time
}

// Movements lists what moved on the ledgers of this sales unit since a time, at
// most 100 days ago. A ledger's day is closed hours after its end, so the newest
// two days may be incomplete: what is missing there may still come. An older day
// that the service has not closed is an error, for nothing can be compared with it.
func (c *Client) Movements(ctx context.Context, since time.Time) ([]Movement, error) {
	now := time.Now()
	if since.After(now) || now.Sub(since) > maxDays*24*time.Hour {
		return nil, fmt.Errorf("vipps: movements since %s: want a time in the last %d days", since.Format(time.DateOnly), maxDays)
	}
	ledgers, err := c.ledgers(ctx)
	if err != nil {
		return nil, err
	}
	var all []Movement
	take := func(m Movement) error {
		if len(all) == maxMoves {
			return fmt.Errorf("more than %d movements: ask for fewer days", maxMoves)
		}
		if !m.At.Before(since) {
			all = append(all, m)
		}
		return nil
	}
	for _, ledger := range ledgers {
		for _, date := range datesOf(since, now) {
			open := date >= now.UTC().AddDate(0, 0, -maxOpen).Format(time.DateOnly)
			if err := c.day(ctx, ledger, date, open, take); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// datesOf lists the dates a ledger may write on what happened between two times,
// and a day more at both ends: its days begin and end by the merchant's clock.
func datesOf(since, now time.Time) []string {
	const day = 24 * time.Hour
	var dates []string
	for at := since.UTC().Truncate(day).Add(-day); !at.After(now.UTC().Add(day)); at = at.Add(day) {
		dates = append(dates, at.Format(time.DateOnly))
	}
	return dates
}

// handle is what the service calls this sales unit in its books.
func (c *Client) handle() string { return "api:" + c.config.MSN }

// ledgers finds the books this sales unit is settled in: one, as a rule.
func (c *Client) ledgers(ctx context.Context) ([]string, error) {
	var ids []string
	err := c.pages(ctx, call{what: "ledgers", path: ledgersPath, query: url.Values{"settlesForRecipientHandles": {c.handle()}}}, func(body []byte) (string, error) {
		var b struct {
			Cursor string `json:"cursor"`
			Items  []struct {
				ID      string   `json:"ledgerId"`
				Handles []string `json:"settlesForRecipientHandles"`
			} `json:"items"`
		}
		if err := decodeObject(body, &b); err != nil {
			return "", err
		}
		for _, item := range b.Items {
			switch {
			case !slices.Contains(item.Handles, c.handle()) || slices.Contains(ids, item.ID):
			case len(item.ID) > maxID || !ledgerPattern.MatchString(item.ID):
				return "", fmt.Errorf("ledger %q: want letters and digits", item.ID)
			default:
				ids = append(ids, item.ID)
			}
		}
		return b.Cursor, nil
	})
	if err == nil && len(ids) == 0 {
		err = fmt.Errorf("vipps: no ledger settles for %s: the keys must be this sales unit's own", c.handle())
	}
	return ids, err
}

// entryBody is an entry in the service's words.
type entryBody struct {
	PSPReference string           `json:"pspReference"`
	Time         time.Time        `json:"time"`
	Kind         string           `json:"entryType"`
	Ref          payment.Ref      `json:"reference"`
	Currency     payment.Currency `json:"currency"`
	Amount       *payment.Amount  `json:"amount"` // minor units
	Handle       string           `json:"recipientHandle"`
}

// notClosed is a day whose entries may still come.
func notClosed(date string) error {
	return fmt.Errorf("vipps: %w", &failure{
		what: "report " + date, plain: "the service has not closed its books of that day",
		advice: "try again in half an hour, or ask for later days only",
	})
}

// day takes one day's entries for this sales unit. A day that is not there yet has
// none; a page of some proxy does not say that.
func (c *Client) day(ctx context.Context, ledger, date string, open bool, take func(Movement) error) error {
	began, later := false, false
	err := c.pages(ctx, call{what: date, path: reportsPath + "/" + ledger + "/funds/dates/" + date}, func(body []byte) (string, error) {
		var b struct {
			Cursor string      `json:"cursor"`
			More   bool        `json:"hasMore"`
			Later  bool        `json:"tryLater"`
			Items  []entryBody `json:"items"`
		}
		if err := decodeObject(body, &b); err != nil {
			return "", err
		}
		began, later = true, later || b.Later
		for _, e := range b.Items {
			if e.Handle != "" && e.Handle != c.handle() {
				continue // another sales unit in the same ledger
			}
			if e.Amount == nil || e.Kind == "" || e.Time.IsZero() {
				return "", errors.New("an entry has no amount, no type or no time")
			}
			if err := take(Movement{e.Ref, e.Kind, e.PSPReference, *e.Amount, e.Currency, e.Time}); err != nil {
				return "", err
			}
		}
		switch {
		case !b.More:
			return "", nil
		case b.Cursor == "":
			return "", errors.New("there is more, but no cursor to it")
		}
		return b.Cursor, nil
	})
	var fail *failure
	switch {
	case err == nil && later && !open:
		return notClosed(date)
	case errors.As(err, &fail) && fail.http == http.StatusNotFound && !began &&
		(fail.status == payment.Refused || fail.bare && fail.status != payment.Busy): // busy: it was the token that was not found
		return nil
	}
	return err
}

// pages makes a call for each page of a list. Take gives the cursor to the next
// one, or "" at the end.
func (c *Client) pages(ctx context.Context, q call, take func([]byte) (string, error)) error {
	q.op, q.most = report, maxReport
	q.header = map[string]string{"Vipps-Feed-Page-Size": pageSize}
	cursor := ""
	for range maxPages {
		var next string
		q.take = func(body []byte) (err error) {
			next, err = take(body)
			return err
		}
		if err := c.alone(ctx, q); err != nil {
			return err
		}
		switch {
		case next == "":
			return nil
		case next == cursor || len(next) > maxCursor:
			return fmt.Errorf("vipps: report %s: the next page is the same again, or its cursor has more than %d bytes", q.what, maxCursor)
		}
		cursor, q.query = next, url.Values{"cursor": {next}}
	}
	return fmt.Errorf("vipps: report %s: more than %d pages", q.what, maxPages)
}
