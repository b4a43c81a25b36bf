package journal

import (
	"os"
	"path/filepath"
	"testing"

	"stolpe/agent/journal/card"
)

// BenchmarkDurable puts a record on a real file beside the least that can make
// 4 KiB durable: what the journal costs is the difference.
func BenchmarkDurable(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		f, err := os.Create(filepath.Join(b.TempDir(), "bare"))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		if _, err := f.Write(make([]byte, Slots*SlotSize)); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		d, slot, n := &disk{File: f}, make([]byte, SlotSize), int64(0)
		for b.Loop() {
			if _, err := d.WriteAt(slot, n%Slots*SlotSize); err != nil {
				b.Fatal(err)
			}
			if err := d.Sync(); err != nil {
				b.Fatal(err)
			}
			n++
			slot[n%SlotSize]++
		}
	})
	b.Run("append", func(b *testing.B) {
		j, _ := open1(b, install(b))
		benchmarkAppend(b, j)
	})
}

func benchmarkAppend(b *testing.B, j *Journal) {
	payload := state(5)[:400]
	b.ReportAllocs()
	for b.Loop() {
		if err := j.Append(payload); err != nil {
			b.Fatal(err)
		}
	}
}

// nowhere is a file that takes writes and forgets them.
type nowhere struct{ *card.File }

func (nowhere) WriteAt(p []byte, off int64) (int, error) { return len(p), nil }

func BenchmarkInMemory(b *testing.B) {
	c := filled(b, 8, 21)
	x, y := c.Files()
	b.Run("append to nowhere", func(b *testing.B) {
		j, _, _ := OpenFiles(nowhere{x}, nowhere{y}, owner)
		benchmarkAppend(b, j)
	})
	b.Run("append to a card", func(b *testing.B) {
		j, _ := reopen(b, c)
		benchmarkAppend(b, j)
	})
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := OpenFiles(x, y, owner); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("open real files", func(b *testing.B) {
		dir := install(b)
		for b.Loop() {
			j, _, err := Open(dir, "evse-1", owner)
			if err != nil {
				b.Fatal(err)
			}
			if err := j.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
