package disk

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
)

// sector is what a disk writes whole or not at all, in bytes: the unit of the ATA and
// SD command sets, and the least that a guest writes.
const sector = 512

// head is how many sectors at the disk's beginning are never torn: where ext4 has its
// superblock. File systems count on a disk that writes it whole, and do not start without
// it; no program can do anything about that.
const head = 8

// errPlace is a request beside the disk, or not in whole sectors.
var errPlace = errors.New("not in whole sectors of the disk")

// cache is a medium and what has been written and is not on it yet.
type cache struct {
	medium *os.File
	size   int64 // bytes
	writes []write
	newest map[int64][]byte // by sector: what a reader sees in place of the medium
	older  map[int64]int    // by sector: the medium holds something newer than the writes before this one
}

// write is one write in the order of their coming.
type write struct {
	first int64  // sector
	data  []byte // whole sectors
}

// newCache begins with an empty cache. What an image has beyond its last whole
// sector is not served.
func newCache(medium *os.File) (*cache, error) {
	info, err := medium.Stat()
	if err != nil {
		return nil, err
	}
	c := &cache{medium: medium, size: info.Size() / sector * sector}
	c.forget()
	return c, nil
}

func (c *cache) forget() {
	c.writes, c.newest, c.older = nil, map[int64][]byte{}, map[int64]int{}
}

func (c *cache) within(at, length int64) error {
	if at < 0 || length < 0 || at%sector != 0 || length%sector != 0 || at > c.size-length {
		return fmt.Errorf("%d bytes at %d of %d: %w", length, at, c.size, errPlace)
	}
	return nil
}

// read gives what a reader sees: the cache, and below it the medium.
func (c *cache) read(to []byte, at int64) error {
	if err := c.within(at, int64(len(to))); err != nil {
		return err
	}
	if _, err := c.medium.ReadAt(to, at); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if len(c.newest) == 0 {
		return nil
	}
	for i := range len(to) / sector {
		if s, cached := c.newest[at/sector+int64(i)]; cached {
			copy(to[i*sector:], s)
		}
	}
	return nil
}

// write takes data into the cache. The caller gives data away.
func (c *cache) write(data []byte, at int64) error {
	if err := c.within(at, int64(len(data))); err != nil {
		return err
	}
	w := write{at / sector, data}
	c.writes = append(c.writes, w)
	for n, s := range w.sectors() {
		c.newest[n] = s
	}
	return nil
}

// through puts data on the medium at once, past what is in the cache.
func (c *cache) through(data []byte, at int64) error {
	if err := c.within(at, int64(len(data))); err != nil {
		return err
	}
	if _, err := c.medium.WriteAt(data, at); err != nil {
		return err
	}
	w := write{at / sector, data}
	for n := range w.sectors() {
		delete(c.newest, n)
		c.older[n] = len(c.writes)
	}
	return nil
}

// sectors gives each sector of the write with its number.
func (w write) sectors() func(yield func(n int64, s []byte) bool) {
	return func(yield func(int64, []byte) bool) {
		for i := 0; i < len(w.data); i += sector {
			if !yield(w.first+int64(i/sector), w.data[i:i+sector]) {
				return
			}
		}
	}
}

// flush puts all that is cached on the medium, neighbours in one go.
func (c *cache) flush() error {
	numbers := slices.Sorted(maps.Keys(c.newest))
	for i := 0; i < len(numbers); {
		first, run := numbers[i], []byte(nil)
		for ; i < len(numbers) && numbers[i] == first+int64(len(run)/sector); i++ {
			run = append(run, c.newest[numbers[i]]...)
		}
		if _, err := c.medium.WriteAt(run, first*sector); err != nil {
			return err
		}
	}
	c.forget()
	return nil
}

// cut is the power failing. A sector that survives lands on the medium, unless a
// newer one is there already.
func (c *cache) cut(p Policy, seed uint64) (Lost, error) {
	chance := rand.New(rand.NewPCG(seed, sector))
	var lost Lost
	for i, w := range c.writes {
		fate := Drop
		if p == Random {
			fate = Policy(chance.IntN(int(fates)))
		}
		survived, whole := 0, chance.IntN(2) == 0
		for n, s := range w.sectors() {
			lose := chance.IntN(2) == 0
			if n < head {
				lose = whole
			}
			if fate == Drop || fate == torn && lose {
				continue
			}
			survived++
			if c.older[n] > i {
				continue
			}
			if _, err := c.medium.WriteAt(s, n*sector); err != nil {
				return lost, err
			}
		}
		lost.count(survived, len(w.data)/sector)
	}
	c.forget()
	return lost, nil
}
