package draw

import (
	"strings"

	"stolpe/display/panel"
)

// ends gives what the codes of several EVSEs are told apart by: with "SOLBAKKEN-118" and
// "SOLBAKKEN-119" that is "118" and "119". Short codes stay as they are.
func ends(rows []panel.Row) []string {
	var codes []string
	longest := 0
	for _, r := range rows {
		codes = append(codes, r.Code)
		longest = max(longest, count(r.Code))
	}
	if len(codes) < 2 || longest <= shortCode {
		return codes
	}
	same := codes[0]
	for _, code := range codes[1:] {
		for !strings.HasPrefix(code, same) {
			same = same[:len(same)-1]
		}
	}
	same = same[:strings.LastIndexAny(same, "- _")+1]
	for i := range codes {
		codes[i] = strings.TrimPrefix(codes[i], same)
	}
	return codes
}

// shortCode is a code that fits before a word and a price, in letters.
const shortCode = 4

// overview is a line for each of several EVSEs. Where there is no room for so many it says
// which are free.
func overview(p panel.Page, c column) []row {
	rows := []row{smallText(smallLine(), both(p.Big), 8)}
	for i, code := range ends(p.Rows) {
		r := p.Rows[i]
		line := row{texts: []string{code + " " + r.Word[0], r.Figure}, in: smallLine(), place: edges, weight: must}
		if !c.fits([]row{line}) {
			line.texts[1] = ""
		}
		rows = append(rows, line)
	}
	if c.fits(rows) {
		return append(rows, smallText(smallLine(), p.ShortDo[0], 3), smallText(smallLine(), p.ShortDo[1], 2))
	}
	return freeOnes(p)
}

// freeOnes says which are free, and what a kWh costs where that is the same at all of them.
func freeOnes(p panel.Page) []row {
	var free []string
	price := ""
	for i, code := range ends(p.Rows) {
		r := p.Rows[i]
		if r.Face != panel.Free && r.Face != panel.FreeButton {
			continue
		}
		if len(free) > 0 && r.Figure != price {
			r.Figure = ""
		}
		free, price = append(free, code), r.Figure
	}
	return []row{smallText(smallHead(), p.Big[0], must), smallText(smallLine(), p.Big[1], 8),
		{texts: []string{strings.Join(free, ", ")}, in: letters{figures, []string{"10x20bold", "8x16bold", "6x12bold", "5x8"}}, place: centre, weight: must, wrap: 4},
		smallText(smallLine(), price, 7)}
}
