package oled

// Commands of the SH1106 that the SSD1306 does not have, or not so (data sheet V2.3 of
// Sino Wealth, "Commands" and "Command Table"). The values are those after a reset where
// nothing else is said.
const (
	clock        = 0xd5 // of the rows
	clockValue   = 0x80 // as fast as other drivers have it: 0x50 flickers in the cold
	rows         = 0xa8 // how many are lit in turn, less one
	columnsEnd   = 0xa1 // columns from the last to the first: the glass is mounted so
	rowPins      = 0xda
	rowsInTurn   = 0x12 // every second one on the other side of the glass
	converter    = 0xad // that makes the voltage; may be set while the display is off only
	converterOn  = 0x8b
	converter8V  = 0x32 // 8.0 V
	shPreCharge  = 0x22
	shDeselect   = 0x35 // 0.77 of the voltage
	shLowCharge  = 0x11
	shLowVoltage = 0x22 // 0.65 of the voltage: the lowest that an SSD1306 has

	pageAddress = 0xb0 // and the number of the row of bytes
	columnLow   = 0x00 // and the lower half of the column's number
	columnHigh  = 0x10 // and the upper half
	halfByte    = 4    // bits

	// firstColumn is that of the memory's 132 that is on the left of the glass. It is in
	// the middle, so it is the same from both ends.
	firstColumn = 2
)

// sh1106 is the driver of its controller.
type sh1106 struct {
	link  *link
	known bool // that its memory is as has; after an error it is set up anew
	has   picture
}

// begin sets the controller up, in the order of the data sheet's power on sequence for the
// controller's own voltage.
func (s *sh1106) begin() error {
	s.known = false
	return s.link.command(
		displayOff,
		clock, clockValue,
		rows, Height-1,
		offset, noOffset,
		startLine,
		converter, converterOn, converter8V,
		columnsEnd, scanFromEnd,
		rowPins, rowsInTurn,
		preCharge, shPreCharge,
		deselect, shDeselect,
		fromMemory, notInverted,
		displayOn)
}

// draw sends of each row of bytes what lies between the first and the last that differ, or
// all where the memory is not known.
func (s *sh1106) draw(pix *picture) error {
	for n := range pages {
		from, to := 0, Width
		if s.known {
			from, to = differ(s.has.page(n), pix.page(n))
		}
		if from == to {
			continue
		}
		column := byte(firstColumn + from)
		if err := s.link.command(pageAddress|byte(n), columnLow|column&0x0f, columnHigh|column>>halfByte); err != nil {
			return err
		}
		if err := s.link.data(pix.page(n)[from:to]); err != nil {
			return err
		}
	}
	s.has, s.known = *pix, true
	return nil
}

// differ gives the part of two rows that is not the same.
func differ(a, b []byte) (from, to int) {
	to = len(a)
	for from < to && a[from] == b[from] {
		from++
	}
	for to > from && a[to-1] == b[to-1] {
		to--
	}
	return from, to
}

func (s *sh1106) settings(night bool) []byte {
	level, voltage, charge := byte(dayContrast), byte(shDeselect), byte(shPreCharge)
	if night {
		level, voltage, charge = nightContrast, shLowVoltage, shLowCharge
	}
	return append(make([]byte, 0, settingsBytes),
		converter8V, fromMemory, notInverted, scanFromEnd,
		startLine, offset, noOffset, preCharge, charge, deselect, voltage, contrast, level)
}
