package main

import (
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A setup draws on the display that was answered, and says in its report whether that came
// off. One that does not work holds up nothing.
func TestSetupTriesTheDisplay(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct{ folder, want string }{
		"works":     {".", "passed: png: is drawn"},
		"no folder": {"none", "passed, with a remark: png: DIS-001, "},
	} {
		dir := t.TempDir()
		picture := filepath.Join(dir, x.folder, "display.png")
		got := command("setup", "--config", filepath.Join(dir, "a.yaml"), "--simulated", "--skip", "close,pay,selftest", "--yes", "--lang", "en", "--control-dir", shortDir(t), "--report", filepath.Join(dir, "report"),
			"--display-kind", "png", "--display-url", "file://"+picture+"?size=128x64")
		if got.code != 0 || !strings.Contains(got.stderr, x.want) {
			t.Errorf("%s: %+v: want %q", name, got, x.want)
		}
		report, err := os.ReadFile(filepath.Join(dir, "report.txt"))
		if err != nil || !strings.Contains(string(report), x.want) {
			t.Errorf("%s: %s, %v: want %q", name, report, err, x.want)
		}
		if x.folder != "." {
			continue
		}
		file, err := os.Open(picture)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if drawn, err := png.DecodeConfig(file); err != nil || drawn.Width != 128 || drawn.Height != 64 {
			t.Errorf("%+v, %v", drawn, err)
		}
	}
}

// A display with an address that no display has is refused before anything is tried.
func TestSetupRefusesADisplayThatIsNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := command("setup", "--config", filepath.Join(dir, "a.yaml"), "--simulated", "--skip", "close,pay,selftest", "--yes", "--lang", "en", "--display-kind", "oled", "--display-url", "i2c:///dev/i2c-1")
	if got.code != exitConfig || !strings.Contains(got.stderr, `--display-url: found "i2c:///dev/i2c-1"; want it with address`) {
		t.Errorf("%+v", got)
	}
}
