package frame

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func encoded(t rapid.TB, f Frame) []byte {
	t.Helper()
	b, err := Append(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFramesComeThroughNoise has frames of any content with anything before, between and
// after them, and reads them in pieces of any size.
func TestFramesComeThroughNoise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sent := rapid.SliceOfN(rapid.Custom(anyFrame), 1, 5).Draw(t, "frames")
		var stream []byte
		for _, f := range sent {
			stream = append(stream, noise(t)...)
			stream = append(stream, encoded(t, f)...)
		}
		r := NewReader(iotest.OneByteReader(bytes.NewReader(append(stream, noise(t)...))))
		// All are read before any is looked at: one must not be in another's place.
		var all []Frame
		for range sent {
			got, err := r.Next()
			if err != nil {
				t.Fatalf("frame %d of %d: %v", len(all)+1, len(sent), err)
			}
			all = append(all, got)
		}
		if diff := cmp.Diff(sent, all, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		if f, err := r.Next(); err == nil {
			t.Fatalf("read %+v, which nobody sent", f)
		}
	})
}

func anyFrame(t *rapid.T) Frame {
	return Frame{
		ID:   rapid.Uint32().Draw(t, "id"),
		Do:   rapid.SampledFrom([]string{Run, Put, Edge, Measure, ""}).Draw(t, "do"),
		Path: rapid.String().Draw(t, "path"),
		At:   time.Duration(rapid.Int64().Draw(t, "at")),
		High: rapid.Bool().Draw(t, "high"),
		Data: rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "data"),
	}
}

// noise is bytes that are no frame, with marks among them. It is shorter than what a header
// of noise may ask for, so that it cannot hide a frame for good.
func noise(t *rapid.T) []byte {
	return []byte(strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"x", "\xf5", "VM", "\n", "\xf5VM", "login: "}), 0, 6).Draw(t, "noise"), ""))
}

// TestACutFrameIsOvercomeByFlush is a machine that was reset while it spoke.
func TestACutFrameIsOvercomeByFlush(t *testing.T) {
	long := encoded(t, Frame{ID: 1, Data: bytes.Repeat([]byte{0xf5}, Most)})
	for _, cut := range []int{0, 1, header - 1, header, header + 5, len(long) - 1} {
		stream := append(bytes.Clone(long[:cut]), Flush()...)
		stream = append(stream, encoded(t, Frame{Do: Hello})...)
		// The line stays open: what is not there by now must not be waited for.
		got, err := NewReader(io.MultiReader(bytes.NewReader(stream), iotest.ErrReader(errors.New("waits for more")))).Next()
		if err != nil || got.Do != Hello {
			t.Errorf("cut after %d bytes of %d: %+v, %v; want a hello", cut, len(long), got, err)
		}
	}
}

// TestAFrameWithAWrongByteIsNone turns over each bit of a frame.
func TestAFrameWithAWrongByteIsNone(t *testing.T) {
	good := encoded(t, Frame{ID: 7, Do: Pull, Line: "GPIO17", High: true, Data: []byte("data")})
	for i := range len(good) * 8 {
		bad := bytes.Clone(good)
		bad[i/8] ^= 1 << (i % 8)
		stream := append(append(bad, Flush()...), encoded(t, Frame{Do: Hello})...)
		got, err := NewReader(bytes.NewReader(stream)).Next()
		if err != nil || got.Do != Hello {
			t.Errorf("bit %d of byte %d wrong: read %+v, %v; want the frame after it", i%8, i/8, got, err)
		}
	}
}

func TestTooMuchForAFrameIsAnError(t *testing.T) {
	for name, f := range map[string]Frame{
		"data":  {Data: make([]byte, Most+1)},
		"words": {Argv: []string{strings.Repeat("a", wordy)}},
	} {
		if b, err := Append(nil, f); err == nil || len(b) != 0 {
			t.Errorf("%s: %d bytes, %v; want an error that says what is too much", name, len(b), err)
		}
	}
	full := Frame{Data: make([]byte, Most), Argv: []string{strings.Repeat("a", wordy-len(`{"argv":[""]}`))}}
	if b := encoded(t, full); len(b) != whole || len(b) != len(Flush()) {
		t.Errorf("the largest frame has %d bytes, and Flush %d; want %d", len(b), len(Flush()), whole)
	}
}
