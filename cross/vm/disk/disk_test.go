package disk

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

// TestWhatIsNotFlushedIsLost is what the disk is for.
func TestWhatIsNotFlushedIsLost(t *testing.T) {
	d, file, socket := image(t, 8)
	g := attach(t, socket)
	if g.size != 8*512 {
		t.Fatalf("size %d", g.size)
	}
	g.write(0, "123")
	g.write(1, "XY")
	expect(t, "read before the flush", g.read(), "1XYdefgh")
	expect(t, "medium before the flush", onMedium(t, file), "abcdefgh")
	g.flush()
	expect(t, "medium after the flush", onMedium(t, file), "1XYdefgh")
	g.write(0, "000")
	g.writeFlagged(1, 6, "F") // FUA
	expect(t, "medium after a write past the cache", onMedium(t, file), "1XYdefFh")
	lost, err := d.Cut(Drop, 1)
	if err != nil || lost != (Lost{Lost: 1}) {
		t.Errorf("cut: %v, %v", lost, err)
	}
	if _, err := g.c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a client after the cut: %v, want the end", err)
	}
	expect(t, "what the next start finds", attach(t, socket).read(), "1XYdefFh")
}

// TestCloseLosesNothing: an orderly end is none of the disk's business to break.
func TestCloseLosesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(file, spread("abcd"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := Serve(file, file+".s")
	if err != nil {
		t.Fatal(err)
	}
	attach(t, file+".s").write(1, "QR")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	expect(t, "medium", onMedium(t, file), "aQRd")
}

// TestRandomCut sees every fate of a write, each sector whole, and the same seed twice
// give the same.
func TestRandomCut(t *testing.T) {
	var all Lost
	for seed := range uint64(40) {
		var found [2]string
		for i := range found {
			d, file, socket := image(t, 16)
			g := attach(t, socket)
			g.write(8, "1111")
			g.write(12, "2222")
			g.write(8, "3333")
			g.write(0, "44444444")
			lost, err := d.Cut(Random, seed)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				all = Lost{all.Lost + lost.Lost, all.Torn + lost.Torn, all.Kept + lost.Kept}
			}
			found[i] = onMedium(t, file)
		}
		expect(t, "the same seed again", found[1], found[0])
		if got := found[0][:8]; got != "44444444" && got != "abcdefgh" {
			t.Errorf("seed %d: the head is torn: %s", seed, got)
		}
		for i, l := range found[0][8:] {
			if allowed := []string{"ijkl"[i%4:][:1] + "13", "mnop"[i%4:][:1] + "2"}[i/4]; !strings.ContainsRune(allowed, l) {
				t.Errorf("seed %d: sector %d is %c, want one of %s", seed, i, l, allowed)
			}
		}
	}
	if all.Lost < 10 || all.Torn < 10 || all.Kept < 10 {
		t.Errorf("in 40 cuts of 4 writes: %v", all)
	}
}

// TestOlderWritesStayBelow: what went past the cache is not undone by what was cached
// before it, and is by what was cached after it.
func TestOlderWritesStayBelow(t *testing.T) {
	d, file, socket := image(t, 2)
	g := attach(t, socket)
	g.write(0, "1")
	g.writeFlagged(1, 0, "2")
	expect(t, "read", g.read(), "2b")
	g.flush()
	expect(t, "medium", onMedium(t, file), "2b")
	if _, err := d.Cut(Drop, 0); err != nil {
		t.Fatal(err)
	}
	if number, _ := d.do(g.c, request{Kind: cmdWrite}, spread("3")); number != eIO {
		t.Errorf("a write of somebody whose power was cut: %d, want an error", number)
	}
	newer := false
	for seed := range uint64(20) {
		d, file, socket := image(t, 2)
		g := attach(t, socket)
		g.write(0, "1")
		g.writeFlagged(1, 0, "2")
		g.write(1, "3")
		if _, err := d.Cut(Random, seed); err != nil {
			t.Fatal(err)
		}
		got := onMedium(t, file)
		if got[0] != '2' {
			t.Errorf("seed %d: %s, want 2 in front", seed, got)
		}
		newer = newer || got[1] == '3'
	}
	if !newer {
		t.Error("no write survived in 20 cuts")
	}
}

// TestLiar says that it has flushed.
func TestLiar(t *testing.T) {
	d, file, socket := image(t, 3)
	d.Be(Mood{Lies: true})
	g := attach(t, socket)
	g.write(0, "1")
	g.flush()
	g.writeFlagged(1, 2, "3")
	if _, err := d.Cut(Drop, 1); err != nil {
		t.Fatal(err)
	}
	expect(t, "medium", onMedium(t, file), "abc")
}

// TestDying fails writes and flushes, and reads on.
func TestDying(t *testing.T) {
	d, file, socket := image(t, 3)
	g := attach(t, socket)
	d.Be(Mood{Dies: true})
	if w, f := g.ask(0, 1, 0, 512, spread("1")), g.ask(0, 3, 0, 0, nil); w != 5 || f != 5 {
		t.Errorf("write %d, flush %d: want 5 (EIO)", w, f)
	}
	expect(t, "read", g.read(), "abc")
	d.Be(Mood{})
	g.write(0, "1")
	g.flush()
	expect(t, "medium after it is well again", onMedium(t, file), "1bc")
}

// TestRefused: what is beside the disk, in half sectors, or unknown is refused, and the
// connection goes on.
func TestRefused(t *testing.T) {
	_, _, socket := image(t, 3)
	g := attach(t, socket)
	for name, n := range map[string]uint32{
		"beyond":  g.ask(0, 1, 3*512, 512, spread("1")),
		"far":     g.ask(0, 0, 1<<63, 512, nil),
		"across":  g.ask(0, 0, 2*512, 1024, nil),
		"half":    g.ask(0, 0, 256, 512, nil),
		"unknown": g.ask(0, 9, 0, 0, nil),
	} {
		if n != 22 {
			t.Errorf("%s: error %d, want 22 (EINVAL)", name, n)
		}
	}
	expect(t, "read", g.read(), "abc")
}

// TestOldClient asks by name, as the first NBD clients did.
func TestOldClient(t *testing.T) {
	_, _, socket := image(t, 3)
	g := attach(t, socket) // another connection is no hindrance
	old := &guest{t: t, c: dial(t, socket)}
	old.take(18)
	old.put(uint32(1), []byte("IHAVEOPT"), uint32(1), uint32(4), []byte("name"))
	if r := old.take(8 + 2 + 124); r[7] != 0 || r[6] != 6 || r[9] != 13 {
		t.Errorf("size and flags % x", r[:10])
	}
	old.size = 3 * 512
	expect(t, "read", old.read(), g.read())
}
