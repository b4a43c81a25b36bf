package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	"stolpe/agent/journal/card"
)

const owner = "A12/1"

// installed gives a card with a new journal of so many slots a file.
func installed(t testing.TB, slots int) *card.Card {
	t.Helper()
	c := card.New(slots * SlotSize)
	a, b := c.Files()
	if err := InstallFiles(a, b, slots, owner); err != nil {
		t.Fatal(err)
	}
	return c
}

// reopen opens the journal on c.
func reopen(t testing.TB, c *card.Card) (*Journal, Recovered) {
	t.Helper()
	a, b := c.Files()
	j, r, err := OpenFiles(a, b, owner)
	if err != nil {
		t.Fatal(err)
	}
	return j, r
}

// state is the payload of record n in these tests. Its length differs from that
// of its neighbours, up to the longest there may be.
func state(n uint64) []byte {
	if n == 0 {
		return nil // what installation leaves
	}
	return bytes.Repeat(fmt.Appendf(nil, "state %d;", n), MaxPayload/8)[:n*1237%(MaxPayload-16)+17]
}

// add appends record after record up to last.
func add(t testing.TB, j *Journal, last uint64) {
	t.Helper()
	for j.next <= last {
		if err := j.Append(state(j.next)); err != nil {
			t.Fatal(err)
		}
	}
}

// filled gives a card on which records up to last were appended.
func filled(t testing.TB, slots int, last uint64) *card.Card {
	t.Helper()
	c := installed(t, slots)
	j, _ := reopen(t, c)
	add(t, j, last)
	return c
}

// bytesAt gives the slot in which the record of that sequence belongs.
func bytesAt(t testing.TB, c *card.Card, slots int, sequence uint64) []byte {
	t.Helper()
	a, b := c.Files()
	file, slot := record{slots: uint32(slots), sequence: sequence}.place()
	buf := make([]byte, SlotSize)
	if _, err := []*card.File{a, b}[file].ReadAt(buf, int64(slot)*SlotSize); err != nil {
		t.Fatal(err)
	}
	return buf
}

// damaged reports whether the slot of that record holds neither a record of its
// own nor the zeros of a slot that was never reached.
func damaged(t testing.TB, c *card.Card, slots int, sequence uint64) bool {
	t.Helper()
	b, all := bytesAt(t, c, slots, sequence), 2*uint64(slots)
	r, err := decode(b)
	if err != nil {
		return sequence >= all || !blank(b)
	}
	return r.sequence%all != sequence%all
}

// expect demands what was recovered.
func expect(t testing.TB, r Recovered, doubt Doubt, newest uint64) {
	t.Helper()
	if r.Doubt != doubt || !bytes.Equal(r.Payload, state(newest)) {
		t.Fatalf("recovered %.12q, %v (%s), want record %d, %v", r.Payload, r.Doubt, r.Detail, newest, doubt)
	}
}

func TestTheNewestRecordIsRecovered(t *testing.T) {
	const slots = 4
	c := installed(t, slots)
	j, r := reopen(t, c)
	expect(t, r, New, 0)
	for n := uint64(1); n <= 5*slots; n++ {
		add(t, j, n)
		c.Cut(func(card.Op) card.Fate { return card.Fate{} })
		_, r = reopen(t, c)
		expect(t, r, Sound, n)
	}
}

func TestEveryRecordIsOneWholeSlotAndOneFlush(t *testing.T) {
	const slots = 4
	c := installed(t, slots)
	j, _ := reopen(t, c)
	var ops []card.Op
	c.Saw = func(op card.Op) { ops = append(ops, op) }
	add(t, j, 2*slots+1)
	for i, n := 0, uint64(1); n <= 2*slots+1; i, n = i+2, n+1 {
		file, slot := int(n/slots%2), int64(n%slots)
		want := [2]card.Op{{File: file, Offset: slot * SlotSize, Length: SlotSize}, {File: file, Sync: true}}
		if [2]card.Op(ops[i:i+2]) != want {
			t.Errorf("record %d: did %v, want %v", n, ops[i:i+2], want)
		}
	}
	if len(ops) != 2*(2*slots+1) {
		t.Errorf("%d operations for %d records", len(ops), 2*slots+1)
	}
}

