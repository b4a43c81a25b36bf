package draw

import (
	"image"
	"image/color"
	"image/draw"
)

// Pattern is a test pattern: a frame along the edges; in it an arrow that points upwards,
// a field where every second dot is lit, one that is lit and one that is dark. Wide has
// fields of its colours below. Whoever sees all of it sees that a display is whole, and the
// right way up.
func Pattern(size Size, turned bool) image.Image {
	palette := blackWhite()
	if size == Wide {
		palette = append(palette, color.RGBA{255, 0, 0, 255}, color.RGBA{0, 255, 0, 255}, color.RGBA{0, 0, 255, 255}, color.RGBA{128, 128, 128, 255})
	}
	picture := image.NewPaletted(image.Rectangle{Max: size.Dots()}, palette)
	fill := func(r image.Rectangle, index int) {
		draw.Draw(picture, r, image.NewUniform(palette[index]), image.Point{}, draw.Src)
	}
	fill(picture.Rect, 1)
	fill(picture.Rect.Inset(1), 0)
	room := picture.Rect.Inset(4)
	if len(palette) > 2 {
		colours := image.Rect(room.Min.X, room.Min.Y+room.Dy()*2/3, room.Max.X, room.Max.Y)
		room.Max.Y = colours.Min.Y - 4
		for i := 2; i < len(palette); i++ {
			fill(strip(colours, i-2, len(palette)-2), i)
		}
	}
	arrow(picture, strip(room, 0, 4))
	for y := room.Min.Y; y < room.Max.Y; y++ {
		for part, x := strip(room, 1, 4), room.Min.X; x < room.Max.X; x++ {
			if x >= part.Min.X && x < part.Max.X && (x+y)%2 == 0 {
				picture.SetColorIndex(x, y, 1)
			}
		}
	}
	fill(strip(room, 2, 4), 1)
	if turned {
		turn(picture)
	}
	return picture
}

// strip is part i of n of a field, side by side, with a gap between.
func strip(r image.Rectangle, i, n int) image.Rectangle {
	return image.Rect(r.Min.X+r.Dx()*i/n, r.Min.Y, r.Min.X+r.Dx()*(i+1)/n-2, r.Max.Y)
}

// arrow draws one that points upwards: a triangle on a shaft.
func arrow(picture *image.Paletted, r image.Rectangle) {
	middle, head := (r.Min.X+r.Max.X)/2, min(r.Dx(), r.Dy())/2
	for y := r.Min.Y; y < r.Max.Y; y++ {
		half := head / 3
		if y-r.Min.Y < head {
			half = y - r.Min.Y
		}
		for x := middle - half; x <= middle+half; x++ {
			picture.SetColorIndex(x, y, 1)
		}
	}
}

// PatternLetters are lines for a display of letters: those that it has to be taught, then
// digits, then every dot lit.
func PatternLetters(cols, rows int) []string {
	text := []rune("æøåÆØÅäö0123456789")
	lines := make([]string, rows)
	for row := range lines {
		line := make([]rune, cols)
		for col := range line {
			line[col] = '\u2588'
			if at := row*cols + col; at < len(text) {
				line[col] = text[at]
			}
		}
		lines[row] = string(line)
	}
	return lines
}
