package card

import "encoding/binary"

// Fate is what becomes of one unflushed write when the power goes. The zero Fate
// loses it.
type Fate struct {
	Kept    uint64 // bit i: sector i of the write reached the medium
	Garbled uint64 // bit i: sector i was being written; it holds neither old nor new
	Noise   uint64 // what garbled sectors hold is derived from this
	Rank    int    // writes reach the medium by rising rank, equal ones in the order written
}

// Whole is the Kept of a write of which nothing was lost.
const Whole = ^uint64(0)

// Draw derives from a number what a power cut does to each write: loses it,
// keeps it, tears it at sectors, or tears it with noise in places, each as often
// as the others, and in any order.
func Draw(seed uint64) func(Op) Fate {
	return func(Op) Fate {
		kind, kept, noise := mix(&seed), mix(&seed), mix(&seed)
		f := Fate{Noise: noise, Rank: int(kind >> 60)}
		switch kind % 4 {
		case 1:
			f.Kept = Whole
		case 2:
			f.Kept = kept
		case 3:
			f.Kept, f.Garbled = kept, mix(&seed)
			f.Garbled &= mix(&seed) // a quarter of the sectors
		}
		return f
	}
}

// land puts onto the medium what f lets through of a write.
func (f Fate) land(medium, after []byte) {
	for i := 0; len(after) > 0; i++ {
		n := min(Sector, len(after))
		switch {
		case f.Garbled>>i&1 != 0:
			noise := f.Noise + uint64(i)
			fill(medium[:n], &noise)
		case f.Kept>>i&1 != 0:
			copy(medium, after[:n])
		}
		medium, after = medium[n:], after[n:]
	}
}

// fill fills b with noise.
func fill(b []byte, seed *uint64) {
	for len(b) > 0 {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], mix(seed))
		b = b[copy(b, word[:]):]
	}
}

// mix gives the next number of a sequence (SplitMix64, Steele et al. 2014).
func mix(seed *uint64) uint64 {
	*seed += 0x9e3779b97f4a7c15
	z := *seed
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
