package epaper

import (
	"fmt"
	"image"
	"image/color"
)

// size says how big a picture is.
func size(m image.Image) string {
	if m == nil {
		return "missing"
	}
	return fmt.Sprintf("%d by %d dots", m.Bounds().Dx(), m.Bounds().Dy())
}

// whites gives whether a dot of a picture is white, counted from its corner.
func whites(m image.Image) func(x, y int) bool {
	light := func(c color.Color) bool { return color.GrayModel.Convert(c).(color.Gray).Y >= 0x80 }
	corner := m.Bounds().Min
	p, ok := m.(*image.Paletted)
	if !ok {
		return func(x, y int) bool { return light(m.At(corner.X+x, corner.Y+y)) }
	}
	lit := make([]bool, len(p.Palette))
	for i, c := range p.Palette {
		lit[i] = light(c)
	}
	return func(x, y int) bool { return lit[p.ColorIndexAt(corner.X+x, corner.Y+y)] }
}
