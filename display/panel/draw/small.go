package draw

import (
	"image"
	"strings"

	"stolpe/display/panel"
)

// The letters of a Small picture, the best first. Its lines are of 21 letters, and of 25
// where they must be.
var (
	smallBig  = []string{"12x24bold", "10x20bold", "8x16bold", "6x12bold"}
	smallLine = []string{"6x12", "6x12", "5x8"}
)

// smallArea is what is drawn on where there is no code: the rest is for moving it.
func smallArea() image.Rectangle { return image.Rect(0, 0, 128-ShiftMost, 64-ShiftMost) }

// small draws a page for an OLED.
func small(p panel.Page, shift image.Point) (image.Image, []mark) {
	s := newSheet(Small, 1)
	c := column{box: smallArea(), gap: 2, loose: 6}
	if dots := smallCode(p); dots > 0 {
		s.code(p.Code, image.Rect(0, 0, 64, 64), dots, image.Pt(shift.X-1, shift.Y-1))
		c.box.Min.X, c.gap, c.loose = 66, 1, 4
		s.off = shift
		s.stack(c, besideCode(p))
		return s.picture, s.marks
	}
	s.off = shift
	s.stack(c, smallRows(p))
	return s.picture, s.marks
}

// smallCode gives the width of a module, 0 where there is none to show: half the picture is
// for a code only where nothing is more important than to scan it.
func smallCode(p panel.Page) int {
	switch p.Face {
	case panel.Free, panel.FreeButton, panel.PayCode, panel.Several:
		return scale(p.Code, 64, quietSmall)
	}
	return 0
}

// besideCode are the rows beside the code of a post that may be used, or must be paid for.
func besideCode(p panel.Page) []row {
	big := func(text string, weight int) row {
		return row{texts: []string{text}, sizes: smallBig[1:], place: centre, weight: weight}
	}
	rows := []row{big(p.Big[0], 8), big(p.Big[1], 7)}
	if p.Price != "" {
		rows = append(rows, row{texts: []string{p.Price}, sizes: smallBig, place: centre, weight: must},
			smallText(p.Unit, must))
	}
	for i, fee := range p.Fees {
		rows = append(rows, row{texts: []string{fee[0]}, sizes: smallLine[2:], place: centre, weight: 6 - min(i, 2), wrap: true})
	}
	rows = append(rows, big(p.Left, must))
	if p.Price == "" {
		rows = append(rows, smallWrap(p.ShortDo[0], 6), smallWrap(p.ShortDo[1], 5))
	}
	return append(rows, smallWrap(p.Caption[0], 3), smallWrap(p.Caption[1], 2), smallText(p.Post, 1))
}

// smallRows are the rows of all other pages.
func smallRows(p panel.Page) []row {
	big := func(text string, weight int) row {
		return row{texts: []string{text}, sizes: smallBig, place: centre, weight: weight}
	}
	switch p.Face {
	case panel.Charging:
		return []row{big(p.Energy, must), big(p.Cost, must), smallBoth(p.Big, 7),
			{texts: []string{p.Power, p.Time}, sizes: smallLine, place: spread, weight: 5}}
	case panel.NearLimit:
		return []row{big(p.Big[0], 6), smallText(p.Title[0], 7), smallText(p.Title[1], 7),
			big(p.Cost, must), {bar: true, share: p.Used, weight: 5}, smallText(p.Reserved, 4)}
	case panel.Several:
		return overview(p)
	}
	rows := []row{big(p.Big[0], must)}
	if p.Price != "" {
		rows = append(rows, big(p.Price+" "+p.Unit, must))
	}
	for i, fee := range p.Fees {
		rows = append(rows, smallText(fee[0], 6-min(i, 2)), smallText(fee[1], 5-min(i, 2)))
	}
	money := row{texts: []string{p.Energy, p.Cost}, sizes: smallLine, place: spread, weight: must}
	if p.Face == panel.Finished || p.Face == panel.NoEnergy {
		rows = append(rows, big(p.Cost, must))
		money.texts = []string{p.Energy}
		money.place = centre
	}
	rows = append(rows, titles(p)...)
	rows = append(rows, money, smallText(p.ShortDo[0], 7), smallText(p.ShortDo[1], 7), big(p.Left, must))
	if p.Fault != "" && p.Help != "" {
		rows = append(rows, row{texts: []string{p.Fault, p.Help}, sizes: smallLine, place: spread, weight: 8})
	} else {
		rows = append(rows, smallText(p.Fault+p.Help, 8))
	}
	return append(rows, smallText(p.Version, 2))
}

// titles are what a page is about; the first language is left out where the big word has
// said it already.
func titles(p panel.Page) []row {
	rows := []row{smallText(p.Title[1], 5)}
	if !strings.EqualFold(p.Title[0], p.Big[0]) {
		rows = append([]row{smallText(p.Title[0], 4)}, rows...)
	}
	return rows
}

// smallBoth is a text in both languages on one line.
func smallBoth(text panel.Said, weight int) row { return smallText(both(text), weight) }

// both is a text in its languages: "LEDIG / FREE".
func both(text panel.Said) string {
	if text[1] == "" {
		return text[0]
	}
	return text[0] + " / " + text[1]
}

func smallText(text string, weight int) row {
	return row{texts: []string{text}, sizes: smallLine, place: centre, weight: weight}
}

func smallWrap(text string, weight int) row {
	return row{texts: []string{text}, sizes: smallLine, place: centre, weight: weight, wrap: true}
}

// overview is a line for each of several EVSEs.
func overview(p panel.Page) []row {
	rows := []row{smallBoth(p.Big, 4)}
	for _, r := range p.Rows {
		rows = append(rows, row{texts: []string{r.Code + " " + r.Word[0], r.Figure}, sizes: smallLine, place: spread, weight: must})
	}
	return append(rows, smallText(p.ShortDo[0], 3), smallText(p.ShortDo[1], 2))
}
