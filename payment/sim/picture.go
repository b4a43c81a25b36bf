package sim

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"unicode"
)

// Pictures of codes are plain signs: words in a dashed frame. They cannot be
// scanned, and nobody takes them for the provider's.

// drawSVG draws lines of words, size pixels wide and high.
func drawSVG(size int, lines []string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 100 100">`, size, size)
	b.WriteString(`<rect width="100" height="100" fill="#fff"/><rect x="3" y="3" width="94" height="94" fill="none" stroke="#000" stroke-dasharray="4 2"/>`)
	for i, line := range lines {
		fmt.Fprintf(&b, `<text x="50" y="%d" font-family="monospace" font-size="%.1f" text-anchor="middle">`,
			100*(i+1)/(len(lines)+1), min(12, 140/float64(max(1, len([]rune(line))))))
		xml.EscapeText(&b, []byte(line)) //nolint:errcheck // a buffer takes everything
		b.WriteString("</text>")
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// drawPNG draws lines of words, size pixels wide and high.
func drawPNG(size int, lines []string) []byte {
	p := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.White, color.Black})
	frame(p, size)
	for i, line := range lines {
		write(p, size*(i+1)/(len(lines)+1), line)
	}
	var b bytes.Buffer
	png.Encode(&b, p) //nolint:errcheck // a buffer takes everything
	return b.Bytes()
}

// frame draws a dashed frame.
func frame(p *image.Paletted, size int) {
	edge, dash := size/32, size/16
	for at := edge; at < size-edge; at++ {
		if at/dash%2 == 1 {
			continue
		}
		for wide := range max(1, edge/4) {
			p.SetColorIndex(at, edge+wide, 1)
			p.SetColorIndex(at, size-1-edge-wide, 1)
			p.SetColorIndex(edge+wide, at, 1)
			p.SetColorIndex(size-1-edge-wide, at, 1)
		}
	}
}

// A letter is 3 dots wide and 5 high, with one dot between two of them.
const (
	letterWidth  = 3
	letterHeight = 5
	letterStep   = letterWidth + 1
)

// write puts words around the middle of a row, as large as they fit and at least
// one pixel a dot: what does not fit then is cut off.
func write(p *image.Paletted, middle int, line string) {
	size := p.Bounds().Dx()
	letters := []rune(strings.ToUpper(line))
	dot := max(1, min(size*3/4/(letterStep*max(1, len(letters))), size/48))
	x := (size - dot*letterStep*len(letters)) / 2
	for i, r := range letters {
		for at, dark := range letter(r) {
			if dark != '#' {
				continue
			}
			left, top := x+dot*(i*letterStep+at%letterWidth), middle+dot*(at/letterWidth-letterHeight/2)
			for n := range dot * dot {
				p.SetColorIndex(left+n%dot, top+n/dot, 1) // nothing, where that is outside
			}
		}
	}
}

// alphabet and its letters, row by row.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+%"

// letter gives the 15 dots of a letter, from the top left; a box for others.
func letter(r rune) string {
	const dots = ".#.#.#####.##.#" + "##.#.###.#.###." + ".###..#..#...##" + "##.#.##.##.###." + "####..##.#..###" +
		"####..##.#..#.." + ".###..#.##.#.##" + "#.##.#####.##.#" + "###.#..#..#.###" + "..#..#..##.#.#." +
		"#.##.###.#.##.#" + "#..#..#..#..###" + "#.#####.##.##.#" + "##.#.##.##.##.#" + ".#.#.##.##.#.#." +
		"##.#.###.#..#.." + ".#.#.##.##.#.##" + "##.#.###.#.##.#" + ".###...#...###." + "###.#..#..#..#." +
		"#.##.##.##.####" + "#.##.##.##.#.#." + "#.##.##.#####.#" + "#.##.#.#.#.##.#" + "#.##.#.#..#..#." +
		"###..#.#.#..###" +
		"####.##.##.####" + ".#.##..#..#.###" + "##...#.#.#..###" + "##...#.#...###." + "#.##.####..#..#" +
		"####..##...###." + ".###..####.####" + "###..#.#..#..#." + "####.#####.####" + "####.####..###." +
		"......###......" + "............###" + "....#.###.#...." + "#.#..#.#.#..#.#"
	if unicode.IsSpace(r) {
		return ""
	}
	if i := strings.IndexRune(alphabet, r); i >= 0 {
		return dots[i*letterWidth*letterHeight:][:letterWidth*letterHeight]
	}
	return "####.##.##.####"
}
