package chromium

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"slices"
)

// colours is how many a picture has at most. Chosen by us: text stays smooth, and
// the picture of a page takes 10 to 30 kB.
const colours = 12

// Picture makes a small PNG file of one that the browser has made, for people to look at.
func Picture(shot []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return nil, fmt.Errorf("read the picture: %w", err)
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, fewColours(full)); err != nil {
		return nil, fmt.Errorf("write the picture: %w", err)
	}
	return small.Bytes(), nil
}

// fewColours draws a picture with the colours it has most of.
func fewColours(from image.Image) *image.Paletted {
	count := map[color.RGBA]int{}
	b := from.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			count[color.RGBAModel.Convert(from.At(x, y)).(color.RGBA)]++
		}
	}
	var all []color.RGBA
	for c := range count {
		all = append(all, c)
	}
	slices.SortFunc(all, func(p, q color.RGBA) int {
		return cmp.Or(cmp.Compare(count[q], count[p]), cmp.Compare(p.R, q.R), cmp.Compare(p.G, q.G), cmp.Compare(p.B, q.B))
	})
	var palette color.Palette
	add := func(least, apart int) {
		for _, c := range all {
			if len(palette) < colours && count[c] >= least && far(c, palette) >= apart {
				palette = append(palette, c)
			}
		}
	}
	add(b.Dx()*b.Dy()/500, 1) // grounds
	for apart := 96; apart > 0; apart /= 2 {
		add(1, apart) // then those that differ most
	}
	to := image.NewPaletted(b, palette)
	draw.Draw(to, b, from, b.Min, draw.Src)
	return to
}

// far says how far a colour is from the nearest in the palette: the sum of its
// differences in red, green and blue.
func far(c color.RGBA, palette color.Palette) int {
	nearest := 3 * 256
	for _, p := range palette {
		p, sum := p.(color.RGBA), 0
		for _, d := range []int{int(c.R) - int(p.R), int(c.G) - int(p.G), int(c.B) - int(p.B)} {
			sum += max(d, -d)
		}
		nearest = min(nearest, sum)
	}
	return nearest
}
