package raspberry

import (
	"regexp"
	"strconv"
	"strings"
)

// Lines of the header: those up to the first number are pulled up at power-on, the others
// down (BCM2835 ARM Peripherals, 6.2; RP1 Peripherals, table 3).
const (
	pulledUp  = 8
	headerEnd = 27
)

var headerLine = regexp.MustCompile(`^GPIO(\d+)$`)

// Number is that of a line of the header, by its name; it says no for any other line.
func Number(name string) (n int, ok bool) {
	m := headerLine.FindStringSubmatch(name)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	return n, err == nil && n <= headerEnd
}

// Rest is where a line is until a program takes it.
type Rest struct {
	High   bool
	Driven bool // by the board, and not only pulled there
}

// PowerOn is where a line rests from power-on until config.txt has been read.
func PowerOn(n int) Rest { return Rest{High: n <= pulledUp} }

// Rest is where a line rests once config.txt has been read. All that is said of it counts,
// in its order, as in gpio=17=op,dl and gpio=0-8,17=pd.
func (s Settings) Rest(n int) Rest {
	pull, level, driven := PowerOn(n).High, false, false
	for _, x := range s {
		which, what, both := strings.Cut(x.Value, "=")
		if x.Key != "gpio" || !both || !among(n, which) {
			continue
		}
		for word := range strings.SplitSeq(what, ",") {
			switch strings.TrimSpace(word) {
			case "op":
				driven = true
			case "ip", "a0", "a1", "a2", "a3", "a4", "a5":
				driven = false
			case "dh":
				level = true
			case "dl":
				level = false
			case "pu":
				pull = true
			case "pd":
				pull = false
			}
		}
	}
	if driven {
		return Rest{High: level, Driven: true}
	}
	return Rest{High: pull}
}

// among says whether a number is in a list such as 0-8,17.
func among(n int, list string) bool {
	for part := range strings.SplitSeq(list, ",") {
		from, to, span := strings.Cut(strings.TrimSpace(part), "-")
		a, err := strconv.Atoi(from)
		if err != nil {
			continue
		}
		b := a
		if span {
			if b, err = strconv.Atoi(to); err != nil {
				continue
			}
		}
		if n >= a && n <= b {
			return true
		}
	}
	return false
}
