package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// The NBD protocol, fixed newstyle, as far as qemu speaks it:
// https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
const (
	magicServer  = 0x4e42444d41474943 // "NBDMAGIC"
	magicOption  = 0x49484156454f5054 // "IHAVEOPT"
	magicReply   = 0x0003e889045565a9 // to an option
	magicRequest = 0x25609513
	magicSimple  = 0x67446698 // reply to a request

	fixedNewstyle = 1 << 0 // handshake flags, of both sides
	noZeroes      = 1 << 1

	optExport = 1
	optAbort  = 2
	optInfo   = 6
	optGo     = 7

	repAck         = 1
	repInfo        = 3
	repUnsupported = 1<<31 | 1

	infoExport = 0
	infoBlocks = 3

	canFlags = 1 << 0 // transmission flags
	canFlush = 1 << 2
	canFUA   = 1 << 3

	cmdRead  = 0
	cmdWrite = 1
	cmdLeave = 2
	cmdFlush = 3

	flagFUA = 1 << 0 // of a write: on the medium before the answer

	eIO    = 5 // errors as the protocol numbers them
	eINVAL = 22

	preferred = 4096    // bytes; what guests use by themselves
	largest   = 1 << 25 // bytes of one request: qemu's own most
	maxOption = 1 << 12 // bytes of an option: a name has at most 4096
)

var (
	errSpeak = errors.New("not the NBD protocol")
	errLeft  = errors.New("the client has left")
)

// greet speaks the handshake, until the client asks for the disk.
func greet(c net.Conn, size int64) error {
	hello := binary.BigEndian.AppendUint64(nil, magicServer)
	hello = binary.BigEndian.AppendUint64(hello, magicOption)
	if _, err := c.Write(binary.BigEndian.AppendUint16(hello, fixedNewstyle|noZeroes)); err != nil {
		return err
	}
	var flags uint32
	if err := binary.Read(c, binary.BigEndian, &flags); err != nil {
		return err
	}
	for {
		var o struct {
			Magic        uint64
			Kind, Length uint32
		}
		if err := binary.Read(c, binary.BigEndian, &o); err != nil {
			return err
		}
		if o.Magic != magicOption || o.Length > maxOption {
			return fmt.Errorf("option %x of %d bytes: %w", o.Magic, o.Length, errSpeak)
		}
		if _, err := io.CopyN(io.Discard, c, int64(o.Length)); err != nil {
			return err
		}
		done, err := option(c, o.Kind, flags, size)
		if done || err != nil {
			return err
		}
	}
}

// option answers one option, and says whether it was the last. There is one disk, so
// its name does not matter.
func option(c net.Conn, kind, flags uint32, size int64) (done bool, err error) {
	export := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint64(nil, uint64(size)), canFlags|canFlush|canFUA)
	reply := func(what uint32, data []byte) {
		b := binary.BigEndian.AppendUint64(nil, magicReply)
		b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, kind), what)
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(data))), data...)
		if err == nil {
			_, err = c.Write(b)
		}
	}
	switch kind {
	case optExport:
		if flags&noZeroes == 0 {
			export = append(export, make([]byte, 124)...)
		}
		_, err = c.Write(export)
		return true, err
	case optInfo, optGo:
		reply(repInfo, append(binary.BigEndian.AppendUint16(nil, infoExport), export...))
		blocks := binary.BigEndian.AppendUint16(nil, infoBlocks)
		for _, n := range []uint32{sector, preferred, largest} {
			blocks = binary.BigEndian.AppendUint32(blocks, n)
		}
		reply(repInfo, blocks)
		reply(repAck, nil)
		return kind == optGo, err
	case optAbort:
		reply(repAck, nil)
		return true, errors.Join(err, errLeft)
	}
	reply(repUnsupported, nil)
	return false, err
}

// request is what a client asks of the disk.
type request struct {
	Magic  uint32 // magicRequest
	Flags  uint16 // of the command
	Kind   uint16 // the command
	Handle uint64 // the client's own name for it, sent back
	At     uint64 // bytes from the disk's beginning
	Length uint32 // bytes
}

// next reads a request, and with a write its data.
func next(c io.Reader) (q request, data []byte, err error) {
	if err := binary.Read(c, binary.BigEndian, &q); err != nil {
		return q, nil, err
	}
	if q.Magic != magicRequest || q.Length > largest {
		return q, nil, fmt.Errorf("request %x of %d bytes: %w", q.Magic, q.Length, errSpeak)
	}
	if q.Kind == cmdWrite {
		data = make([]byte, q.Length)
		_, err = io.ReadFull(c, data)
	}
	return q, data, err
}

// answer sends what came of a request: an error's number, or data.
func answer(c net.Conn, q request, number uint32, data []byte) error {
	b := make([]byte, 0, 16+len(data))
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, magicSimple), number)
	b = append(binary.BigEndian.AppendUint64(b, q.Handle), data...)
	_, err := c.Write(b)
	return err
}
