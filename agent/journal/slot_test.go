package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// sealedSlot gives the slot of a record, after change, with a checksum that fits.
func sealedSlot(change func(b []byte)) []byte {
	var b [SlotSize]byte
	record{slots: 8, sequence: 21, since: 3, owner: []byte(owner), payload: []byte("state")}.encode(&b)
	change(b[:])
	binary.LittleEndian.PutUint32(b[atSum:], checksum(b[:]))
	return b[:]
}

func TestDecodeAcceptsOnlyWhatEncodeWrites(t *testing.T) {
	le := binary.LittleEndian
	for _, tt := range []struct {
		name   string
		change func(b []byte)
		want   error
	}{
		{"as written", func([]byte) {}, nil},
		{"other beginning", func(b []byte) { b[0] = 's' }, errMagic},
		{"later format", func(b []byte) { b[atVersion] = 2 }, errVersion},
		{"payload too long", func(b []byte) { le.PutUint16(b[atLength:], MaxPayload+1) }, errShape},
		{"payload ends early", func(b []byte) { b[atLength]-- }, errShape},
		{"no owner", func(b []byte) { b[atOwner] = 0 }, errShape},
		{"owner too long", func(b []byte) { b[atOwner] = MaxOwner + 1 }, errShape},
		{"owner ends early", func(b []byte) { b[atOwner]-- }, errShape},
		{"too few slots", func(b []byte) { le.PutUint32(b[atSlots:], minSlots-1) }, errShape},
		{"too many slots", func(b []byte) { le.PutUint32(b[atSlots:], maxSlots+1) }, errShape},
		{"other generation", func(b []byte) { b[atGeneration]++ }, errShape},
		{"since the future", func(b []byte) { b[atSince] = 22 }, errShape},
		{"dirty padding", func(b []byte) { b[SlotSize-1] = 1 }, errShape},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := decode(sealedSlot(tt.change))
			if err != tt.want {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if err == nil && (r.sequence != 21 || r.since != 3 || r.slots != 8 || string(r.owner) != owner || string(r.payload) != "state") {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func TestEveryByteOfASlotIsGuarded(t *testing.T) {
	good := sealedSlot(func([]byte) {})
	for i := range SlotSize * 8 {
		b := bytes.Clone(good)
		b[i/8] ^= 1 << (i % 8)
		if _, err := decode(b); !errors.Is(err, errMagic) && !errors.Is(err, errChecksum) {
			t.Fatalf("bit %d flipped: %v", i, err)
		}
	}
}

// A slot with a fitting checksum is either refused or is exactly what encode
// makes of what was read from it.
func FuzzDecode(f *testing.F) {
	f.Add(sealedSlot(func([]byte) {}), true)
	f.Add(sealedSlot(func(b []byte) { b[atVersion] = 9 }), true)
	f.Add(sealedSlot(func(b []byte) { b[SlotSize-1] = 9 }), false)
	f.Add([]byte(magic), true)
	f.Fuzz(func(t *testing.T, head []byte, seal bool) {
		var b, again [SlotSize]byte
		copy(b[:], head)
		if seal {
			copy(b[:], magic)
			binary.LittleEndian.PutUint32(b[atSum:], checksum(b[:]))
		}
		r, err := decode(b[:])
		if err != nil {
			return
		}
		if r.encode(&again); again != b {
			t.Errorf("%+v encodes to something else", r)
		}
	})
}