func TestPayloadLimit(t *testing.T) {
	c := installed(t, 4)
	j, _ := reopen(t, c)
	before := c.Writes
	err := j.Append(make([]byte, MaxPayload+1))
	if !errors.Is(err, ErrTooLarge) || c.Writes != before {
		t.Fatalf("one byte too many: %v, %d writes", err, c.Writes-before)
	}
	if want := "journal: append 4009 bytes: a record holds at most 4008 bytes"; err.Error() != want {
		t.Errorf("message %q, want %q", err, want)
	}
	full := bytes.Repeat([]byte{0xff}, MaxPayload)
	for _, p := range [][]byte{full, {}, {0}} {
		if err := j.Append(p); err != nil {
			t.Fatalf("after a payload that was too large: %v", err)
		}
		if _, r := reopen(t, c); r.Doubt != Sound || !bytes.Equal(r.Payload, p) {
			t.Errorf("recovered %d bytes, %v, want %d bytes", len(r.Payload), r.Doubt, len(p))
		}
	}
}

func TestOwnerLimit(t *testing.T) {
	c := card.New(4 * SlotSize)
	a, b := c.Files()
	for _, bad := range []string{"", strings.Repeat("x", MaxOwner+1)} {
		if err := InstallFiles(a, b, 4, bad); err == nil {
			t.Errorf("installed for %q", bad)
		}
		if _, _, err := OpenFiles(a, b, bad); err == nil {
			t.Errorf("opened for %q", bad)
		}
	}
	long := strings.Repeat("x", MaxOwner)
	if err := InstallFiles(a, b, 4, long); err != nil {
		t.Fatal(err)
	}
	if _, r, _ := OpenFiles(a, b, long); r.Doubt != New {
		t.Errorf("longest owner: %v, %s", r.Doubt, r.Detail)
	}
}

// short is a file that writes less than it is told, and says nothing.
type short struct{ *card.File }

func (s short) WriteAt(p []byte, off int64) (int, error) { return s.File.WriteAt(p[:card.Sector], off) }

func TestFirstFailureIsFinal(t *testing.T) {
	for _, tt := range []struct {
		name  string
		sync  bool
		cause error
		want  string
	}{
		{"flush fails", true, syscall.EIO,
			"journal: append record 4 to file b slot 0: flush: input/output error (the journal takes no more records)"},
		{"write fails", false, syscall.EIO,
			"journal: append record 4 to file b slot 0: input/output error (the journal takes no more records)"},
		{"remounted read-only", false, syscall.EROFS,
			"journal: append record 4 to file b slot 0: read-only file system (the journal takes no more records)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := filled(t, 4, 2)
			j, _ := reopen(t, c)
			add(t, j, 3)
			c.Fault = func(op card.Op) error {
				if op.Sync == tt.sync {
					return tt.cause
				}
				return nil
			}
			err := j.Append(state(4))
			if !errors.Is(err, ErrFailed) || !errors.Is(err, tt.cause) || err.Error() != tt.want {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			c.Fault = nil // the card is well again; what it lost is lost
			writes, syncs := c.Writes, c.Syncs
			for range 3 {
				if again := j.Append(state(5)); again != err {
					t.Fatalf("later: %v", again)
				}
			}
			if c.Writes != writes || c.Syncs != syncs {
				t.Error("something was tried again after a failure")
			}
			c.Cut(func(card.Op) card.Fate { return card.Fate{} })
			_, r := reopen(t, c)
			expect(t, r, Sound, 3)
		})
	}
}

func TestShortWriteIsAFailure(t *testing.T) {
	c := filled(t, 4, 2)
	a, b := c.Files()
	j, _, _ := OpenFiles(short{a}, short{b}, owner)
	syncs := c.Syncs
	if err := j.Append(state(3)); !errors.Is(err, ErrFailed) || !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v", err)
	}
	if c.Syncs != syncs {
		t.Error("half a record was flushed")
	}
}

func TestGarbledEncodingIsNotWritten(t *testing.T) {
	c := filled(t, 4, 2)
	j, _ := reopen(t, c)
	j.owner = nil // as bad memory might have it
	writes := c.Writes
	if err := j.Append(state(3)); !errors.Is(err, ErrFailed) || !errors.Is(err, errEncoding) {
		t.Errorf("got %v", err)
	}
	if c.Writes != writes {
		t.Error("it was written")
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	j, _ := reopen(t, installed(t, 8))
	p := state(7)
	if n := testing.AllocsPerRun(100, func() {
		if err := j.Append(p); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a record", n)
	}
}

func TestCloseClosesBothFiles(t *testing.T) {
	c := installed(t, 4)
	a, b := c.Files()
	x, y := &closing{File: a, err: io.ErrClosedPipe}, &closing{File: b}
	j, _, _ := OpenFiles(x, y, owner)
	if err := j.Close(); !errors.Is(err, io.ErrClosedPipe) || x.times != 1 || y.times != 1 {
		t.Errorf("closed %d and %d times, %v", x.times, y.times, err)
	}
}

// closing counts how often it is closed.
type closing struct {
	*card.File
	times int
	err   error
}

func (c *closing) Close() error { c.times++; return c.err }
