package draw

import (
	"strings"

	"stolpe/display/panel"
)

// TellsPrice says whether every part of the price of a page stands on its picture. Where
// pressing a button means to accept the price, nothing may be left out for want of room.
func TellsPrice(size Size, p panel.Page) bool {
	_, marks := render(size, p, Options{})
	var all []string
	for _, m := range marks {
		all = append(all, strings.ReplaceAll(m.what, noBreak, " "))
	}
	text := strings.Join(all, " ")
	for _, fee := range p.Fees {
		if !strings.Contains(text, strings.ReplaceAll(fee[0], noBreak, " ")) {
			return false
		}
	}
	return p.Price != "" && strings.Contains(text, p.Price)
}
