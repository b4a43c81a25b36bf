package modbus

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	goburrow "github.com/goburrow/modbus"

	"stolpe/hal/modbus/meters"
)

// mustRequest is a request over Modbus TCP, to be answered within a second.
func mustRequest(t testing.TB, unit, function byte, addr, count uint16) *request {
	t.Helper()
	return requestTo(t, encodeTCP, unit, function, addr, count)
}

func requestTo(t testing.TB, encode framing, unit, function byte, addr, count uint16) *request {
	t.Helper()
	limits := meters.Limits{MaxResponse: 1000}
	r, err := newRequest(&meters.Map{Limits: limits}, encode, unit, span{function, addr, int(addr) + int(count)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// stamp makes the request that of a transaction.
func stamp(r *request, id uint16) { binary.BigEndian.PutUint16(r.adu, id) }

func TestARequestIsEncodedAsTheStandardSays(t *testing.T) {
	r := mustRequest(t, 17, 4, 0x0034, 22)
	stamp(r, 0xBEEF)
	if want := []byte{0xBE, 0xEF, 0, 0, 0, 6, 17, 4, 0, 0x34, 0, 22}; !bytes.Equal(r.adu, want) {
		t.Errorf("% x, want % x", r.adu, want)
	}
	if r.String() != "registers 0x0034 to 0x0049" {
		t.Error(r)
	}
}

// The request is a read of two input registers of unit 1 in transaction 0x0102.
func TestOnlyTheAnswerToThisRequestIsTaken(t *testing.T) {
	r := mustRequest(t, 1, 4, 0x48, 2)
	stamp(r, 0x0102)
	if got, err := r.fromTCP([]byte{1, 2, 0, 0, 0, 7, 1, 4, 4, 9, 8, 7, 6}); err != nil || !bytes.Equal(got, []byte{9, 8, 7, 6}) {
		t.Fatalf("the right answer: % x, %v", got, err)
	}
	for _, c := range []struct {
		name, want string
		frame      []byte
	}{
		{"another transaction", "transaction", []byte{1, 3, 0, 0, 0, 7, 1, 4, 4, 9, 8, 7, 6}},
		{"another unit", "unit id '2'", []byte{1, 2, 0, 0, 0, 7, 2, 4, 4, 9, 8, 7, 6}},
		{"another function", "function 3", []byte{1, 2, 0, 0, 0, 7, 1, 3, 4, 9, 8, 7, 6}},
		{"fewer registers than asked", "want 4", []byte{1, 2, 0, 0, 0, 5, 1, 4, 2, 9, 8}},
		{"more registers than asked", "want 4", []byte{1, 2, 0, 0, 0, 9, 1, 4, 6, 9, 8, 7, 6, 5, 4}},
		{"a count that is not what follows", "counts 2", []byte{1, 2, 0, 0, 0, 7, 1, 4, 2, 9, 8, 7, 6}},
		{"a refusal", "illegal data address", []byte{1, 2, 0, 0, 0, 3, 1, 0x84, 2}},
		{"a refusal of another function", "function 131", []byte{1, 2, 0, 0, 0, 3, 1, 0x83, 2}},
		{"a refusal that goes on", "function 132", []byte{1, 2, 0, 0, 0, 4, 1, 0x84, 2, 0}},
	} {
		got, err := r.fromTCP(c.frame)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: % x, %v; want an error with %q", c.name, got, err, c.want)
		}
		if refused := (*goburrow.ModbusError)(nil); errors.As(err, &refused) != (c.name == "a refusal") {
			t.Errorf("%s: %v: wrongly told apart from a refusal", c.name, err)
		}
	}
}

func TestAFrameHasTheSizeItsHeaderSays(t *testing.T) {
	for _, c := range []struct {
		name string
		head []byte
		size int // 0: an error
	}{
		{"an exception, the shortest", []byte{0, 1, 0, 0, 0, 3, 1}, 9},
		{"the longest", []byte{0, 1, 0, 0, 0, 254, 1}, 260},
		{"one byte too long", []byte{0, 1, 0, 0, 0, 255, 1}, 0},
		{"far too long", []byte{0, 1, 0, 0, 255, 7, 1}, 0},
		{"without data", []byte{0, 1, 0, 0, 0, 2, 1}, 0},
		{"of length 0", []byte{0, 1, 0, 0, 0, 0, 1}, 0},
		{"another protocol", []byte{0, 1, 0, 1, 0, 7, 1}, 0},
	} {
		if got, err := frameSize(c.head); got != c.size || (err == nil) != (c.size != 0) {
			t.Errorf("%s: %d, %v; want %d", c.name, got, err, c.size)
		}
	}
}

// oneFrame is a transport for goburrow that has received a frame.
type oneFrame []byte

func (f oneFrame) Send([]byte) ([]byte, error) { return f, nil }

// FuzzFrame looks at any bytes as an answer. Whatever we take goburrow takes too,
// and it is exactly as long as what was asked; what we take for a refusal it does.
func FuzzFrame(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0, 0, 7, 1, 4, 4, 9, 8, 7, 6})
	f.Add([]byte{0, 1, 0, 0, 0, 5, 1, 4, 2, 9, 8})
	f.Add([]byte{0, 1, 0, 0, 0, 3, 1, 0x84, 2})
	f.Add([]byte{0, 1, 0, 0, 255, 255, 1})
	f.Fuzz(func(t *testing.T, bytes []byte) {
		if len(bytes) < headerSize {
			return
		}
		size, err := frameSize(bytes)
		if err != nil || size > len(bytes) {
			return
		}
		r := mustRequest(t, 1, 4, 0x48, 2)
		stamp(r, 1)
		got, err := r.fromTCP(bytes[:size])
		handler := goburrow.NewTCPClientHandler("")
		handler.SlaveId = 1 // its first transaction is 1, too
		theirs, theirErr := goburrow.NewClient2(handler, oneFrame(bytes[:size])).ReadInputRegisters(0x48, 2)
		if err == nil && (theirErr != nil || string(got) != string(theirs) || len(got) != 4) {
			t.Fatalf("% x: ours % x; goburrow % x, %v", bytes, got, theirs, theirErr)
		}
		if refused := (*goburrow.ModbusError)(nil); errors.As(err, &refused) && !errors.As(theirErr, &refused) {
			t.Fatalf("% x: ours %v; goburrow %v", bytes, err, theirErr)
		}
	})
}
