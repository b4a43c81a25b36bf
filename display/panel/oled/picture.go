package oled

import (
	"errors"
	"fmt"
	"image"
	"image/color"

	"periph.io/x/devices/v3/ssd1306/image1bit"
)

// picture is one as the controllers have it in their memory: rows of bytes, each of eight
// dots from top to bottom, the lowest bit on top.
type picture [pages * Width]byte

// page gives one of its rows of bytes.
func (p *picture) page(n int) []byte { return p[n*Width : (n+1)*Width] }

// packed gives a picture as the controllers have it.
func packed(src image.Image) (*picture, error) {
	if src == nil {
		return nil, errors.New("the frame has no picture")
	}
	b := src.Bounds()
	if b.Dx() != Width || b.Dy() != Height {
		return nil, fmt.Errorf("the picture has %d x %d dots, the display %d x %d", b.Dx(), b.Dy(), Width, Height)
	}
	dst := &picture{}
	if p, ok := src.(*image.Paletted); ok { // as our pictures are
		dst.paletted(p)
		return dst, nil
	}
	for y := range Height {
		row, bit := dst.page(y/pageHeight), byte(1)<<(y%pageHeight)
		for x := range Width {
			if bright(src.At(b.Min.X+x, b.Min.Y+y)) {
				row[x] |= bit
			}
		}
	}
	return dst, nil
}

// paletted packs a picture whose dots are indices.
func (p *picture) paletted(src *image.Paletted) {
	var lit [256]byte // by index: 1 or 0
	for i, c := range src.Palette {
		if bright(c) {
			lit[i] = 1
		}
	}
	for y := range Height {
		row, dots, bit := p.page(y/pageHeight), src.Pix[y*src.Stride:][:Width], y%pageHeight
		for x, dot := range dots {
			row[x] |= lit[dot] << bit
		}
	}
}

// bright says whether a colour is brighter than half.
func bright(c color.Color) bool { return bool(image1bit.BitModel.Convert(c).(image1bit.Bit)) }
