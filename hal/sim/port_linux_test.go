package sim

import (
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestAPulledAdapterHangsUpAndComesBackAsAnother(t *testing.T) {
	l := wired(t, Serial{})
	for range 3 {
		at := l.URL()
		port := master(t, l)
		say(t, port, askPower)
		hear(t, port, sayPower)
		l.Unplug()
		l.Unplug() // nothing happens
		if n, err := port.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("read %d bytes, %v, want the end", n, err)
		}
		if _, err := port.Write(askPower); !errors.Is(err, syscall.EIO) {
			t.Errorf("write: %v, want EIO", err)
		}
		if _, err := os.Stat(pathOf(t, at)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the port: %v, want none", err)
		}
		port.Close() // the number is not given away even so
		for range 2 {
			if err := l.Plug(); err != nil {
				t.Fatal(err)
			}
		}
		if l.URL() == at {
			t.Errorf("it is at %s again", at)
		}
	}
}

func pathOf(t *testing.T, at string) string {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil || u.Scheme != "rtu" || u.Host != "" {
		t.Fatalf("url %s, %v", at, err)
	}
	return u.Path
}

func TestALinkLeadsToTheAdapterWhileItIsIn(t *testing.T) {
	link := filepath.Join(t.TempDir(), "usb FTDI %20?#-if00-port0")
	if err := os.Symlink("/dev/pts/left-behind", link); err != nil {
		t.Fatal(err)
	}
	l := wired(t, Serial{Link: link, Parity: "O", StopBits: 2, Baud: 4800})
	at := l.URL()
	if u, err := url.Parse(at); err != nil || u.Path != link || u.RawQuery != "baud=4800&parity=O&stop=2" {
		t.Fatalf("url %s, %v", at, err)
	}
	var targets [2]string
	for i := range targets {
		port := master(t, l)
		say(t, port, askPower)
		hear(t, port, sayPower)
		targets[i], _ = os.Readlink(link)
		l.Unplug()
		if _, err := os.Lstat(link); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the link: %v, want none", err)
		}
		if err := l.Plug(); err != nil {
			t.Fatal(err)
		}
		if l.URL() != at {
			t.Errorf("it moved from %s to %s", at, l.URL())
		}
	}
	if targets[0] == targets[1] {
		t.Errorf("the link leads to %s twice", targets[0])
	}
	os.Remove(link)
	os.Symlink("/dev/pts/of-another", link)
	l.Unplug()
	if target, err := os.Readlink(link); err != nil || target != "/dev/pts/of-another" {
		t.Errorf("another's link: %q, %v, want it left alone", target, err)
	}
}

func TestALinkMayBeRelativeAndLeadsThereAllTheSame(t *testing.T) {
	t.Chdir(t.TempDir())
	l := wired(t, Serial{Link: "adapter"})
	port := master(t, l)
	say(t, port, askPower)
	hear(t, port, sayPower)
}

func TestOtherSettingsThanTheSlavesAreSilence(t *testing.T) {
	l := wired(t, Serial{Baud: 9600, Parity: "E"})
	port := master(t, l)
	configure(t, port, 19_200, "E", "1")
	say(t, port, askPower)
	if came := quiet(t, port, 100*time.Millisecond); len(came) > 0 {
		t.Errorf("answered with % x", came)
	}
	configure(t, port, 9600, "E", "1")
	say(t, port, askSerial)
	hear(t, port, saySerial)
}

// A new port is at 38,400 baud, without parity, and passes all bytes on as they
// are: a master must set what it wants, unless it wants that.
func TestAMasterThatSetsNothingHasANewPort(t *testing.T) {
	for baud, want := range map[int][]byte{9600: nil, 38_400: sayPower} {
		l := wired(t, Serial{Baud: baud})
		port, err := os.OpenFile(pathOf(t, l.URL()), os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer port.Close()
		say(t, port, askPower)
		hear(t, port, want)
		if came := quiet(t, port, 100*time.Millisecond); len(came) > 0 {
			t.Errorf("%d baud: % x too much", baud, came)
		}
	}
}

func TestEachSettingMustAgree(t *testing.T) {
	l := wired(t, Serial{})
	port := master(t, l)
	var all []Serial
	for _, baud := range []int{1200, 9600, 12_345, 115_200} {
		for _, parity := range []string{"N", "E", "O"} {
			for _, stop := range []int{1, 2} {
				all = append(all, Serial{Baud: baud, Parity: parity, StopBits: stop})
			}
		}
	}
	for _, set := range all {
		configure(t, port, set.Baud, set.Parity, strconv.Itoa(set.StopBits))
		for _, slaves := range all {
			if got := l.port.agrees(slaves); got != (set == slaves) {
				t.Errorf("master %+v, slaves %+v: agree %v", set, slaves, got)
			}
		}
	}
	l.Unplug()
	if l.gone.agrees(all[0]) {
		t.Error("a pulled adapter agrees")
	}
}

func TestALineLeavesNothingBehind(t *testing.T) {
	meter, _ := billing("1")
	link := filepath.Join(t.TempDir(), "adapter")
	before := descriptors(t)
	for range 5 {
		l, err := ServeRTU(Units{7: meter}, Serial{Link: link})
		if err != nil {
			t.Fatal(err)
		}
		l.Unplug()
		l.Plug()
		l.Unplug()
		l.Plug()
		for range 2 {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Plug(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("plugged into a closed line: %v", err)
		}
		if err := os.WriteFile(link, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if l, err := ServeRTU(Units{7: meter}, Serial{Link: link}); err == nil {
			l.Close()
			t.Error("a file was taken for a link")
		}
		os.Remove(link)
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d files open before and %d after", before, after)
	}
}

// descriptors counts the files that this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

func TestClosingALineEndsAnAnswerUnderWay(t *testing.T) {
	meter, _ := billing("22110345")
	l, err := ServeRTU(Units{7: meter}, Serial{})
	if err != nil {
		t.Fatal(err)
	}
	port := master(t, l)
	l.Wire(Dribble)
	say(t, port, []byte{0x07, 0x04, 0x00, 0x00, 0x00, 0x50, 0xF0, 0x50}) // the answer takes 8 s
	hear(t, port, []byte{0x07, 0x04})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if came, err := io.ReadAll(port); err != nil && !errors.Is(err, syscall.EIO) || len(came) > 100 {
		t.Errorf("% x, %v; want the end", came, err)
	}
}
