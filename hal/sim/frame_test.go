package sim

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"testing"
	"time"
)

// Check sums that others have published: the catalogue of CRC algorithms for
// CRC-16/MODBUS, appendix B of MODBUS over Serial Line 1.02, and an example that
// stands in many manuals.
func TestTheCheckSumIsThatOfTheSpecification(t *testing.T) {
	for _, c := range []struct {
		data string
		want uint16
	}{
		{"123456789", 0x4B37},
		{"\x02\x07", 0x1241},
		{"\x01\x03\x00\x00\x00\x0A", 0xCDC5},
		{"", 0xFFFF},
	} {
		if got := crc([]byte(c.data)); got != c.want {
			t.Errorf("%q: %#04x, want %#04x", c.data, got, c.want)
		}
	}
	frame := sealRTU([]byte{1, 3, 0, 0, 0, 10})
	if want := []byte{1, 3, 0, 0, 0, 10, 0xC5, 0xCD}; !bytes.Equal(frame, want) || !sound(frame) {
		t.Errorf("% x, want % x", frame, want)
	}
	for _, broken := range [][]byte{nil, {0xFF}, {0xFF, 0xFF}, {1, 3, 0, 0, 0, 10, 0xCD, 0xC5}} {
		if sound(broken) {
			t.Errorf("% x is taken for a frame", broken)
		}
	}
}

// FuzzServer: whatever a client sends, the answer is a frame whose length is right,
// or there is none.
func FuzzServer(f *testing.F) {
	f.Add(request(readInput, 0x34, 22))
	f.Add(request(readHolding, 0xFC00, 2))
	f.Add([]byte{0, 0, 0, 0, 0, 2, 7, 4})
	var c Clock
	m, err := newMeters(TCP, Units{7: SDM630(NewRig(Setup{Serial: "x"}, c.Now))})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		if len(frame) < 8 || len(frame) > 260 { // receiveTCP lets no other pass
			return
		}
		answer := sealTCP(m.answer(bytes.Clone(frame[:headerSize]), frame[headerSize:]))
		if len(answer) < 9 || int(binary.BigEndian.Uint16(answer[4:])) != len(answer)-6 || !bytes.Equal(answer[:4], frame[:4]) {
			t.Fatalf("% x is answered by % x", frame, answer)
		}
	})
}

// recorded is a master that says one thing after another and goes. Between them
// it is silent, if it is not in a hurry.
type recorded struct {
	says  [][]byte
	hurry bool
	idle  bool // nothing has been said that is not done with
	came  bytes.Buffer
}

func (r *recorded) Read(to []byte) (int, error) {
	switch {
	case len(r.says) == 0:
		return 0, io.EOF
	case !r.idle && (!r.hurry || len(r.says) == 1):
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(to, r.says[0])
	r.says = r.says[1:]
	return n, nil
}

func (r *recorded) SetReadDeadline(at time.Time) error {
	r.idle = time.Until(at) > time.Minute
	return nil
}

func (r *recorded) Write(b []byte) (int, error)    { return r.came.Write(b) }
func (*recorded) Close() error                     { return nil }
func (*recorded) SetWriteDeadline(time.Time) error { return nil }

func TestAFrameLongerThanAFrameCanBeIsNotOne(t *testing.T) {
	long := make([]byte, 254)
	long[0], long[1] = 7, 0x10 // write multiple registers
	for extra, want := range [][]byte{{0x07, 0x90, 0x01, 0x6D, 0xC1}, nil} {
		m, err := newMeters(RTUOverTCP, Units{7: refusing{}})
		if err != nil {
			t.Fatal(err)
		}
		master := &recorded{says: [][]byte{sealRTU(append(bytes.Clone(long), make([]byte, extra)...)), {0}}}
		(&talk{meters: &m, conn: master}).run()
		if came := master.came.Bytes(); !bytes.Equal(came, want) {
			t.Errorf("%d bytes are answered by % x, want % x", len(long)+2+extra, came, want)
		}
	}
}

// refusing is a meter that knows no register.
type refusing struct{}

func (refusing) Registers([]byte, byte, uint16, uint16) ([]byte, byte, bool) {
	return nil, illegalAddress, true
}

func TestARefusalNeedsNothingButItsCode(t *testing.T) {
	m, err := newMeters(RTU, Units{7: refusing{}})
	if err != nil {
		t.Fatal(err)
	}
	if said := m.answer([]byte{9}, []byte{7, 4, 0, 0, 0, 2}); !bytes.Equal(said, []byte{9, 7, 0x84, illegalAddress}) {
		t.Errorf("% x", said)
	}
}

// FuzzLine: whatever comes over a line, all that is answered is whole frames of
// the unit that is there, and a good request after it is answered.
func FuzzLine(f *testing.F) {
	good := []byte{0x07, 0x04, 0x00, 0x34, 0x00, 0x02, 0x30, 0x63}
	f.Add(good, good, false)
	f.Add(good[:5], good[5:], true)
	f.Add([]byte{0x07, 0x11, 0xC3, 0x8C}, bytes.Repeat([]byte{7}, 1023), true)
	var c Clock
	m, err := newMeters(RTUOverTCP, Units{7: SDM630(NewRig(Setup{Serial: "x"}, c.Now))})
	if err != nil {
		f.Fatal(err)
	}
	answer := sealRTU([]byte{0x07, 0x04, 4, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, first, second []byte, hurry bool) {
		master := &recorded{hurry: hurry}
		for _, b := range [][]byte{first, second, good} {
			if len(b) > 0 {
				master.says = append(master.says, b)
			}
		}
		(&talk{meters: &m, conn: master}).run()
		came := master.came.Bytes()
		if !bytes.HasSuffix(came, answer) {
			t.Fatalf("% x: the last answer is missing", came)
		}
		for rest := came; len(rest) > 0; {
			size := 5 // a refusal
			if rest[1]&0x80 == 0 {
				size += int(rest[2])
			}
			if size > len(rest) || !sound(rest[:size]) || rest[0] != 7 {
				t.Fatalf("% x: not an answer", rest)
			}
			rest = rest[size:]
		}
	})
}
