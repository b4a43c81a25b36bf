package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The machine of this test: its users and its groups, as its files have them.
const (
	passwdFile = `root:x:0:0::/root:/bin/sh
stolpe:x:4200:4200::/:/bin/sh
kari:x:4201:4201::/:/bin/sh
per:x:4202:5000::/:/bin/sh
ann:x:4203:4203::/:/bin/sh
eve:x:4204:4204::/:/bin/sh
zoe:x:4207:4207::/:/bin/sh
mallory:x:4208:4208::/:/bin/sh
`
	groupFile = "root:x:0:\ntechs:x:5000:stolpe,kari,ann\nmallory:x:4208:\n"
	techs     = 5000
)

// asked is what a client tells of its calls.
type asked struct {
	UID    int    `json:"uid"`
	Name   string `json:"name"`
	Role   string `json:"role"`
	Codes  string `json:"codes"`  // look, peek, work, tune
	Status string `json:"status"` // the same, through the status socket
	Door   string `json:"door"`   // whether the control socket can be opened
}

// Who may do what, over real sockets, between processes of several users of a machine
// whose files say who is a member of what.
func TestRolesOfSeveralUsers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("processes of several users are for root only")
	}
	m := newMachine(t)
	for _, row := range []struct {
		who      string
		uid, gid uint32
		groups   []uint32
		want     asked
	}{
		{"root", 0, 0, nil, asked{0, "root", "admin", "done done done done", "", "open"}},
		{"the daemon's own user", 4200, 4200, []uint32{techs}, asked{4200, "stolpe", "admin", "done done done done", "", "open"}},
		{"a member", 4201, 4201, []uint32{techs}, asked{4201, "kari", "technician", "done done done not_permitted", "", "open"}},
		{"a member by the primary group", 4202, techs, nil, asked{4202, "per", "technician", "done done done not_permitted", "", "open"}},
		{"a member who is an admin", 4203, 4203, []uint32{techs}, asked{4203, "ann", "admin", "done done done done", "", "open"}},
		{"anybody", 4204, 4204, nil, asked{4204, "", "viewer", "done not_permitted not_permitted not_permitted", "", "shut"}},
		{"a uid without a name", 4205, 4205, nil, asked{4205, "", "viewer", "done not_permitted not_permitted not_permitted", "", "shut"}},
		{"a uid without a name, in the group", 4206, techs, nil, asked{4206, "", "technician", "done done done not_permitted", "", "open"}},
		{"one who has left the group, still logged in", 4207, 4207, []uint32{techs}, asked{4207, "zoe", "viewer", "done not_permitted not_permitted not_permitted", "", "open"}},
		{"one whom the configuration names, who is no member", 4208, 4208, nil, asked{4208, "", "viewer", "done not_permitted not_permitted not_permitted", "", "shut"}},
	} {
		t.Run(row.who, func(t *testing.T) {
			row.want.Status = "done not_permitted not_permitted not_permitted"
			if got := m.ask(t, &syscall.Credential{Uid: row.uid, Gid: row.gid, Groups: row.groups}); got != row.want {
				t.Errorf("got\n%+v\nwant\n%+v", got, row.want)
			}
		})
	}
	for name, want := range map[string]fs.FileMode{statusSocket: 0o666, controlSocket: 0o660} {
		info, err := os.Lstat(filepath.Join(m.dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v: want %v", name, info.Mode(), err, want)
		}
	}
	same(t, "written down", m.end(t), []string{
		"local:ann done tune", "local:ann done work", "local:kari done work", "local:kari refused tune", "local:per done work", "local:per refused tune",
		"local:root done tune", "local:root done work", "local:stolpe done tune", "local:stolpe done work", "local:uid4206 done work", "local:uid4206 refused tune",
		"local:zoe refused tune", "local:zoe refused work",
	})
}

