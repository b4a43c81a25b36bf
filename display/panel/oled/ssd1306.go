package oled

import (
	"periph.io/x/devices/v3/ssd1306"
)

// Commands of the SSD1306 (data sheet Rev 1.5 of Solomon Systech, chapters 9 and 10).
const (
	memoryMode    = 0x20
	memoryByPages = 0x02 // what 0xb0, 0x00 and 0x10 are for

	contrast    = 0x81
	fromMemory  = 0xa4 // not all dots lit
	notInverted = 0xa6
	scanFromEnd = 0xc8 // rows from the last to the first: the glass is mounted so
	startLine   = 0x40
	offset      = 0xd3 // of rows
	preCharge   = 0xd9 // periods, in clocks
	deselect    = 0xdb // voltage of rows that are not lit
	chargePump  = 0x8d

	pumpOn        = 0x14
	dayPreCharge  = 0xf1
	dayDeselect   = 0x40 // as periph and other drivers have it
	lowDeselect   = 0x00 // 0.65 of the voltage: contrast alone makes little difference
	lowPreCharge  = 0x11
	noOffset      = 0x00
	settingsBytes = 24 // room for the longest list of settings and its end, bytes
)

// ssd1306Driver is periph's driver and what we say besides.
type ssd1306Driver struct {
	link   *link
	periph *ssd1306.Dev
}

// begin makes a new driver: so it is set up as the first time, and knows nothing of the
// memory.
func (s *ssd1306Driver) begin() (err error) {
	options := ssd1306.DefaultOpts
	options.W, options.H = Width, Height
	if s.link.bus != nil {
		s.periph, err = ssd1306.NewI2C(s.link, &options)
	} else {
		s.periph, err = ssd1306.NewSPI(s.link, s.link.dc, &options)
	}
	if err != nil {
		return err
	}
	return s.link.command(memoryMode, memoryByPages)
}

func (s *ssd1306Driver) draw(pix *picture) error {
	_, err := s.periph.Write(pix[:])
	return err
}

func (s *ssd1306Driver) settings(night bool) []byte {
	level, voltage, charge := byte(dayContrast), byte(dayDeselect), byte(dayPreCharge)
	if night {
		level, voltage, charge = nightContrast, lowDeselect, lowPreCharge
	}
	return append(make([]byte, 0, settingsBytes),
		chargePump, pumpOn, memoryMode, memoryByPages, fromMemory, notInverted, scanFromEnd,
		startLine, offset, noOffset, preCharge, charge, deselect, voltage, contrast, level)
}
