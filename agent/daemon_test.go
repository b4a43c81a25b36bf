package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"stolpe/agent/config"
)

// served is a daemon that runs in this process.
type served struct {
	log   *paper
	pages string // where it listens
	end   func() // as if by a signal; waits
}

// serve starts the daemon and waits until it listens.
func serve(t *testing.T, file string) *served {
	t.Helper()
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &served{log: new(paper)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- daemon(ctx, setTime(), cfg, origin{file: file}, s.log) }()
	over := false
	s.end = func() {
		cancel()
		if !over {
			over = true
			if err := <-ended; err != nil {
				t.Errorf("daemon: %v", err)
			}
		}
	}
	t.Cleanup(s.end)
	until(t, "daemon listens", func() bool {
		select {
		case err := <-ended:
			t.Fatalf("daemon: %v\n%s", err, s.log)
		default:
		}
		s.pages = s.log.pages()
		return s.pages != ""
	})
	return s
}

// page reads a page of the post as everybody sees it.
func (s *served) page(t *testing.T) (scene, head, all string) {
	t.Helper()
	return look(t, s.pages+"/en/A12")
}

var headOnPage = regexp.MustCompile(`<h1[^>]*>([^<]*)</h1>`)

// look reads a page.
func look(t *testing.T, address string) (scene, head, all string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	all = string(body)
	if m := sceneOnPage.FindStringSubmatch(all); m != nil {
		scene = m[1]
	}
	if m := headOnPage.FindStringSubmatch(all); m != nil {
		head = m[1]
	}
	return scene, head, all
}

// metered says whether the post knows its meter, so that it would be available.
func (s *served) metered() bool {
	return strings.Contains(s.log.String(), `msg="fault over" evse=1 what="meter silent"`)
}

func TestDaemonMakesItsStateFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "stolpe")
	s := serve(t, configured(t, dir, "STATE/run", filepath.Join(t.TempDir(), "run")))
	s.end()
	var names []string
	for name := range contents(t, dir) {
		names = append(names, name)
	}
	if len(names) != 4 {
		t.Errorf("made %v: want bench-1, evse-1.a, evse-1.b, ledger.jsonl", names)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v: want nobody else in", info.Mode(), err)
	}
}

// What an earlier configuration left for failsafe is put right at the start.
func TestDaemonWritesItsLinesDown(t *testing.T) {
	t.Parallel()
	file := configured(t, t.TempDir())
	lines := filepath.Join(filepath.Dir(file), linesName)
	if err := os.WriteFile(lines, []byte("GPIO17\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	serve(t, file)
	if specs, err := readLines(lines); err != nil || len(specs) != 0 {
		t.Errorf("%v, %v: want none", specs, err)
	}
}

func TestSecondDaemonOnOneStateIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := configured(t, dir)
	s := serve(t, file)
	got := command("run", "--config", file)
	if got.code != 1 || !strings.Contains(got.stderr, "another process has it open") || !strings.Contains(got.stderr, dir) {
		t.Errorf("%+v", got)
	}
	if scene, head, _ := s.page(t); scene == "" {
		t.Errorf("the first has gone: %q", head)
	}
	s.end()
	again := serve(t, file)
	again.end()
}

// Whatever is wrong with the journal, the daemon runs, because what the payment
// service knows of must be settled. It takes no new drivers, and says why.
func TestDaemonWithABadJournalIsSettleOnly(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		damage func(t *testing.T, dir string)
		why    string // in the log
		page   string // somewhere on it
	}{
		"of another post": {
			func(t *testing.T, dir string) { keep(t, dir, "B7/1", 4) },
			`belongs to \"B7/1\", this is \"A12/1\"`, "Error code STO-001",
		},
		"rotten": {
			func(t *testing.T, dir string) {
				keep(t, dir, "A12/1", 4)
				flip(t, dir, 2*4096+1000)
			},
			"evse-1.a slot 2 is damaged", "Settling",
		},
		"no file": {
			func(t *testing.T, dir string) {
				if err := os.Mkdir(filepath.Join(dir, "evse-1.a"), 0o700); err != nil {
					t.Fatal(err)
				}
			},
			"evse-1.a: is a directory", "Error code STO-001",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			row.damage(t, dir)
			s := serve(t, configured(t, dir))
			for _, want := range []string{row.why, "settle-only", `msg="contactor open" evse=1`} {
				if !strings.Contains(s.log.String(), want) {
					t.Errorf("%s\nwant %q", s.log, want)
				}
			}
			until(t, "meter and contactor known", s.metered)
			until(t, "the page says why", func() bool {
				_, _, all := s.page(t)
				return strings.Contains(all, row.page)
			})
			if scene, head, all := s.page(t); scene != "off" || strings.Contains(all, "<form") {
				t.Errorf("%s, %s: want no way to charge", scene, head)
			}
		})
	}
}

// The first line of the log is about the contactor: nothing is read, asked or
// waited for before it is open.
func TestContactorIsOpenBeforeAnythingElse(t *testing.T) {
	t.Parallel()
	s := serve(t, configured(t, t.TempDir()))
	first, _, _ := strings.Cut(s.log.String(), "\n")
	if !strings.Contains(first, `msg="contactor open" evse=1`) {
		t.Errorf("%s", s.log)
	}
}

func TestFreshPostBecomesAvailable(t *testing.T) {
	t.Parallel()
	s := serve(t, configured(t, t.TempDir()))
	until(t, "available", func() bool {
		scene, head, _ := s.page(t)
		return scene == "offer" && head == "Available"
	})
	if log := s.log.String(); strings.Contains(log, "WARN") || strings.Contains(log, "ERROR") || strings.Contains(log, "time=") {
		t.Errorf("%s\nwant nothing to worry about, and no time stamps", log)
	}
}

// The service manager hears that the post is ready, that its loop lives, and that
// it ends.
func TestServiceManagerIsTold(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	s := serve(t, configured(t, t.TempDir()))
	status := false // it has been told how the post is
	next := func() string {
		for {
			var b [64]byte
			if err := l.SetReadDeadline(time.Now().Add(enough)); err != nil {
				t.Fatal(err)
			}
			n, err := l.Read(b[:])
			if err != nil {
				t.Fatal(err)
			}
			word := string(b[:n])
			if !strings.HasPrefix(word, "STATUS=A12 ") {
				return word
			}
			status = true
		}
	}
	if ready, alive := next(), next(); ready != "READY=1" || alive != "WATCHDOG=1" {
		t.Errorf("told %s, %s", ready, alive)
	}
	s.end()
	for word := next(); word != "STOPPING=1"; word = next() {
		if word != "WATCHDOG=1" {
			t.Errorf("told %s", word)
		}
	}
	if !status {
		t.Error("not told how the post is")
	}
	until(t, "the log says so", func() bool { return strings.Contains(s.log.String(), "told to end") })
}

func TestServiceManagerThatDoesNotListenIsToldOfOnce(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "none"))
	var log paper
	ping := pinging(slog.New(slog.NewTextHandler(&log, nil)))
	for range 3 {
		ping()
	}
	if n := strings.Count(log.String(), "watchdog cannot be pinged"); n != 1 {
		t.Errorf("told %d times:\n%s", n, &log)
	}
}
