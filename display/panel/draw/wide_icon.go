package draw

import "image"

// icon is a small drawing in place of a word, which would take two languages.
type icon uint8

// The icons.
const (
	noIcon icon = iota
	phone       // before a number to call
	glass       // before a duration: a sand glass
)

// icon draws one into a box that is as high as wide.
func (c *canvas) icon(i icon, box image.Rectangle, with pen) {
	inside := map[icon]func(x, y int) bool{phone: inPhone, glass: inGlass}[i]
	side := max(min(box.Dx(), box.Dy()), 1)
	dots := make([]uint8, 0, side*side)
	for y := range side {
		for x := range side {
			dots = append(dots, covers(inside, x, y, side))
		}
	}
	box.Max = box.Min.Add(image.Pt(side, side))
	c.put(box, dots, with)
	c.note("icon", box)
}

// grid is the side of the square that icons are described in.
const grid = 120

// covers is the shade of a dot of an icon, from sixteen points of it.
func covers(inside func(x, y int) bool, x, y, side int) uint8 {
	hits := 0
	for i := range 16 {
		if inside((8*x+2*(i%4)+1)*grid/(8*side), (8*y+2*(i/4)+1)*grid/(8*side)) {
			hits++
		}
	}
	return coarse(uint8(hits * 255 / 16))
}

// inPhone is a telephone as it is carried: a frame with a key below.
func inPhone(x, y int) bool {
	body := x >= 28 && x < 92 && y >= 2 && y < 118
	screen := x >= 38 && x < 82 && y >= 16 && y < 92
	key := x >= 53 && x < 67 && y >= 98 && y < 110
	return body && !screen && !key
}

// inGlass is two triangles between two lids.
func inGlass(x, y int) bool {
	lid := (y >= 4 && y < 16 || y >= 104 && y < 116) && x >= 24 && x < 96
	half := abs(y-60) * 32 / 44
	bulb := y >= 16 && y < 104 && abs(x-60) <= half+4
	hollow := y >= 24 && y < 46 && abs(x-60) < half-5 // the sand has run down a little
	return lid || bulb && !hollow
}

func abs(n int) int { return max(n, -n) }
