package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"stolpe/agent/config"
	"stolpe/display/panel"
)

// shownIn is a post with a picture for a display and one that the machine has not, and
// where the picture is.
func shownIn(t *testing.T) (file, picture string) {
	t.Helper()
	picture = filepath.Join(t.TempDir(), "post.png")
	return configured(t, t.TempDir(), simEVSEs, simEVSEs+fmt.Sprintf(`display:
  - {kind: png, url: "file://%s?size=128x64"}
  - {kind: oled, model: ssd1306, url: "i2c:///dev/i2c-none?address=0x3c"}
`, picture)), picture
}

// drawnAs is the picture of a page of the configuration's first display.
func drawnAs(t *testing.T, file string, end bool) []byte {
	t.Helper()
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	s := (&parts{posts: posts{info: cfg.Post}}).showOn(cfg, cfg.Displays[0], nil)
	f := s.draw(s.frame(end))
	var b bytes.Buffer
	if err := png.Encode(&b, f.Image); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// samePicture says whether a file has that picture, whatever way it is packed.
func samePicture(t *testing.T, path string, want []byte) bool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	got, err := png.Decode(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	is, err := png.Decode(bytes.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	if got.Bounds() != is.Bounds() {
		return false
	}
	for y := range got.Bounds().Dy() {
		for x := range got.Bounds().Dx() {
			r, _, _, _ := got.At(x, y).RGBA()
			if w, _, _, _ := is.At(x, y).RGBA(); r != w {
				return false
			}
		}
	}
	return true
}

// The display of a daemon shows what its post does, and at its end that this is over. One
// that is not there keeps nobody from charging. The doctor knows of both.
func TestDaemonHasDisplays(t *testing.T) {
	t.Parallel()
	file, picture := shownIn(t)
	d := serve(t, file)
	over := drawnAs(t, file, true)
	until(t, "the display shows a post that runs", func() bool {
		_, err := os.Stat(picture)
		return err == nil && !samePicture(t, picture, over)
	})
	until(t, "the other display counts as failed", func() bool { return strings.Contains(d.log.String(), "code=DIS-001") })
	if scene, _, all := d.page(t); scene == "" {
		t.Errorf("the driver's page is not there: %s", all)
	}
	got := command("failsafe", "--config", file)
	if got.code != 0 || strings.Contains(got.stdout, "display") || samePicture(t, picture, over) {
		t.Errorf("failsafe draws beside a daemon that runs: %+v", got)
	}
	d.end()
	if !samePicture(t, picture, over) {
		t.Error("at the end the display does not say that the post is out of order")
	}
}

// Failsafe has every display that it can reach say that the post is out of order, and opens
// contactors whatever displays do.
func TestFailsafeOnDisplays(t *testing.T) {
	t.Parallel()
	file, picture := shownIn(t)
	got := command("failsafe", "--config", file)
	if got.code != 0 || !strings.Contains(got.stdout, "none was opened\nout of order, says display png\n") || !strings.Contains(got.stderr, "display oled may still show what is over: ") {
		t.Errorf("%+v", got)
	}
	if !samePicture(t, picture, drawnAs(t, file, true)) {
		t.Error("the picture is another")
	}
	got = command("failsafe", "--config", file, "--json")
	var said openedJSON
	if err := json.Unmarshal([]byte(got.stdout), &said); err != nil || got.code != 0 || strings.Join(said.Displays, " ") != "png" || said.Open == nil {
		t.Errorf("%v: %+v", err, got)
	}
}

// At a shutdown the log ends before the post does. Displays are drawn all the same.
func TestFailsafeGoesOnWhenNobodyListens(t *testing.T) {
	t.Parallel()
	file, picture := shownIn(t)
	read, gone, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close()
	read.Close()
	c := exec.Command(program.path(t), "failsafe", "--config", file)
	c.Stdout, c.Stderr = gone, gone
	if err := c.Run(); err != nil {
		t.Errorf("failsafe: %v", err)
	}
	if !samePicture(t, picture, drawnAs(t, file, true)) {
		t.Error("the display does not say that the post is out of order")
	}
}

// What was noted as the line of a contactor is driven for no display: the post may be wired
// as it was when that was written.
func TestFailsafeClosesNoContactorByDrawing(t *testing.T) {
	t.Parallel()
	file := configured(t, t.TempDir(), simEVSEs, simEVSEs+"display: [{kind: light, url: \"lines:?red=nochip/6&green=nochip/12&blue=nochip/13\"}]\n")
	for noted, alone := range map[string]bool{"!nochip/12": true, "nochip/6": true, "nochip/5": false} {
		var stderr bytes.Buffer
		if drawn := outOfOrder(t.Context(), file, []string{noted}, &stderr); drawn != nil || strings.Contains(stderr.String(), "it is left alone") != alone {
			t.Errorf("%s noted: drawn %v, %s", noted, drawn, &stderr)
		}
	}
}

// What stays has neither a price nor a code, though the address of the pages is known.
func TestLastPage(t *testing.T) {
	file, _ := shownIn(t)
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	p := (&parts{posts: posts{info: cfg.Post, pages: "https://lad.example.no"}}).showOn(cfg, cfg.Displays[0], nil).frame(true).Page
	if p.Face != panel.OutOfOrder || p.Code != nil || p.Price != "" || p.Big[0] == "" || p.Help == "" {
		t.Errorf("%+v", p)
	}
}

// A display that the machine has not gives an error that says what is missing, and keeps
// nothing open.
func TestDisplaysThatAreNotThere(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("buses are the kernel's")
	}
	dir := t.TempDir()
	for _, x := range []struct{ kind, model, url, says string }{
		{"oled", "ssd1306", "i2c:///dev/i2c-none?address=0x3c", "/dev/i2c-none"},
		{"oled", "sh1106", "spi:///dev/spidev-none?dc=GPIO6", "/dev/spidev-none"},
		{"epaper", "waveshare213", "spi:///dev/spidev-none?dc=GPIO6&reset=GPIO12&busy=GPIO13", "/dev/spidev-none"},
		{"epaper", "waveshare213_v3", "spi:///dev/spidev-none?dc=GPIO6&reset=GPIO12&busy=GPIO13", "/dev/spidev-none"},
		{"lcd", "hd44780_20x4", "i2c:///dev/i2c-none?address=0x27", "/dev/i2c-none"},
		{"lcd", "hd44780_16x2", "lines:?rs=nochip/1&e=nochip/2&d4=nochip/3&d5=nochip/4&d6=nochip/5&d7=nochip/6", "line rs"},
		{"framebuffer", "", "fb:///dev/fb-none", "/dev/fb-none"},
		{"png", "", "file://" + dir + "/none/post.png?size=800x480", "none"},
		{"light", "", "lines:?red=nochip/1&green=nochip/2&blue=nochip/3", "line red"},
		{"light", "", "pwm:///sys/class/pwm/pwmchip-none?red=0&green=1&blue=2", "pwmchip-none"},
	} {
		text := demoConfig + fmt.Sprintf("display: [{kind: %s, url: %q", x.kind, x.url)
		if x.model != "" {
			text += ", model: " + x.model
		}
		cfg, err := config.Parse("test", strings.NewReader(text+"}]\n"), config.System)
		if err != nil {
			t.Fatal(err)
		}
		s := (&parts{posts: posts{info: cfg.Post}}).showOn(cfg, cfg.Displays[0], nil)
		d, err := s.open()
		if err == nil || !strings.Contains(err.Error(), x.says) || d != nil {
			t.Errorf("%s: %v, want an error with %q", x.url, err, x.says)
		}
	}
}

// Root draws where only root can have said so.
func TestRootLeavesTheDisplaysOfOthersAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if whose := othersThan(0, dir); (whose == "") != (os.Geteuid() == 0) {
		t.Errorf("a folder of uid %d: root asks %q", os.Geteuid(), whose)
	}
	if err := os.Chmod(dir, 0o775); err != nil {
		t.Fatal(err)
	}
	if othersThan(0, dir) == "" {
		t.Error("a group may write there, and root goes by what it says")
	}
	if whose := othersThan(1000, dir); whose != "" {
		t.Errorf("whoever is not root has to ask %s", whose)
	}
	if os.Geteuid() != 0 {
		return
	}
	file, _ := plantedPost(t)
	put(t, file, string(must(os.ReadFile(filepath.Clean(file))))+"\ndisplay: [{kind: png, url: \"file://"+dir+"/post.png?size=128x64\"}]\n")
	if err := os.Chmod(filepath.Dir(file), 0o775); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	if drawn := outOfOrder(t.Context(), file, nil, &said); drawn != nil || !strings.Contains(said.String(), "sudo -u root stolpe failsafe") {
		t.Errorf("draws %v, says %s", drawn, &said)
	}
	if _, err := os.Stat(filepath.Join(dir, "post.png")); err == nil {
		t.Error("there is a picture")
	}
}
