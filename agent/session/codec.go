package session

import (
	"encoding/binary"
	"errors"
	"fmt"

	"stolpe/display"
	"stolpe/payment"
)

// format is the version of the encoding of Kept. A reader refuses what it does
// not know; a newer version must go on reading this one.
const format = 3

// The formats that first told of something.
const (
	firstWithWear     = 2 // Kept.Wear
	firstWithReceipts = 3 // Kept.Receipts, and what goes with it
)

// Limits of what is decoded, so that damaged bytes cannot ask for memory.
const (
	maxText  = 64 // bytes of a serial number or a currency
	maxDebts = 2 * MaxDebts
)

// What Decode wraps when it cannot read the bytes.
var (
	ErrFormat = errors.New("not a kept state")
	ErrLater  = errors.New("a later version of the program has written it") // and nothing may be written over it
)

// Append writes k behind b. Numbers are varints: a post at rest needs some fifty
// bytes, one with all its debts less than half a journal slot.
func (k *Kept) Append(b []byte) []byte {
	c := coder{b: append(b, format), version: format}
	c.kept(k)
	return c.b
}

// Decode reads what Append wrote. An error wraps ErrFormat.
func Decode(b []byte) (Kept, error) {
	if len(b) > 0 && b[0] > format {
		return Kept{}, fmt.Errorf("%w: %w: format %d, this program reads 1 to %d", ErrFormat, ErrLater, b[0], format)
	}
	if len(b) == 0 || b[0] == 0 {
		return Kept{}, fmt.Errorf("%w: want format 1 to %d, found % .4x", ErrFormat, format, b)
	}
	var k Kept
	c := coder{b: b[1:], version: b[0], reading: true}
	c.kept(&k)
	if c.failed || len(c.b) != 0 {
		return Kept{}, fmt.Errorf("%w: cut short or too long", ErrFormat)
	}
	return k, nil
}

// coder walks over a Kept and writes or reads each field it meets. One walk for
// both ways, so they cannot differ.
type coder struct {
	b       []byte
	version byte
	reading bool
	failed  bool
}

func (c *coder) kept(k *Kept) {
	number(c, &k.Phase)
	number(c, &k.Counter)
	number(c, &k.Boots)
	number(c, &k.Misses)
	number(c, &k.Latched)
	text(c, &k.Serial)
	number(c, &k.Resting)
	c.charge(&k.Charge)
	c.debts(&k.Debts)
	c.debts(&k.Done)
	if c.version >= firstWithWear {
		number(c, &k.Wear.Closings)
		number(c, &k.Wear.Hot)
		number(c, &k.Wear.Opening)
		number(c, &k.Wear.Slowest)
	}
	if c.version >= firstWithReceipts {
		number(c, &k.Receipts)
	}
	if c.reading && k.Phase >= phases {
		c.failed = true
	}
}

func (c *coder) charge(x *Charge) {
	number(c, &x.Number)
	if x.Number == 0 {
		return // no charge
	}
	c.bytes(x.Holder[:])
	c.price(&x.Price)
	number(c, &x.Limit)
	boolean(c, &x.Held)
	number(c, &x.Start)
	number(c, &x.Seen)
	number(c, &x.End)
	number(c, &x.Elapsed)
	number(c, &x.Idle)
	number(c, &x.Started.Unix)
	number(c, &x.Started.Clock)
	number(c, &x.Ended.Unix)
	number(c, &x.Ended.Clock)
	number(c, &x.Why)
	number(c, &x.Writes)
	boolean(c, &x.Gathered)
	if c.version >= firstWithReceipts {
		number(c, &x.Guaranteed)
	}
	// Words that do not exist, and a VAT that divides by zero, would end the program.
	c.failed = c.failed || x.Why > display.LastEnd || x.Price.VAT < 0
}

func (c *coder) price(p *payment.Price) {
	text(c, &p.Currency)
	number(c, &p.VAT)
	number(c, &p.KWh)
	number(c, &p.Minute)
	number(c, &p.Session)
	number(c, &p.Idle.After)
	number(c, &p.Idle.Minute)
	number(c, &p.Idle.Cap)
}

func (c *coder) debts(ds *[]Debt) {
	n := len(*ds)
	number(c, &n)
	if c.reading {
		if n < 0 || n > maxDebts {
			c.failed = true
		}
		if c.failed || n == 0 {
			return
		}
		*ds = make([]Debt, n)
	}
	for i := range *ds {
		d := &(*ds)[i]
		c.charge(&d.Charge)
		number(c, &d.Due)
		number(c, &d.Attempt)
		number(c, &d.Trouble)
		number(c, &d.Captured)
		number(c, &d.Released)
		if c.version >= firstWithReceipts {
			number(c, &d.Closed.Unix)
			number(c, &d.Closed.Clock)
			number(c, &d.Receipt)
			number(c, &d.Told)
		}
		c.failed = c.failed || d.Trouble > payment.LastReason || d.Told >= tolds
	}
}

func number[T ~int | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64](c *coder, v *T) {
	if !c.reading {
		c.b = binary.AppendVarint(c.b, int64(*v))
		return
	}
	x, n := binary.Varint(c.b)
	if n <= 0 || int64(T(x)) != x {
		c.failed = true
		c.b = nil
		return
	}
	*v, c.b = T(x), c.b[n:]
}

func boolean(c *coder, v *bool) {
	var n uint8
	if *v {
		n = 1
	}
	number(c, &n)
	if c.reading { // what is written may be read elsewhere at the same time
		*v = n == 1
	}
	c.failed = c.failed || n > 1
}

func text[T ~string](c *coder, v *T) {
	n := len(*v)
	number(c, &n)
	if !c.reading {
		c.b = append(c.b, *v...)
		return
	}
	if n < 0 || n > maxText || n > len(c.b) {
		c.failed = true
		return
	}
	*v, c.b = T(c.b[:n]), c.b[n:]
}

func (c *coder) bytes(v []byte) {
	if !c.reading {
		c.b = append(c.b, v...)
		return
	}
	if len(c.b) < len(v) {
		c.failed = true
		return
	}
	c.b = c.b[copy(v, c.b):]
}
