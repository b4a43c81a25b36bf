package raspberry

import (
	"strings"
	"testing"
	"testing/fstest"
)

const (
	four   = "Raspberry Pi 4 Model B Rev 1.4"
	module = "Raspberry Pi Compute Module 4 Rev 1.1"
	five   = "Raspberry Pi 5 Model B Rev 1.0"
	zero2  = "Raspberry Pi Zero 2 W Rev 1.0"
	plus   = "Raspberry Pi 3 Model B Plus Rev 1.3"
)

// A section holds for the boards that the documentation names, until another of its sort
// takes its place; those of different sorts must all hold, and [all] ends every one.
func TestSections(t *testing.T) {
	for _, x := range []struct {
		boot, model string
		want        bool
	}{
		{"a=1", four, true},
		{"[all]\na=1", five, true},
		{"[pi4]\na=1", four, true}, {"[pi4]\na=1", module, true}, {"[pi4]\na=1", five, false}, {"[cm4]\na=1", four, false}, {"[cm4]\na=1", module, true},
		{"[pi5]\n[pi4]\na=1", four, true}, {"[pi5]\na=1\n[pi4]", four, false},
		{"[pi5]\n[all]\na=1", four, true},
		{"[none]\na=1", four, false}, {"[none]\na=1\n[all]", four, false},
		{"[pi0]\na=1", zero2, true}, {"[pi0w]\na=1", zero2, true}, {"[pi02]\na=1", zero2, true}, {"[pi3]\na=1", zero2, false},
		{"[pi3+]\na=1", plus, true}, {"[pi3]\na=1", plus, true},
		{"[board-type=0x14]\na=1", module, true}, {"[board-type=0x14]\na=1", four, false}, {"[board-type=x]\na=1", four, false},
		{"[0x12345678]\na=1", four, true}, {"[0x12345679]\na=1", four, false}, {"[0x12345678]\n[pi5]\na=1", four, false}, {"[pi4]\n[0x12345678]\na=1", four, true},
		{"[gpio4=1]\na=1", four, false}, {"[gpio4=1]\n[pi4]\na=1", four, false}, {"[EDID=X]\n[all]\na=1", four, true}, {"[tryboot]\na=1", four, false},
		{"[pi9]\na=1", four, false}, {"[pi9]\n[pi4]\na=1", four, true},
		{"#a=1", four, false}, {" a=1 \r", four, true},
		{"[pi4]\na=1", "Raspberry Pi 17", false}, {"[board-type=-1]\na=1", "Raspberry Pi 17", false},
		{"x=" + strings.Repeat("y", 96) + "\na=1", four, true},
	} {
		s, file := Read(fstest.MapFS{"boot/firmware/config.txt": {Data: []byte(x.boot + "\n")}}, Board{Model: x.model, Serial: "10000000" + "12345678"})
		if got := s.Value("a") == "1"; got != x.want || file != "boot/firmware/config.txt" {
			t.Errorf("%q on %s: %v in %s, want %v", x.boot, x.model, got, file, x.want)
		}
	}
}

// An included file stands where it is included, also its sections; the firmware reads
// only so much of a line.
func TestIncludes(t *testing.T) {
	files := fstest.MapFS{
		"boot/config.txt": {Data: []byte("a=1\ninclude post.txt\nb=1\n[all]\nc=1\n[pi5]\ninclude five.txt\n")},
		"boot/post.txt":   {Data: []byte("a=2\n[pi5]\n")},
		"boot/five.txt":   {Data: []byte("five=1\n")},
	}
	s, file := Read(files, Board{Model: four})
	if file != "boot/config.txt" || s.Value("a") != "2" || s.Value("b") != "" || s.Value("c") != "1" || s.Value("five") != "" {
		t.Errorf("%s: %v", file, s)
	}
	if s, _ := Read(files, Board{Model: five}); s.Value("b") != "1" || s.Value("five") != "1" {
		t.Errorf("on a five: %v", s)
	}
	files["boot/post.txt"] = &fstest.MapFile{Data: []byte("n=1\ninclude ../boot/../post.txt\ninclude post.txt\n")}
	if s, _ := Read(files, Board{Model: four}); s.Value("n") != "1" || s.Value("c") != "1" {
		t.Errorf("a file that includes itself: %v", s)
	}
	long := "gpio=" + strings.Repeat("2,", 45) + "17=op,dh"
	if s, _ := Read(fstest.MapFS{"boot/config.txt": {Data: []byte(long)}}, Board{Model: four}); len(s) != 1 || len(s[0].Value) != lineMost-len("gpio=") {
		t.Errorf("a line of %d: %v", len(long), s)
	}
	if s, file := Read(fstest.MapFS{}, Board{Model: four}); s != nil || file != "" {
		t.Errorf("nothing: %v %q", s, file)
	}
}

