package epaper

// Waveforms of version 3, which brings none that it draws by. The values are those that
// the maker publishes for it; how they are put together is that of the SSD1680's data
// sheet: five tables that say which voltage each kind of dot gets in each of the four
// phases of twelve groups, the same groups' lengths in frames, and how fast the frames are.

// Voltages of a phase, two bits each.
const (
	ground = 0b00
	high   = 0b01 // VSH1: towards black
	low    = 0b10 // VSL: towards white
)

// phases puts the four phases of one group into a byte.
func phases(a, b, c, d byte) byte { return a<<6 | b<<4 | c<<2 | d }

// The tables, one for each kind of dot.
const (
	stayBlack = iota
	toWhite
	toBlack
	stayWhite
	common // of the electrode that all dots share
	kinds
)

const (
	groupsMost  = 12                                  // groups of a table
	groupBytes  = 7                                   // of lengths: of phases a and b, how often both, c and d, how often both, and how often the group
	waveBytes   = 153                                 // in all
	lengthsFrom = kinds * groupsMost                  // bytes before the lengths
	speedFrom   = lengthsFrom + groupsMost*groupBytes // bytes before the speed
)

// wave is as much of a waveform as these panels use.
type wave struct {
	voltages [3][kinds]byte // of the first groups
	lengths  [4][7]byte     // of the first groups, frames and repetitions
}

// bytes puts the waveform into the controller's order.
func (w wave) bytes() []byte {
	b := make([]byte, waveBytes)
	for group, voltages := range w.voltages {
		for kind, v := range voltages {
			b[kind*groupsMost+group] = v
		}
	}
	for group, lengths := range w.lengths {
		copy(b[lengthsFrom+group*groupBytes:], lengths[:])
	}
	for i := range 6 {
		b[speedFrom+i] = 0x22 // 50 frames a second, two groups a byte
	}
	return b
}

// wholeWave drives every dot to the one side and the other before it stays.
func wholeWave() wave {
	a, b := phases(low, ground, ground, ground), phases(high, ground, ground, ground)
	middle := phases(high, ground, low, low)
	return wave{
		voltages: [3][kinds]byte{{a, b, a, b, 0}, {middle, middle, middle, middle, 0}, {b, a, b, a, 0}},
		lengths:  [4][7]byte{{15}, {15, 0, 0, 15, 0, 0, 2}, {15}, {1}},
	}
}

// partialWave drives the dots that change, in one go.
func partialWave() wave {
	a, b := phases(low, ground, ground, ground), phases(high, ground, ground, ground)
	return wave{
		voltages: [3][kinds]byte{{0, a, b, 0, 0}, {b, a, b, a, 0}},
		lengths:  [4][7]byte{{20}, {1}, {1}},
	}
}

// told gives what a model must be told before a draw.
func told(m Model, whole bool) []order {
	var orders []order
	if m == V3 {
		w := partialWave()
		if whole {
			w = wholeWave()
		}
		orders = append(orders,
			order{cmdWaveform, w.bytes()},
			order{cmdWaveEnd, []byte{0x22}},
			order{cmdGateVoltage, []byte{0x17}},          // 20 V
			order{cmdVoltages, []byte{0x41, 0x00, 0x32}}, // +15 V, none, -15 V
			order{cmdCommon, []byte{0x36}},               // about -1.35 V
		)
		if !whole {
			orders = append(orders, order{cmdOption, []byte{0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0}}) // what was drawn becomes what was
		}
	}
	if !whole {
		orders = append(orders, order{cmdBorder, []byte{0x80}}) // stays as it is
	}
	return orders
}
