package file

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stolpe/display/panel"
)

// picture is one whose first dot is told by its shade.
func picture(shade uint8) panel.Frame {
	m := image.NewRGBA(image.Rect(0, 0, 8, 4))
	m.SetRGBA(0, 0, color.RGBA{shade, shade, shade, 255})
	return panel.Frame{Image: m}
}

// shade reads the file as anybody does.
func shade(t *testing.T, path string) uint8 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	r, _, _, _ := m.At(0, 0).RGBA()
	return uint8(r >> 8)
}

func TestEachPictureReplacesTheLast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "display.png")
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []uint8{10, 200} {
		if err := d.Show(picture(s)); err != nil {
			t.Fatal(err)
		}
		if got := shade(t, path); got != s {
			t.Errorf("the file shows %d, want %d", got, s)
		}
	}
	at, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if at.Mode().Perm() != 0o644 {
		t.Errorf("the file has mode %v: another user cannot show it", at.Mode())
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if got := shade(t, path); got != 200 {
		t.Errorf("closed, the file shows %d: the last picture must stay", got)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v (%v), want the picture alone", left, err)
	}
}

func TestAnEqualPictureIsNotWrittenAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "display.png")
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Show(picture(1)); err != nil {
		t.Fatal(err)
	}
	first, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	wrote := d.Wrote()
	if wrote != first.Size() {
		t.Errorf("%d bytes written, and the file has %d", wrote, first.Size())
	}
	if err := d.Show(picture(1)); err != nil {
		t.Fatal(err)
	}
	again, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(first, again) || d.Wrote() != wrote {
		t.Error("an equal picture was written again")
	}
}

func TestAFolderThatIsGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "stick")
	if _, err := Open(filepath.Join(dir, "display.png")); err == nil {
		t.Error("opened in a folder that is not there")
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	d, err := Open(filepath.Join(dir, "display.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := d.Show(picture(1)); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("shown in a folder that is gone: %v, want an error with its name", err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := d.Show(picture(1)); err != nil {
		t.Errorf("the folder is back: %v", err)
	}
	if err := d.Show(panel.Frame{Lines: []string{"LEDIG"}}); err == nil {
		t.Error("a frame without dots was shown")
	}
	if _, err := Open(filepath.Join(dir, "display.png", "x.png")); err == nil {
		t.Error("opened in a file that is no folder")
	}
}

// Whoever has begun to read goes on to read one picture, and what cannot be put in its place
// is not left beside it.
func TestAPictureIsNeverHalfThere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "display.png")
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Show(picture(10)); err != nil {
		t.Fatal(err)
	}
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := d.Show(picture(200)); err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(reader)
	if err != nil {
		t.Fatal(err)
	}
	if r, _, _, _ := m.At(0, 0).RGBA(); uint8(r>>8) != 10 {
		t.Errorf("who read the first picture got %d in the middle of it", uint8(r>>8))
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := d.Show(picture(90)); err == nil {
		t.Error("a folder was replaced by a picture")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v (%v)", left, err)
	}
}