func TestParametersAndOverlays(t *testing.T) {
	files := fstest.MapFS{"boot/config.txt": {Data: []byte("dtparam=i2c_arm=on,spi=off\ndtparam=strict_gpiod\ndtparam=spi=on\ndtparam=audio=off\ndtoverlay=disable-bt,x=1\nenable_uart=1\n")}}
	s, _ := Read(files, Board{Model: four})
	for name, want := range map[string]bool{"i2c_arm": true, "spi": true, "strict_gpiod": true, "audio": false, "watchdog": false} {
		if s.Param(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	if !s.Overlay("disable-bt") || s.Overlay("miniuart-bt") || s.Value("enable_uart") != "1" {
		t.Errorf("%v", s)
	}
}

// Where a line rests: pulled from power-on, and then as config.txt has it.
func TestRest(t *testing.T) {
	for _, x := range []struct {
		boot string
		n    int
		want Rest
	}{
		{"", 8, Rest{High: true}}, {"", 9, Rest{}},
		{"gpio=5=op,dl", 5, Rest{Driven: true}}, {"gpio=17=op,dh", 17, Rest{High: true, Driven: true}},
		{"gpio=0-8=pd", 8, Rest{}}, {"gpio=0-8=pd\ngpio=5=pu", 5, Rest{High: true}}, {"gpio=2-4, 17=op,dh", 17, Rest{High: true, Driven: true}},
		{"gpio=17=dh", 17, Rest{}}, // of an input it says nothing
		{"gpio=17=op,dh\ngpio=17=ip", 17, Rest{}}, {"gpio=17=op", 17, Rest{Driven: true}}, {"gpio=17=op,dl\ngpio=0-27=a2", 17, Rest{}},
		{"gpio=x-y,3-z=op,dh", 17, Rest{}},
	} {
		s, _ := Read(fstest.MapFS{"boot/config.txt": {Data: []byte(x.boot)}}, Board{Model: four})
		if got := s.Rest(x.n); got != x.want {
			t.Errorf("%q: line %d rests %+v, want %+v", x.boot, x.n, got, x.want)
		}
	}
	if n, ok := Number("GPIO17"); n != 17 || !ok {
		t.Error(n, ok)
	}
	for _, name := range []string{"GPIO28", "gpiochip0/17", "XGPIO1", "GPIO"} {
		if _, ok := Number(name); ok {
			t.Errorf("%s is none of the header", name)
		}
	}
}

func TestBoards(t *testing.T) {
	for model, rp1 := range map[string]bool{five: true, "Raspberry Pi 500 Rev 1.0": true, "Raspberry Pi Compute Module 5 Lite Rev 1.0": true, four: false, zero2: false, "Raspberry Pi 17": false, "": false} {
		if b := (Board{Model: model}); b.RP1() != rp1 || b.Is() != (model != "") {
			t.Errorf("%q: %v %v", model, b.RP1(), b.Is())
		}
	}
	seen := map[int64]bool{}
	for _, k := range kinds() {
		if seen[k.number] || len(k.filters) == 0 {
			t.Errorf("%+v", k)
		}
		seen[k.number] = true
	}
}

func TestCmdline(t *testing.T) {
	c := ParseCmdline("console=serial0,115200 console=tty1 root=PARTUUID=x rootwait a.b=1 a.b=n\n")
	if v, said := c.Value("a.b"); v != "n" || !said {
		t.Errorf("%q %v", v, said)
	}
	if _, said := c.Value("a"); said {
		t.Error("a is not said")
	}
	if got := strings.Join(c.Consoles(), " "); got != "serial0 tty1" {
		t.Error(got)
	}
	d := c.Without(func(w string) bool { return strings.HasPrefix(w, "console=serial") }).With("quiet").With("quiet")
	if got := d.String(); got != "console=tty1 root=PARTUUID=x rootwait a.b=1 a.b=n quiet\n" || len(c) != 6 {
		t.Errorf("%q, before %v", got, c)
	}
}
