package machine

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"stolpe/cross/vm/frame"
	"stolpe/cross/vm/image"
)

// guest is the far end of a machine's line, as the test plays it.
type guest struct {
	t    *testing.T
	line net.Conn
	from *frame.Reader
}

// joined is a machine that has no qemu, and its guest, which has said hello.
func joined(t *testing.T) (*Machine, *guest) {
	t.Helper()
	near, far := net.Pipe()
	m := newMachine(Options{Dir: t.TempDir()})
	m.line = near
	go m.listen(frame.NewReader(near))
	t.Cleanup(func() { near.Close(); far.Close() })
	g := &guest{t, far, frame.NewReader(far)}
	g.say(frame.Frame{Do: frame.Hello})
	if err := m.Starts(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	return m, g
}

func (g *guest) say(f frame.Frame) {
	g.t.Helper()
	b, err := frame.Append(nil, f)
	if err == nil {
		_, err = g.line.Write(b)
	}
	if err != nil {
		g.t.Error(err)
	}
}

func (g *guest) hear() frame.Frame {
	g.t.Helper()
	f, err := g.from.Next()
	if err != nil {
		g.t.Error(err)
	}
	return f
}

// answer answers the next request in pieces, the last of which is done.
func (g *guest) answer(pieces ...frame.Frame) {
	f := g.hear()
	for i, p := range pieces {
		p.ID, p.Done = f.ID, i == len(pieces)-1
		g.say(p)
	}
}

func TestACommandsOutputComesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, g := joined(t)
		go g.answer(frame.Frame{Data: []byte("one ")}, frame.Frame{Data: []byte("bad"), Fault: true}, frame.Frame{Data: []byte("two")}, frame.Frame{})
		out, err := m.Run(t.Context(), "say", "words")
		if err != nil || out != "one two" {
			t.Errorf("%q, %v", out, err)
		}
		go g.answer(frame.Frame{Data: []byte("why"), Fault: true}, frame.Frame{Code: 3})
		_, err = m.Run(t.Context(), "say", "words")
		var exit *Exit
		if !errors.As(err, &exit) || exit.Code != 3 || exit.Fault != "why" || !strings.Contains(err.Error(), "say words") {
			t.Errorf("%#v; want exit 3 with what was said, and the command", err)
		}
	})
}

// TestAnswersFindTheirQuestions asks two things at once and answers the second first.
func TestAnswersFindTheirQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, g := joined(t)
		answers := make(chan string, 2)
		for _, word := range []string{"a", "b"} {
			go func() {
				out, err := m.Run(t.Context(), word)
				if err != nil {
					t.Error(err)
				}
				answers <- word + ":" + out
			}()
		}
		first, second := g.hear(), g.hear()
		for _, f := range []frame.Frame{second, first} {
			g.say(frame.Frame{ID: f.ID, Data: []byte(f.Argv[0])})
			g.say(frame.Frame{ID: f.ID, Done: true})
		}
		got := []string{<-answers, <-answers}
		slices.Sort(got)
		if diff := cmp.Diff([]string{"a:a", "b:b"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestALargeFileIsCutIntoFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, g := joined(t)
		content := bytes.Repeat([]byte("0123456789"), frame.Most/4)
		var got []byte
		go func() {
			for {
				f := g.hear()
				got = append(got, f.Data...)
				if f.Path != "/file" || f.Mode != 0o640 {
					t.Errorf("a piece of %s with mode %o", f.Path, f.Mode)
				}
				if !f.More {
					g.say(frame.Frame{ID: f.ID, Done: true, Error: "disk full"})
					return
				}
			}
		}()
		err := m.Put(t.Context(), "/file", 0o640, content)
		if err == nil || !strings.Contains(err.Error(), "/file") || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("%v; want the file and the guest's reason", err)
		}
		if !bytes.Equal(got, content) {
			t.Errorf("%d bytes came of %d", len(got), len(content))
		}
	})
}

// TestNobodyWaitsForWhatDoesNotCome ends a wait in each of the ways there are.
func TestNobodyWaitsForWhatDoesNotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, g := joined(t)
		heard := make(chan frame.Frame, 9)
		go func() {
			for {
				f, err := g.from.Next()
				if err != nil {
					return
				}
				heard <- f
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := m.Run(ctx, "sleep"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after its time: %v", err)
		}
		asked, told := <-heard, <-heard
		if told.Do != frame.Kill || told.ID != asked.ID {
			t.Errorf("the guest was told %+v; want it to end the command", told)
		}
		result := make(chan error)
		run := func() { _, err := m.Run(t.Context(), "sleep"); result <- err }
		go run()
		<-heard
		g.say(frame.Frame{Do: frame.Hello})
		if err := <-result; !errors.Is(err, errReset) {
			t.Errorf("after a reset: %v", err)
		}
		if err := m.Starts(t.Context(), 2); err != nil {
			t.Errorf("the second start: %v", err)
		}
		go run()
		<-heard
		m.end = errors.New("killed")
		close(m.gone)
		if err := <-result; err == nil || !strings.Contains(err.Error(), "killed") {
			t.Errorf("after its end: %v", err)
		}
		if err := m.Starts(t.Context(), 3); err == nil {
			t.Error("a machine that has ended will start a third time")
		}
	})
}

