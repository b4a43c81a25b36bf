package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	"stolpe/display"
	"stolpe/payment"
)

// Entry is one line.
type Entry struct {
	Seq   uint64      `json:"seq"`   // 1, 2, 3 ...; given by Append
	At    int64       `json:"at"`    // when it was written, s since 1970
	Clock string      `json:"clock"` // how good the clock was
	Kind  Kind        `json:"kind"`
	EVSE  int         `json:"evse"` // number on the post; 0 for none
	Ref   payment.Ref `json:"ref,omitempty"`

	Sale    *Sale    `json:"sale,omitempty"` // of Sold and Ended
	Gap     *Gap     `json:"gap,omitempty"`  // of Void and Trimmed
	Told    string   `json:"told,omitempty"` // all, or never
	Refund  *Refund  `json:"refund,omitempty"`
	Session *Session `json:"session,omitempty"` // of what is said of a charge before it is settled
	Fault   *Fault   `json:"fault,omitempty"`
	Command *Command `json:"command,omitempty"`
	Post    *Post    `json:"post,omitempty"`
	Page    *page    `json:"page,omitempty"` // of the first line of a file
}

// Gap is numbers of sales documents, or of lines, from one to another, both included.
type Gap struct {
	From uint64 `json:"from"` // number of a document or a line
	To   uint64 `json:"to"`   // number of a document or a line
	Why  string `json:"why"`
}

// Refund is money to be given back, or given back.
type Refund struct {
	Key      string           `json:"key"`    // idempotency key
	Amount   payment.Amount   `json:"amount"` // minor units
	Currency payment.Currency `json:"currency"`
	Reason   string           `json:"reason"`
}

const crcMember = `,"crc":"`

// line writes the entry with its checksum and a line's end.
func (e Entry) line() ([]byte, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	b = b[:len(b)-1] // the closing brace
	b = fmt.Appendf(b, "%s%08x\"}\n", crcMember, checksum(b))
	if len(b) > maxLine {
		return nil, fmt.Errorf("has %d bytes: want at most %d", len(b), maxLine)
	}
	return b, nil
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// errRotten is what parse wraps.
var errRotten = errors.New("not as it was written")

// parse reads a line. An error wraps errRotten.
func parse(line []byte) (Entry, error) {
	body, tail, found := bytes.Cut(line, []byte(crcMember))
	if i := bytes.LastIndex(line, []byte(crcMember)); found && i > len(body) {
		body, tail = line[:i], line[i+len(crcMember):]
	}
	if !found || string(tail) != fmt.Sprintf("%08x\"}\n", checksum(body)) {
		return Entry{}, fmt.Errorf("%w: checksum", errRotten)
	}
	var e Entry
	if err := json.Unmarshal(append(body[:len(body):len(body)], '}'), &e); err != nil {
		return Entry{}, fmt.Errorf("%w: %w", errRotten, err)
	}
	e.Kind = e.Kind.today()
	if s := e.Sale; s != nil && (s.Why > display.LastEnd || s.Trouble > payment.LastReason || s.Price.VAT < 0) {
		return Entry{}, fmt.Errorf("%w: words that do not exist", errRotten)
	}
	if (e.Kind == pageKind) != (e.Page != nil) || e.Kind == Trimmed && (e.Gap == nil || e.Gap.To != e.Seq || e.Gap.From > e.Gap.To) {
		return Entry{}, fmt.Errorf("%w: a %s without what it says", errRotten, e.Kind)
	}
	return e, nil
}
