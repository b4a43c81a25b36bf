package term

import (
	"fmt"
	"image"
	"image/color"
	"io"
	"strings"
)

// Picture draws a picture of black and white dots for a terminal with light letters on a
// dark ground: two dots in each letter, inside a frame. The error is the writer's.
func Picture(w io.Writer, picture image.Image) error {
	var text strings.Builder
	b := picture.Bounds()
	lit := func(x, y int) bool {
		return y < b.Max.Y && color.GrayModel.Convert(picture.At(x, y)).(color.Gray).Y > 127
	}
	edge := strings.Repeat("─", b.Dx())
	text.WriteString("┌" + edge + "┐\n")
	for y := b.Min.Y; y < b.Max.Y; y += 2 {
		text.WriteString("│")
		for x := b.Min.X; x < b.Max.X; x++ {
			switch upper, lower := lit(x, y), lit(x, y+1); {
			case upper && lower:
				text.WriteString("█")
			case upper:
				text.WriteString("▀")
			case lower:
				text.WriteString("▄")
			default:
				text.WriteString(" ")
			}
		}
		text.WriteString("│\n")
	}
	text.WriteString("└" + edge + "┘\n")
	return written(w, text.String())
}

// Letters draws what a display of letters shows, inside a frame.
func Letters(w io.Writer, lines []string, cols int) error {
	var text strings.Builder
	edge := strings.Repeat("─", cols)
	text.WriteString("┌" + edge + "┐\n")
	for _, line := range lines {
		fmt.Fprintf(&text, "│%-*s│\n", cols, strings.Map(printable, line))
	}
	text.WriteString("└" + edge + "┘\n")
	return written(w, text.String())
}

func written(w io.Writer, text string) error {
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("term: draw: %w", err)
	}
	return nil
}
