package chromium

import (
	"image"
	"image/color"
	"image/draw"
	"testing"
)

func TestAPictureKeepsItsColours(t *testing.T) {
	from := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		from.Set(i%64, i/64, color.RGBA{uint8(i % 64 * 4), 40, 90, 255}) // 64 shades
	}
	ground := color.RGBA{10, 107, 78, 255}
	draw.Draw(from, image.Rect(0, 0, 64, 48), image.NewUniform(ground), image.Point{}, draw.Src)
	to := fewColours(from)
	if len(to.Palette) != colours {
		t.Errorf("%d colours, want %d", len(to.Palette), colours)
	}
	if got := color.RGBAModel.Convert(to.At(3, 3)); got != ground {
		t.Errorf("the ground is %v, want %v", got, ground)
	}
}
