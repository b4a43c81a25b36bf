package draw

import (
	"strings"

	"stolpe/display/panel"
)

// smallTitles are what a page is about; the first language is left out where the big word
// has said it already.
func smallTitles(p panel.Page) []row {
	rows := []row{smallText(smallLine(), p.Title[1], 6)}
	if !strings.EqualFold(p.Title[0], p.Big[0]) {
		rows = append([]row{smallText(smallLine(), p.Title[0], 6)}, rows...)
	}
	return rows
}

func smallMoney(p panel.Page) row {
	return row{texts: []string{p.Energy, p.Cost}, in: smallLine(), place: spread, weight: must}
}

// smallCall is what to tell whoever is called for help: on a page where something is wrong
// it stays.
func smallCall(p panel.Page) []row {
	weight := 1
	switch p.Face {
	case panel.OutOfOrder, panel.Faulted, panel.Emergency, panel.PayOffline, panel.Unavailable:
		weight = 8
	case panel.Interrupted:
		weight = 6
	}
	if p.Fault != "" && p.Help != "" {
		return []row{{texts: []string{p.Fault, p.Help}, in: smallTiny(), place: spread, weight: weight}}
	}
	return []row{smallText(smallLine(), p.Fault+p.Help, weight)}
}

// smallSuspended says why there are no figures that grow, and what it costs to stay.
func smallSuspended(p panel.Page) []row {
	rows := []row{smallText(smallHead(), p.Big[0], must), smallText(smallLine(), p.Title[0], 8), smallText(smallLine(), p.Title[1], 8), smallMoney(p)}
	for i := range 2 {
		rows = append(rows, row{texts: []string{listed(p.Fees, i)}, in: smallTiny(), place: centre, weight: 7 - i, wrap: 2})
	}
	return append(rows, smallText(smallLine(), p.ShortDo[0], 2), smallText(smallLine(), p.ShortDo[1], 2))
}

// smallFinished has what was paid as its largest figure.
func smallFinished(p panel.Page) []row {
	rows := []row{{texts: []string{both(p.Big)}, in: letters{heads, []string{"6x12bold"}}, place: centre, weight: must},
		smallText(smallFigure(), p.Cost, must)}
	if p.Face == panel.NoEnergy {
		rows = append(rows, smallTitles(p)...)
		return append(rows, smallText(smallLine(), p.Money[0], 7), smallText(smallLine(), p.Money[1], 7),
			smallText(smallLine(), p.ShortDo[0], extra), smallText(smallLine(), p.ShortDo[1], extra))
	}
	return append(rows, smallText(smallLine(), p.Energy, must),
		smallText(smallLine(), p.ShortDo[0], 7), smallText(smallLine(), p.ShortDo[1], 7),
		smallText(smallLine(), p.Money[0], extra), smallText(smallLine(), p.Money[1], extra))
}

// smallPrice is the price where there is no code, and what to do instead of scanning it.
// All parts of the price are there, or a sign that there are more.
func smallPrice(p panel.Page, c column) []row {
	rows := []row{smallText(smallLine(), both(p.Big), 8), smallText(smallFigure(), behind(p.Price, p.Unit), must)}
	do := []row{smallText(smallLine(), p.ShortDo[0], must), smallText(smallLine(), p.ShortDo[1], must)}
	for n := len(p.Fees); ; n-- {
		fees := row{texts: []string{listed(p.Fees[:n], 0)}, in: smallTiny(), place: centre, weight: must, wrap: 6}
		if n < len(p.Fees) {
			fees.texts[0] += noBreak + "+" + noBreak + "…"
		}
		if n > 0 && (unfinished(p.Fees, n) || !c.fits(append([]row{rows[1], fees}, do...))) {
			continue
		}
		rows = append(rows, fees, row{texts: []string{listed(p.Fees, 1)}, in: smallTiny(), place: centre, weight: 4, wrap: 6},
			smallText(smallTiny(), both(p.VAT), 6))
		return append(rows, do...)
	}
}

// unfinished says whether the first n parts of the price end with a name whose amount is
// the next part.
func unfinished(fees []panel.Said, n int) bool {
	return n < len(fees) && !strings.ContainsAny(fees[n-1][0], digits)
}

// listed are the parts of the price behind each other in one language, each unbroken. A
// name whose amount did not fit beside it, and is the next part, stays with that.
func listed(fees []panel.Said, lang int) string {
	var all strings.Builder
	named := false
	for i, fee := range fees {
		text := fee[lang]
		if text == "" {
			text = fee[0]
		}
		switch {
		case i == 0:
		case named && strings.ContainsAny(text[:min(len(text), 1)], digits):
			all.WriteString(noBreak)
		default:
			all.WriteString(" ")
		}
		named = !strings.ContainsAny(text, digits)
		all.WriteString(strings.ReplaceAll(text, " ", noBreak))
	}
	return all.String()
}

const (
	digits  = "0123456789"
	noBreak = "\u00a0" // space
)

// since is how long the charge has lasted; of figures that are too old to pass for the
// present it is when they were read.
func since(p panel.Page) string {
	if p.Stale && p.At != "" {
		return "(" + p.At + ")"
	}
	return p.Time
}

// both is a text in its languages: "LEDIG / FREE".
func both(text panel.Said) string {
	if text[1] == "" {
		return text[0]
	}
	return text[0] + " / " + text[1]
}

// slash is the same where there is little room.
func slash(text panel.Said) string { return strings.TrimSuffix(text[0]+"/"+text[1], "/") }

func smallText(in letters, text string, weight int) row {
	return row{texts: []string{text}, in: in, place: centre, weight: weight}
}

func smallWrap(text string, weight int) row {
	return row{texts: []string{text}, in: smallTiny(), place: centre, weight: weight, wrap: 3}
}
