package qr_test

import (
	"encoding/xml"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stolpe/display"
	"stolpe/display/panel"
	"stolpe/display/qr"
)

// An independent reader reads what is drawn here, also with as many modules spoilt as the
// code's error correction is made for.

// read gives what zbarimg finds in each picture.
func read(t *testing.T, files []string) map[string][]string {
	t.Helper()
	if _, err := exec.LookPath("zbarimg"); err != nil {
		t.Skip("part zbar-tools: no zbarimg in PATH")
	}
	found := map[string][]string{}
	for some := range slices.Chunk(files, 200) { // as long as a command may be
		out, err := exec.Command("zbarimg", append([]string{"--quiet", "--xml", "--nodbus", "-Sdisable", "-Sqrcode.enable"}, some...)...).Output()
		const nothing = 4 // as zbarimg ends where there is no code in some picture
		if exit, ok := err.(*exec.ExitError); err != nil && (!ok || exit.ExitCode() != nothing) {
			t.Fatal(err)
		}
		var answer struct {
			Source []struct {
				File string   `xml:"href,attr"`
				Said []string `xml:"index>symbol>data"`
			} `xml:"source"`
		}
		if err := xml.Unmarshal(out, &answer); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		for _, s := range answer.Source {
			found[s.File] = s.Said
		}
	}
	return found
}

// grid is a code whose modules can be spoilt.
type grid struct {
	n    int // modules
	dark []bool
}

func gridOf(c qr.Code) grid {
	g := grid{c.Size(), make([]bool, c.Size()*c.Size())}
	for i := range g.dark {
		g.dark[i] = c.Dark(i%g.n, i/g.n)
	}
	return g
}

// level reads the level of error correction from the format bits (ISO/IEC 18004, 7.9): how
// many of a hundred codewords may be wrong.
func (g grid) level() int {
	const mask = 0b10 // the first two bits of the one that the format is written with
	bits := 0
	for x := range 2 {
		bits <<= 1
		if g.dark[8*g.n+x] {
			bits |= 1
		}
	}
	return map[int]int{0b01: 7, 0b00: 15, 0b11: 25, 0b10: 30}[bits^mask]
}

// fixed says whether a module belongs to no codeword: finder and alignment patterns,
// timing, format. Codes up to version 6 have one alignment pattern.
func (g grid) fixed(x, y int) bool {
	last := g.n - 7
	switch {
	case x < 9 && y < 9, x < 9 && y >= g.n-8, x >= g.n-8 && y < 9, x == 6, y == 6:
		return true
	}
	return g.n > 21 && x >= last-2 && x <= last+2 && y >= last-2 && y <= last+2
}

// codewords gives the modules of each codeword, in the order in which they are written:
// upwards and downwards in turns, two columns at a time, from the right (7.7.3).
func (g grid) codewords() [][]int {
	var all [][]int
	var one []int
	up := true
	for right := g.n - 1; right > 0; right -= 2 {
		if right == 6 {
			right--
		}
		for i := range g.n {
			y := i
			if up {
				y = g.n - 1 - i
			}
			for _, x := range []int{right, right - 1} {
				if g.fixed(x, y) {
					continue
				}
				if one = append(one, y*g.n+x); len(one) == 8 {
					all, one = append(all, one), nil
				}
			}
		}
		up = !up
	}
	return all
}

// draw draws the modules with that many dots each, on a quiet zone.
func (g grid) draw(t *testing.T, file string, dots int) {
	t.Helper()
	const quiet = 4
	picture := image.NewGray(image.Rect(0, 0, (g.n+2*quiet)*dots, (g.n+2*quiet)*dots))
	for i := range picture.Pix {
		x, y := i%picture.Stride/dots-quiet, i/picture.Stride/dots-quiet
		picture.Pix[i] = 255
		if x >= 0 && y >= 0 && x < g.n && y < g.n && g.dark[y*g.n+x] {
			picture.Pix[i] = 0
		}
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, picture); err != nil {
		t.Fatal(err)
	}
}

// addresses are all that samples have codes of.
func addresses() []string {
	var all []string
	for _, s := range panel.Samples(display.NB, display.EN) {
		if p := s.Scene.Page(); p.Code != nil {
			all = append(all, p.Code.Text)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Ten modules of a hundred are spoilt, in whole codewords: that is how they are counted by
// the standard, and single ones spread over all codewords are beyond any code. Finder
// patterns are spared, as no level corrects these.
func TestSmallCodesAreReadWithATenthSpoilt(t *testing.T) {
	dir := t.TempDir()
	var files []string
	want := map[string]string{}
	spoilt := 0
	for _, text := range addresses() {
		c, err := qr.Small(text)
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(20) {
			g := gridOf(c)
			if g.level() > 10 { // of a hundred
				words := g.codewords()
				chance := rand.New(rand.NewPCG(seed, 1))
				for _, i := range chance.Perm(len(words))[:(len(words)+9)/10] {
					for _, at := range words[i] {
						g.dark[at] = !g.dark[at]
						spoilt++
					}
				}
			}
			file := filepath.Join(dir, fmt.Sprintf("%d-%d.png", len(files), seed))
			g.draw(t, file, 3)
			files, want[file] = append(files, file), text
		}
		t.Logf("%s: %d modules, corrects %d %%", text, c.Size(), gridOf(c).level())
	}
	if spoilt == 0 {
		t.Error("nothing was spoilt")
	}
	found := read(t, files)
	for _, file := range files {
		if !slices.Equal(found[file], []string{want[file]}) {
			t.Errorf("%s: read %q, want %q", filepath.Base(file), found[file], want[file])
		}
	}
}

// With more modules more is corrected, never less; a text that needs more than there is
// room for gets the fewest.
func TestToughCodesCorrectMoreInTheRoomThereIs(t *testing.T) {
	for _, text := range addresses() {
		small, err := qr.Small(text)
		if err != nil {
			t.Fatal(err)
		}
		level := gridOf(small).level()
		for _, most := range []int{0, 21, 25, 29, 33, 37, 177, 1000} { // modules
			tough, err := qr.Tough(text, most)
			if err != nil {
				t.Fatal(err)
			}
			if tough.Size() > most && tough.Size() != small.Size() {
				t.Errorf("%s: %d modules, there is room for %d, and %d would do", text, tough.Size(), most, small.Size())
			}
			if now := gridOf(tough).level(); now < level {
				t.Errorf("%s in %d modules: corrects %d %%, %d %% in fewer", text, most, now, level)
			} else {
				level = now
			}
		}
		if level != 30 { // percent, the highest
			t.Errorf("%s: corrects %d %% with all the room in the world", text, level)
		}
	}
	if _, err := qr.Tough(strings.Repeat("x", 5000), 177); err == nil {
		t.Error("5000 characters fit")
	}
}
