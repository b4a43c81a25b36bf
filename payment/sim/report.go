package sim

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"time"

	"stolpe/payment"
)

// The Till's merchant has one ledger. Its name and its account are made up.
const (
	ledgerID = "302321"

	maxPage = 1000 // entries; chosen by us, also what a client gets that does not ask
)

// move is money that went from a payer to the merchant, or back.
type move struct {
	ref   payment.Ref
	event Event
}

// moveBody is an entry of a report.
type moveBody struct {
	PSPReference string           `json:"pspReference"`
	Time         string           `json:"time"`
	Date         string           `json:"ledgerDate"`
	Type         string           `json:"entryType"`
	Reference    payment.Ref      `json:"reference"`
	Currency     payment.Currency `json:"currency"`
	Amount       payment.Amount   `json:"amount"` // below 0 for what goes back; the sign is our reading
	Before       payment.Amount   `json:"balanceBefore"`
	After        payment.Amount   `json:"balanceAfter"`
	Recipient    string           `json:"recipientHandle"`
}

// reportBody is a page of a report.
type reportBody struct {
	Cursor string     `json:"cursor,omitempty"`
	More   *bool      `json:"hasMore,omitempty"` // by dates only
	Later  bool       `json:"tryLater"`
	Items  []moveBody `json:"items"`
}

// report answers for ledgers and what is in them. A day of the ledger is one of
// UTC, and nothing is ever paid out, so the balance is what was taken in all.
func (t *Till) report(now time.Duration, in inbound) reply {
	if in.call == LedgerCall {
		return t.ledgers(in)
	}
	if in.part("ledger") != ledgerID {
		return t.problem(in, &Problem{Status: http.StatusNotFound, Title: "No ledger with this id"})
	}
	funds := in.part("topic") == "funds"
	if !funds && in.part("topic") != "fees" {
		return t.invalid(in, "topic", "must be one of funds, fees")
	}
	size, from, field := paging(in)
	if field != "" {
		return t.invalid(in, field, "not one of ours")
	}
	all := t.movements()
	if !funds {
		all = all[:0] // the Till takes no fees
	}
	if date := in.part("date"); date != "" {
		return t.day(now, in, all, date, size, from)
	}
	from = min(from, len(all))
	items := all[from:min(from+size, len(all))]
	return reply{status: http.StatusOK, kind: plainJSON, body: reportBody{
		Cursor: cursor(from + len(items)), Later: from+len(items) == len(all), Items: items,
	}}
}

// ledgers lists the one there is.
func (t *Till) ledgers(in inbound) reply {
	handle := "api:" + t.accept.MSN
	items := []any{}
	if want := in.query.Get("settlesForRecipientHandles"); want == "" || want == handle {
		items = append(items, map[string]any{
			"ledgerId": ledgerID, "currency": cmp.Or(t.book.Rules.Currency, payment.NOK), "settlesForRecipientHandles": []string{handle},
			"payoutBankAccount": map[string]string{"scheme": "BBAN:NO", "id": "00000000000"},
			"owner":             map[string]string{"scheme": "business:NO:ORG", "id": "000000000"},
		})
	}
	return reply{status: http.StatusOK, kind: plainJSON, body: map[string]any{"cursor": "", "items": items}}
}

// paging reads how much of a report is wanted, and from where; field names what
// cannot be read.
func paging(in inbound) (size, from int, field string) {
	const header = "Vipps-Feed-Page-Size"
	size = maxPage
	if text := in.header.Get(header); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return 0, 0, header
		}
		size = min(n, maxPage)
	}
	text := in.query.Get("cursor")
	if text == "" {
		return size, 0, ""
	}
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		from, err = strconv.Atoi(string(plain))
	}
	if err != nil || from < 0 || cursor(from) != text {
		return 0, 0, "cursor"
	}
	return size, from, ""
}

// cursor is a place in a list of movements. A client must not look into it.
func cursor(n int) string { return base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(n))) }

// day is what a report has of one day.
func (t *Till) day(now time.Duration, in inbound, all []moveBody, date string, size, from int) reply {
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return t.invalid(in, "ledgerDate", "must be YYYY-MM-DD")
	}
	today := t.wall(now).Format(time.DateOnly)
	if date > today {
		return t.problem(in, &Problem{Status: http.StatusNotFound, Title: "The report for this date is not available yet"})
	}
	items := slices.DeleteFunc(all, func(m moveBody) bool { return m.Date != date })
	from = min(from, len(items))
	rest := items[from:]
	more := len(rest) > size
	body := reportBody{More: &more, Later: date == today, Items: rest[:min(size, len(rest))]}
	if more {
		body.Cursor = cursor(from + size)
	}
	return reply{status: http.StatusOK, kind: plainJSON, body: body}
}

// movements are all entries there are, in their order.
func (t *Till) movements() []moveBody {
	list := make([]moveBody, 0, len(t.moves))
	var balance payment.Amount
	for _, m := range t.moves {
		at := t.wall(m.event.At)
		b := moveBody{
			PSPReference: pspNumber(m.event.PSP), Time: at.Format("2006-01-02T15:04:05.000000Z"), Date: at.Format(time.DateOnly),
			Type: "capture", Reference: m.ref, Currency: t.book.entries[m.ref].request.Currency,
			Amount: m.event.Amount, Before: balance, Recipient: "api:" + t.accept.MSN,
		}
		if m.event.Name == Refunded {
			b.Type, b.Amount = "refund", -b.Amount
		}
		balance += b.Amount
		b.After = balance
		list = append(list, b)
	}
	return list
}
