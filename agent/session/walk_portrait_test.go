package session

import (
	"hash/maphash"
	"reflect"
	"slices"
	"time"

	"stolpe/hal"
)

// portrait draws a state so that two states look alike if they will behave
// alike: instants as classes of age, registers as distances from the true one,
// charges by how far back they are. The zero portrait leaves nothing out.
type portrait struct {
	features features // nil draws everything as it is
	now      time.Duration
	register hal.Energy
	counter  uint64
}

// hash is of the portrait of a spot.
func (w *walker) hash(p *spot) uint64 {
	picture := portrait{features: w.features, now: p.now, register: p.register, counter: p.state.Counter}
	b := picture.draw(make([]byte, 0, 512), reflect.ValueOf(&p.state).Elem())
	for _, o := range p.flights {
		b = append(b, byte(o.Verb), byte(p.state.Counter-o.Ref.Number()))
	}
	b = append(b, byte(min(2, p.state.Counter-p.stopped)))
	return maphash.Bytes(w.seed, b)
}

// blind are the fields by which nothing is decided, or which follow from others:
// names, people, prices, what was, and how long it took.
var blind = map[string]bool{
	"seq": true, "sequence": true, "Done": true, "Holder": true, "back": true, "Started": true, "Ended": true,
	"Price": true, "Limit": true, "Counter": true, "Serial": true, "Elapsed": true, "Idle": true, "idle": true,
	"spoken": true, "power": true, "Boots": true, "Wear": true, "switched": true, "below": true, "stood": true,
	"Cut": true, "Opened": true, "Register": true, "links": true, "series": true, "way": true, "phone": true, "Receipts": true, "Guaranteed": true, "calm": true,
}

// blindDebt are those that no longer matter once a charge has ended.
var blindDebt = map[string]bool{"Start": true, "Seen": true, "End": true, "Why": true, "Captured": true, "Released": true}

// feature is a field that is looked at, and how.
type feature struct {
	index int
	look  look
}

type look uint8

const (
	closely look = iota
	there        // whether it is anything at all
	aFew         // up to three
	ago          // a charge's number, from the newest back
	recent       // what is over in a moment
)

var looks = map[string]look{"Due": there, "url": there, "Writes": aFew, "tries": aFew, "Misses": aFew, "Attempt": aFew, "Number": ago, "Ordered": there, "Closed": there, "Begun": recent}

// features are the fields of every struct type in a State, worked out once,
// because reflection is slow at telling names.
type features map[reflect.Type][]feature

func (f features) learn(t reflect.Type, debt bool) features {
	switch t.Kind() {
	case reflect.Slice, reflect.Array, reflect.Pointer:
		f.learn(t.Elem(), debt)
	case reflect.Struct:
		debt = debt || t == typeDebt
		f[t] = nil
		for i := range t.NumField() {
			field := t.Field(i)
			if blind[field.Name] || debt && blindDebt[field.Name] {
				continue
			}
			f[t] = append(f[t], feature{i, looks[field.Name]})
			f.learn(field.Type, debt && t == typeDebt && field.Anonymous)
		}
	}
	return f
}

var (
	typeDuration = reflect.TypeFor[time.Duration]()
	typeEnergy   = reflect.TypeFor[hal.Energy]()
	typeDebt     = reflect.TypeFor[Debt]()
)

// draw adds v to b.
func (c portrait) draw(b []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Struct:
		if c.features == nil {
			for i := range v.NumField() {
				b = c.draw(b, v.Field(i))
			}
			return b
		}
		for _, f := range c.features[v.Type()] {
			b = c.feature(b, f.look, v.Field(f.index))
		}
	case reflect.Pointer:
		if v.IsNil() {
			return append(b, 0)
		}
		return c.draw(append(b, 1), v.Elem())
	case reflect.Slice, reflect.Array:
		b = append(b, byte(v.Len()))
		for i := range v.Len() {
			b = c.draw(b, v.Index(i))
		}
	case reflect.String:
		b = append(append(b, byte(v.Len())), v.String()...)
	case reflect.Bool:
		b = append(b, truth(v.Bool()))
	case reflect.Int, reflect.Int64:
		b = whole(b, c.number(v))
	default:
		b = whole(b, int64(v.Uint()))
	}
	return b
}

func (c portrait) feature(b []byte, l look, v reflect.Value) []byte {
	switch l {
	case there:
		return append(b, truth(!v.IsZero()))
	case aFew:
		return append(b, byte(min(3, v.Uint())))
	case ago:
		return append(b, byte(c.counter-v.Uint()))
	case recent:
		return append(b, truth(v.Int() > 0 && c.now-time.Duration(v.Int()) < TestFor))
	}
	return c.draw(b, v)
}

func (c portrait) number(v reflect.Value) int64 {
	n := v.Int()
	switch {
	case c.features == nil, n == 0:
		return n
	case v.Type() == typeEnergy:
		return 100 + max(-6, min(6, n-int64(c.register)))
	case v.Type() == typeDuration:
		return 1 + class(c.now-time.Duration(n))
	}
	return n
}

// ages are where something may begin or end by the rules.
var ages = []time.Duration{
	-time.Hour, -15 * time.Minute, -time.Minute, -40 * time.Second, -20 * time.Second, -time.Second, time.Second, MoveWithin, SenseWithin, soon,
	refill, freshFor, MeterWithin, unheardWithin, frozenAfter, FinalWithin, tombstone,
}

func class(age time.Duration) int64 {
	i, _ := slices.BinarySearch(ages, age.Round(time.Second))
	return int64(i)
}

func truth(t bool) byte {
	if t {
		return 1
	}
	return 0
}

func whole(b []byte, n int64) []byte {
	for ; n >= 0x80 || n < 0; n = int64(uint64(n) >> 7) {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}
