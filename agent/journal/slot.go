package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// SlotSize is the size of a slot in bytes: the page of the kernel and the block
// of ext4, which are written whole anyway.
const SlotSize = 4096

// MaxPayload is the most a record holds, in bytes.
const MaxPayload = SlotSize - atPayload

// MaxOwner is the longest owner, in bytes. Chosen by us.
const MaxOwner = atPayload - atOwner - 1

// What a slot holds and where, in bytes from its beginning; numbers are
// little-endian. The first three keep their places in every later version.
const (
	atMagic      = 0  // 4 bytes
	atSum        = 4  // uint32: CRC-32C of everything after it
	atVersion    = 8  // uint16
	atLength     = 10 // uint16: of the payload
	atSlots      = 12 // uint32: slots in each file
	atGeneration = 16 // uint64: how often a file was begun before
	atSequence   = 24 // uint64: of the record; 0 is the installation's
	atSince      = 32 // uint64: from this sequence on nothing is missing
	atOwner      = 40 // a byte of length, 47 of text
	atPayload    = 88 // the rest is zero
)

const (
	magic   = "STLJ"
	version = 1
)

// Limits of the number of slots in a file. Chosen by us: fewer than four leave no
// room to step over a damaged one; the upper limit bounds the work of opening.
const (
	minSlots = 4
	maxSlots = 4096
)

// Why a slot holds no good record.
var (
	errMagic    = errors.New("does not begin like a record")
	errChecksum = errors.New("checksum does not match")
	errShape    = errors.New("contradicts itself")
	errPlace    = errors.New("holds a record that belongs elsewhere")
	// errVersion is no damage: a later program wrote it.
	errVersion = errors.New("format of another version")
)

// record is what a slot holds.
type record struct {
	slots    uint32 // in each file
	sequence uint64 // its place among all records, from 0
	since    uint64 // sequence from which on nothing is missing
	owner    []byte
	payload  []byte
}

// place is where the record belongs.
func (r record) place() (file, slot int) {
	n := uint64(r.slots)
	return int(r.sequence / n % 2), int(r.sequence % n)
}

// encode fills the slot b with r, whose owner and payload must not be too long.
func (r record) encode(b *[SlotSize]byte) {
	le := binary.LittleEndian
	copy(b[atMagic:], magic)
	le.PutUint16(b[atVersion:], version)
	le.PutUint16(b[atLength:], uint16(len(r.payload)))
	le.PutUint32(b[atSlots:], r.slots)
	le.PutUint64(b[atGeneration:], r.sequence/uint64(r.slots))
	le.PutUint64(b[atSequence:], r.sequence)
	le.PutUint64(b[atSince:], r.since)
	b[atOwner] = byte(len(r.owner))
	clear(b[atOwner+1+copy(b[atOwner+1:atPayload], r.owner) : atPayload])
	clear(b[atPayload+copy(b[atPayload:], r.payload):])
	le.PutUint32(b[atSum:], checksum(b[:]))
}

// decode reads the slot b. The record's owner and payload are parts of b. It
// returns errMagic, errChecksum or errShape for a damaged slot and errVersion for
// one of another format. Only what encode would write is accepted.
func decode(b []byte) (record, error) {
	le := binary.LittleEndian
	switch {
	case string(b[atMagic:atSum]) != magic:
		return record{}, errMagic
	case le.Uint32(b[atSum:]) != checksum(b):
		return record{}, errChecksum
	case le.Uint16(b[atVersion:]) != version:
		return record{}, errVersion
	}
	r := record{
		slots:    le.Uint32(b[atSlots:]),
		sequence: le.Uint64(b[atSequence:]),
		since:    le.Uint64(b[atSince:]),
	}
	length, owner := int(le.Uint16(b[atLength:])), int(b[atOwner])
	if length > MaxPayload || owner < 1 || owner > MaxOwner || r.slots < minSlots || r.slots > maxSlots {
		return record{}, errShape
	}
	if le.Uint64(b[atGeneration:]) != r.sequence/uint64(r.slots) || r.since > r.sequence {
		return record{}, errShape
	}
	ownerEnd, payloadEnd := atOwner+1+owner, atPayload+length
	if !blank(b[ownerEnd:atPayload]) || !blank(b[payloadEnd:]) {
		return record{}, errShape
	}
	r.owner, r.payload = b[atOwner+1:ownerEnd], b[atPayload:payloadEnd]
	return r, nil
}

// checksum covers the slot b from the field after the checksum on. The magic
// before it is compared byte by byte.
func checksum(b []byte) uint32 {
	return crc32.Checksum(b[atVersion:], crc32.MakeTable(crc32.Castagnoli))
}

// blank reports whether b is all zero.
func blank(b []byte) bool {
	return len(b) == 0 || b[0] == 0 && bytes.Equal(b[:len(b)-1], b[1:])
}
