// Package frame is what a virtual machine and its host say to each other: the frames on
// the serial line between them, and the words in the frames.
//
// # Why
//
// The line outlives what is at its ends: a machine that is reset begins anew in the middle
// of whatever it said before. So a frame begins with a mark and carries a checksum, and a
// reader that finds neither goes on byte by byte until it finds a frame again. A guest that
// starts sends Flush first, more zeros than any frame has bytes, so that a reader that
// waits for the rest of a cut frame gets it, throws it away, and is at the next mark.
//
// A frame is small even where a file is large, so that a change of a line never waits for
// a file in front of it.
package frame

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// What a guest does when it is asked.
const (
	Run     = "run"     // the command Argv; answers with output and a code
	Kill    = "kill"    // the command that was asked for under the same ID
	Put     = "put"     // Data to the file Path; a frame with More goes on in the next
	Pull    = "pull"    // the line Line to High
	Persist = "persist" // whether a released output keeps its level: High
	Measure = "measure" // the time from Shot until a line is low
)

// What a guest says by itself.
const (
	Hello = "hello" // it is there, for the first time or again
	Edge  = "edge"  // Line is High since At
)

// Most is how many bytes of a file or an output one frame carries. Chosen by us: enough
// that a program of 13 MB takes some hundred frames.
const Most = 32 << 10

// Frame is one thing said, either way. Which fields count depends on Do.
type Frame struct {
	ID    uint32        `json:"id,omitempty"` // of the request, and of everything that answers it
	Do    string        `json:"do,omitempty"`
	Argv  []string      `json:"argv,omitempty"`
	Path  string        `json:"path,omitempty"`
	Mode  uint32        `json:"mode,omitempty"` // permission bits of a file
	More  bool          `json:"more,omitempty"` // what is not at its end yet
	Line  string        `json:"line,omitempty"`
	High  bool          `json:"high,omitempty"`
	Shot  *Shot         `json:"shot,omitempty"`
	Done  bool          `json:"done,omitempty"`  // the last answer to a request
	Code  int           `json:"code,omitempty"`  // of a command that ended; above 128 the signal that ended it
	Error string        `json:"error,omitempty"` // why a request could not be done
	Fault bool          `json:"fault,omitempty"` // Data is from the error output
	At    time.Duration `json:"at,omitempty"`    // CLOCK_MONOTONIC of the guest, or a measured time
	Data  []byte        `json:"-"`
}

// Shot is something that must open the contactor.
type Shot struct {
	What  string        `json:"what"`            // kill, stop, segv, oom: to the main process of Unit; pull: Input to High
	Unit  string        `json:"unit,omitempty"`  // of systemd
	Input string        `json:"input,omitempty"` // a line
	High  bool          `json:"high,omitempty"`  // what Input is pulled to
	Line  string        `json:"line"`            // that is low when the contactor is open
	Most  time.Duration `json:"most"`            // after which there is no answer any more
}

// BoardWord begins the word of the kernel's command line that holds the board: JSON in
// base64 for addresses, without padding.
const BoardWord = "stolpe.board="

// PortName is the name of the serial line in the guest.
const PortName = "stolpe.guest"

// Board is how a machine is put together, as its guest is told on the kernel's command line.
type Board struct {
	Label   string        `json:"label"`             // of the GPIO chip
	Watch   []string      `json:"watch,omitempty"`   // lines that are reported from the beginning
	Follow  []Contact     `json:"follow,omitempty"`  // auxiliary contacts
	Forward map[int]int   `json:"forward,omitempty"` // guest's port on its loopback to host's port
	USB     bool          `json:"usb,omitempty"`     // the serial line is on a USB adapter
	Wait    time.Duration `json:"wait,omitempty"`    // for the root file system's disk
}

// Contact is an auxiliary contact.
type Contact struct {
	Of    string        `json:"of"` // the line that drives the contactor
	Line  string        `json:"line"`
	After time.Duration `json:"after,omitempty"`
}

// What a frame is around its words.
const (
	mark   = "\xf5VM\n"      // begins each
	header = len(mark) + 3*4 // bytes: mark, length of the words, length of Data, checksum
	wordy  = 16 << 10        // bytes: more words than this are none
	whole  = header + wordy + Most
)

// Flush is what a guest that starts sends first.
func Flush() []byte { return make([]byte, whole) }

// Append puts f behind b as it goes over the line. An error says that f is larger than a
// frame may be.
func Append(b []byte, f Frame) ([]byte, error) {
	words, err := json.Marshal(f)
	if err != nil {
		return b, fmt.Errorf("encode a frame: %w", err)
	}
	if len(words) > wordy || len(f.Data) > Most {
		return b, fmt.Errorf("encode a frame: %d bytes of words and %d of data; at most %d and %d", len(words), len(f.Data), wordy, Most)
	}
	b = append(b, mark...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(words)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.Data)))
	b = binary.BigEndian.AppendUint32(b, crc32.Update(crc32.ChecksumIEEE(words), crc32.IEEETable, f.Data))
	return append(append(b, words...), f.Data...), nil
}

// Reader finds frames in a stream.
type Reader struct{ from *bufio.Reader }

// NewReader reads from r.
func NewReader(r io.Reader) *Reader { return &Reader{bufio.NewReaderSize(r, whole)} }

// Next is the next whole frame. What is none is passed over. Errors are those of the
// stream.
func (r *Reader) Next() (Frame, error) {
	for {
		head, err := r.from.Peek(header)
		if err != nil {
			return Frame{}, err
		}
		if !bytes.HasPrefix(head, []byte(mark)) {
			if _, err := r.from.Discard(toMark(head)); err != nil {
				return Frame{}, err
			}
			continue
		}
		words := int64(binary.BigEndian.Uint32(head[len(mark):]))
		data := int64(binary.BigEndian.Uint32(head[len(mark)+4:]))
		sum := binary.BigEndian.Uint32(head[len(mark)+8:])
		if words > wordy || data > Most {
			r.from.Discard(1)
			continue
		}
		size := header + int(words+data)
		b, err := r.from.Peek(size)
		if err != nil {
			return Frame{}, err
		}
		body := b[header:]
		var f Frame
		if crc32.ChecksumIEEE(body) != sum || json.Unmarshal(body[:words], &f) != nil {
			r.from.Discard(1)
			continue
		}
		f.Data = bytes.Clone(body[words:])
		_, err = r.from.Discard(size)
		return f, err
	}
}

// toMark is how many bytes go before the next mark may begin, at least one.
func toMark(b []byte) int {
	if i := bytes.IndexByte(b[1:], mark[0]); i >= 0 {
		return i + 1
	}
	return len(b)
}
