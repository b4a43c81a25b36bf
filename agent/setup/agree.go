package setup

import (
	"fmt"
	"strconv"
	"strings"

	"stolpe/hal"
)

// Agrees compares a register with what a person reads on the meter's own display, in
// kWh. The two agree if they are no further apart than the last digit of the display and
// the step of the register, as a display may round or cut, and lag by a step.
func Agrees(register, step hal.Energy, shown string) error {
	text := strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(shown), " ", ""), ",", ".")
	whole, decimals, _ := strings.Cut(text, ".")
	const most = 3 // decimals of a kWh: the register counts Wh
	if whole == "" || len(decimals) > most || strings.Trim(whole+decimals, "0123456789") != "" {
		return fmt.Errorf("%q: want what the display shows in kWh, such as 1234.5", shown)
	}
	wh, err := strconv.ParseInt(whole+decimals+strings.Repeat("0", most-len(decimals)), 10, 64)
	if err != nil {
		return fmt.Errorf("%q: want what the display shows in kWh, such as 1234.5", shown)
	}
	digit := hal.Energy(1)
	for range most - len(decimals) {
		digit *= 10
	}
	apart := register - hal.Energy(wh)
	if apart < 0 {
		apart = -apart
	}
	if apart > digit+max(step, 1) {
		return fmt.Errorf("the register says %v and the display %s kWh: they are %v apart, and %v is allowed", register, text, apart, digit+max(step, 1))
	}
	return nil
}