func TestEdgesComeInTheirOrderAndTheNewestAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, g := joined(t)
		const more = 3
		for i := range waiting + more {
			g.say(frame.Frame{Do: frame.Edge, Line: "GPIO17", High: i%2 == 1, At: time.Duration(i)})
		}
		synctest.Wait()
		for i := more; i < waiting+more; i++ {
			want := Edge{"GPIO17", i%2 == 1, time.Duration(i)}
			if got := <-m.Lines(); got != want {
				t.Fatalf("edge %v, want %v", got, want)
			}
		}
	})
}

// TestQemuIsToldAndAnswers plays qemu, which says what nobody asked for in between.
func TestQemuIsToldAndAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		defer far.Close()
		m := &Machine{qmp: newQMP(near)}
		orders := make(chan map[string]any, 9)
		go func() {
			words := json.NewDecoder(far)
			far.Write([]byte(`{"QMP": {"version": {}, "capabilities": []}}`))
			for {
				var order map[string]any
				if words.Decode(&order) != nil {
					return
				}
				orders <- order
				answer := `{"return": {}}`
				if order["execute"] == "device_del" {
					answer = `{"error": {"class": "DeviceNotFound", "desc": "Device 'adapter' not found"}}`
				}
				far.Write([]byte(`{"event": "RTC_CHANGE", "data": {}}` + answer))
			}
		}()
		if err := m.Net(t.Context(), false); err != nil {
			t.Error(err)
		}
		if hello, order := <-orders, <-orders; hello["execute"] != "qmp_capabilities" || order["execute"] != "set_link" ||
			!cmp.Equal(order["arguments"], map[string]any{"name": "net0", "up": false}) {
			t.Errorf("qemu was told %v, then %v", hello, order)
		}
		if err := m.Unplug(t.Context()); err == nil || !strings.Contains(err.Error(), "not found") {
			t.Errorf("an adapter that is not there came off: %v", err)
		}
		if err := m.Plug(t.Context()); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := m.Net(ctx, true); err == nil {
			t.Error("qemu was told what nobody waits for")
		}
	})
}

func TestTheArgumentsSayHowTheMachineIsPutTogether(t *testing.T) {
	o := Options{
		Image: image.Files{Kernel: "/k", Initrd: "/i"}, Accel: "tcg", Meter: "127.0.0.1:15", Clock: time.Date(1970, 1, 1, 0, 0, 9, 0, time.UTC),
		Disks: []string{"/a,b", "/s"}, Reach: map[int]int{8080: 80, 4000: 22}, Watch: []string{"GPIO17"},
	}
	args, err := arguments(o, "/log")
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(args, " ")
	for _, want := range []string{
		"-smp 2 -m 256", "-kernel /k -initrd /i", "path=/log", "-rtc base=1970-01-01T00:00:09",
		"file.server.path=/a,,b -device virtio-blk-pci,drive=disk0", "disk1,format=raw,cache=writeback,file.driver=nbd,file.server.type=unix,file.server.path=/s -device virtio-blk-pci,drive=disk1",
		"user,id=net0,hostfwd=tcp:127.0.0.1:4000-:22,hostfwd=tcp:127.0.0.1:8080-:80",
		"socket,id=meter,host=127.0.0.1,port=15,reconnect=1 -serial chardev:meter",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in %s", want, all)
		}
	}
	_, word, _ := strings.Cut(args[slices.Index(args, "-append")+1], frame.BoardWord)
	var board frame.Board
	if b, err := base64.RawURLEncoding.DecodeString(word); err != nil || json.Unmarshal(b, &board) != nil || !slices.Equal(board.Watch, o.Watch) || board.Wait == 0 {
		t.Errorf("the guest is told %+v, %v", board, err)
	}
	o.USB, o.Meter = true, ""
	if args, err = arguments(o, "/log"); err != nil || !slices.Contains(args, "usb-serial,id=adapter,serial=A10K2Q7B,chardev=meter,always-plugged=on") || !slices.Contains(args, "null,id=meter") || slices.Contains(args, "chardev:meter") {
		t.Errorf("with an adapter that leads nowhere: %v, %v", args, err)
	}
	o.Watch = slices.Repeat([]string{"GPIO17"}, 300)
	if _, err = arguments(o, "/log"); err == nil {
		t.Error("a board that the kernel would cut off was accepted")
	}
}

func TestTheConsoleIsThatOfThisMachine(t *testing.T) {
	m := newMachine(Options{Dir: t.TempDir()})
	if err := os.WriteFile(m.console, []byte("old\nolder\none\ntwo\nthree\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.from = int64(len("old\nolder\n"))
	if got := m.Console(2); got != "two\nthree" {
		t.Errorf("the last two lines are %q", got)
	}
	if got := m.Console(9); got != "one\ntwo\nthree" {
		t.Errorf("all lines are %q", got)
	}
}

func TestAProcessorThatVirtualizesIsKnownByItsFlags(t *testing.T) {
	for info, want := range map[string]bool{
		"flags\t\t: fpu vmx sse\n": true, "processor: 0\nflags : svm\n": true, "flags\t: fpu vmxoff\n": false, "model name: svm\n": false, "": false,
	} {
		if virtualizes(info) != want {
			t.Errorf("%q: %v", info, !want)
		}
	}
}