// machine is a server of another user, in a world where the files of users are the test's.
type machine struct {
	dir, program string
	server       *exec.Cmd
	stdin        io.Closer
	lines        *bufio.Scanner
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	top := folderOf(t)
	m := &machine{dir: filepath.Join(top, "run"), program: filepath.Join(top, "program")}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(own)
	if err := errors.Join(err, os.Chmod(top, 0o755), os.WriteFile(m.program, text, 0o755), os.Mkdir(m.dir, 0o755), os.Chown(m.dir, 4200, 4200),
		os.WriteFile(filepath.Join(top, "passwd"), []byte(passwdFile), 0o644), os.WriteFile(filepath.Join(top, "group"), []byte(groupFile), 0o644)); err != nil {
		t.Fatal(err)
	}
	m.server = m.part("server")
	m.server.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	m.server.Stderr = os.Stderr
	stdin, err := m.server.StdinPipe()
	out, err2 := m.server.StdoutPipe()
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if err := m.server.Start(); errors.Is(err, syscall.EPERM) {
		t.Skipf("this machine makes no mounts of one's own: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); m.server.Wait() })
	m.stdin, m.lines = stdin, bufio.NewScanner(out)
	if !m.lines.Scan() {
		t.Fatal("the server has ended")
	}
	if why, cannot := strings.CutPrefix(m.lines.Text(), "cannot mount: "); cannot {
		t.Skipf("this machine makes no mounts of one's own: %s", why)
	}
	return m
}

func (m *machine) part(name string) *exec.Cmd {
	c := exec.Command(m.program)
	c.Dir, c.Env = filepath.Dir(m.program), []string{actorEnv + "=" + name}
	return c
}

// ask has a user ask for everything.
func (m *machine) ask(t *testing.T, who *syscall.Credential) (a asked) {
	t.Helper()
	c := m.part("client")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	out, err := c.Output()
	if err == nil {
		err = json.Unmarshal(out, &a)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return a
}

// end ends the server, and gives what it has written down but for what was accepted.
func (m *machine) end(t *testing.T) (all []string) {
	t.Helper()
	m.stdin.Close()
	seen := map[string]bool{}
	for m.lines.Scan() {
		var r Record
		if err := json.Unmarshal(m.lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		accepted := fmt.Sprint(r.ID, " accepted")
		switch {
		case r.Kind == Accepted:
			seen[accepted] = true
		case r.Kind == Done && !seen[accepted]:
			t.Errorf("%+v was done before it was written down", r)
			fallthrough
		default:
			all = append(all, fmt.Sprintf("%v %s %s", r.Caller, r.Kind, r.Route))
		}
	}
	if err := m.server.Wait(); err != nil {
		t.Errorf("server: %v", err)
	}
	slices.Sort(all)
	return all
}

// act plays a part, and gives an exit code.
func act(part string) int {
	dir, err := os.Getwd()
	switch {
	case err != nil:
	case part == "server":
		err = actServer(dir)
	default:
		err = actClient(filepath.Join(dir, "run"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, part+":", err)
		return 1
	}
	return 0
}

func actServer(top string) error {
	for _, name := range []string{"passwd", "group"} {
		if err := syscall.Mount(filepath.Join(top, name), "/etc/"+name, "", syscall.MS_BIND, ""); err != nil {
			fmt.Println("cannot mount:", err)
			return nil
		}
	}
	if err := errors.Join(syscall.Setgroups([]int{techs}), syscall.Setgid(4200), syscall.Setuid(4200)); err != nil {
		return err
	}
	routes := []Route{answering("look", Viewer, false, nil), answering("peek", Technician, false, nil), answering("work", Technician, true, nil), answering("tune", Admin, true, nil)}
	lines := json.NewEncoder(os.Stdout)
	s, err := Listen(Options{
		Dir: filepath.Join(top, "run"), Group: "techs", Admins: []string{"ann", "mallory"}, Routes: routes,
		Note: func(r Record) error { return lines.Encode(r) }, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin) //nolint:errcheck // its end is the end
		cancel()
	}()
	fmt.Println("listening")
	s.Run(ctx)
	return nil
}

func actClient(dir string) error {
	ctx := context.Background()
	calls := func(c *Client) string {
		return fmt.Sprintln(codeOf(c.Get(ctx, "look", nil, nil)), codeOf(c.Get(ctx, "peek", nil, nil)), codeOf(c.Do(ctx, "work", nil, nil)), codeOf(c.Do(ctx, "tune", nil, nil)))
	}
	var a asked
	c := Dial(dir)
	if err := c.Get(ctx, "", nil, &a); err != nil {
		return err
	}
	a.Codes = strings.TrimSpace(calls(c))
	a.Status = strings.TrimSpace(calls(&Client{dir: dir, http: through(dir, statusSocket)}))
	a.Door = "open"
	if _, err := through(dir, controlSocket).Get("http://stolpe/v1/"); errors.Is(err, fs.ErrPermission) {
		a.Door = "shut"
	} else if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(a)
}
