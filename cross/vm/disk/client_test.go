package disk

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// guest is an NBD client that is written from the protocol's text, not from the
// server, with numbers of its own.
type guest struct {
	t      *testing.T
	c      net.Conn
	size   uint64
	handle uint64
}

// image makes an image of so many sectors, each full of its own letter, and a disk of
// it.
func image(t *testing.T, sectors int) (d *Disk, file, socket string) {
	t.Helper()
	dir := t.TempDir()
	file, socket = filepath.Join(dir, "image"), filepath.Join(dir, "s")
	var all []byte
	for i := range sectors {
		all = append(all, bytes.Repeat([]byte{byte('a' + i)}, 512)...)
	}
	if err := os.WriteFile(file, all, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := Serve(file, socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d, file, socket
}

// attach connects as qemu does.
func attach(t *testing.T, socket string) *guest {
	t.Helper()
	g := &guest{t: t, c: dial(t, socket)}
	if hello := g.take(18); string(hello) != "NBDMAGICIHAVEOPT\x00\x03" {
		t.Fatalf("hello %q", hello)
	}
	g.put(uint32(3))
	// NBD_OPT_STRUCTURED_REPLY, which qemu asks for first and may be refused.
	g.put([]byte("IHAVEOPT"), uint32(8), uint32(0))
	if r := g.take(20); binary.BigEndian.Uint32(r[12:]) != 0x80000001 {
		t.Fatalf("an option that is not known is answered with % x", r)
	}
	// NBD_OPT_GO with an empty name and no wishes.
	g.put([]byte("IHAVEOPT"), uint32(7), uint32(6), uint32(0), uint16(0))
	for {
		r := g.take(20)
		kind := binary.BigEndian.Uint32(r[12:])
		data := g.take(int(binary.BigEndian.Uint32(r[16:])))
		switch {
		case binary.BigEndian.Uint64(r) != 0x3e889045565a9 || binary.BigEndian.Uint32(r[8:]) != 7:
			t.Fatalf("reply % x", r)
		case kind == 1:
			return g
		case kind == 3 && binary.BigEndian.Uint16(data) == 0:
			g.size = binary.BigEndian.Uint64(data[2:])
			if flags := binary.BigEndian.Uint16(data[10:]); flags != 1|4|8 {
				t.Fatalf("transmission flags %b", flags)
			}
		}
	}
}

func (g *guest) put(parts ...any) {
	g.t.Helper()
	var b bytes.Buffer
	for _, p := range parts {
		if err := binary.Write(&b, binary.BigEndian, p); err != nil {
			g.t.Fatal(err)
		}
	}
	if _, err := g.c.Write(b.Bytes()); err != nil {
		g.t.Fatal(err)
	}
}

func (g *guest) take(n int) []byte {
	g.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(g.c, b); err != nil {
		g.t.Fatal(err)
	}
	return b
}

// ask makes a request and gives the number of its error.
func (g *guest) ask(flags, kind uint16, at uint64, length uint32, data []byte) uint32 {
	g.t.Helper()
	g.handle++
	g.put(uint32(0x25609513), flags, kind, g.handle, at, length, data)
	r := g.take(16)
	if binary.BigEndian.Uint32(r) != 0x67446698 || binary.BigEndian.Uint64(r[8:]) != g.handle {
		g.t.Fatalf("reply % x", r)
	}
	return binary.BigEndian.Uint32(r[4:])
}

// write writes whole sectors of a letter each.
func (g *guest) write(first int, letters string) {
	g.t.Helper()
	g.writeFlagged(0, first, letters)
}

func (g *guest) writeFlagged(flags uint16, first int, letters string) {
	g.t.Helper()
	if n := g.ask(flags, 1, uint64(first)*512, uint32(len(letters))*512, spread(letters)); n != 0 {
		g.t.Fatalf("write of %s at %d: error %d", letters, first, n)
	}
}

func (g *guest) flush() {
	g.t.Helper()
	if n := g.ask(0, 3, 0, 0, nil); n != 0 {
		g.t.Fatalf("flush: error %d", n)
	}
}

// read gives the letters of all sectors.
func (g *guest) read() string {
	g.t.Helper()
	if n := g.ask(0, 0, 0, uint32(g.size), nil); n != 0 {
		g.t.Fatalf("read: error %d", n)
	}
	return letters(g.t, g.take(int(g.size)))
}

func spread(letters string) (data []byte) {
	for _, l := range letters {
		data = append(data, bytes.Repeat([]byte{byte(l)}, 512)...)
	}
	return data
}

// letters gives a letter for each sector, which must be whole.
func letters(t *testing.T, data []byte) (all string) {
	t.Helper()
	for s := range len(data) / 512 {
		part := data[s*512 : (s+1)*512]
		if !bytes.Equal(part, bytes.Repeat(part[:1], 512)) {
			t.Fatalf("sector %d is not whole", s)
		}
		all += string(part[:1])
	}
	return all
}

func onMedium(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return letters(t, b)
}

func dial(t *testing.T, socket string) net.Conn {
	t.Helper()
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
