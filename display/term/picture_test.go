package term

import (
	"errors"
	"image"
	"image/color"
	"strings"
	"testing"
)

func TestPicture(t *testing.T) {
	t.Parallel()
	p := image.NewPaletted(image.Rect(0, 0, 4, 3), color.Palette{color.Black, color.White})
	for _, dot := range []image.Point{{0, 0}, {1, 1}, {2, 0}, {2, 1}, {3, 2}} {
		p.SetColorIndex(dot.X, dot.Y, 1)
	}
	var text strings.Builder
	if err := Picture(&text, p); err != nil {
		t.Fatal(err)
	}
	const want = "┌────┐\n│▀▄█ │\n│   ▀│\n└────┘\n"
	if text.String() != want {
		t.Errorf("drew\n%swant\n%s", text.String(), want)
	}
}

func TestLetters(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	if err := Letters(&text, []string{"LEDIG", "på\x1b["}, 6); err != nil {
		t.Fatal(err)
	}
	const want = "┌──────┐\n│LEDIG │\n│på?[  │\n└──────┘\n"
	if text.String() != want {
		t.Errorf("drew\n%swant\n%s", text.String(), want)
	}
}

func TestPictureThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	if err := Picture(full{}, image.NewGray(image.Rect(0, 0, 1, 1))); !errors.Is(err, errFull) {
		t.Error(err)
	}
	if err := Letters(full{}, nil, 1); !errors.Is(err, errFull) {
		t.Error(err)
	}
}
