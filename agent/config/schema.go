package config

import (
	"strings"
	"time"

	"stolpe/payment"
)

// The units of money in messages and documentation; units puts in those of the
// currency.
const (
	minorUnits = "<minor units>"
	majorUnit  = "<major unit>"
)

func units(at func(path ...string) string) *strings.Replacer {
	minor, major := "øre", "kr"
	switch payment.Currency(at("price", "currency")) {
	case payment.EUR:
		minor, major = "cent", "euro"
	case "":
		minor = "øre or cent"
	}
	return strings.NewReplacer(minorUnits, minor, majorUnit, major)
}

// Numbers chosen by us.
const (
	maxEVSEs   = 8      // one bus of meters, and as many sockets as a post has room for
	maxEVSE    = 99     // payment.Ref has room for two digits
	maxCode    = 16     // characters: what fits a sticker
	maxName    = 64     // characters: what a receipt and a phone can show in one line
	maxChoices = 6      // amounts on one page
	minPower   = 1_000  // W: less charges no car
	maxPower   = 50_000 // W: three phases of 63 A are 43 kW
	maxLine    = 999    // number of a line on a chip, or of a chip: no board has more
	maxSocket  = 100    // characters of its path: the kernel takes a few more
	longest    = 7 * 24 * time.Hour
)

// What payment.Price.Check allows; a test keeps these equal.
const (
	maxPrice = 1_000_000 // minor units
	maxVAT   = 3_000     // basis points
)
