package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stolpe/agent/control"
)

// newVersion is what the program calls itself that comes with the upgrade of a test.
const newVersion = "9.9.9"

// upgraded is a post whose program is replaced by another.
type upgraded struct {
	*victim
	t      *testing.T
	post   *control.Client
	seldom *time.Ticker // for a post that takes only so many requests from one user
}

func newUpgraded(t *testing.T) *upgraded {
	t.Helper()
	street := newStreet(t, 1, 0, 1)
	text, err := os.ReadFile(street.program)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	street.program = filepath.Join(dir, "stolpe")
	v := &victim{street: street, id: "K001", rand: rand.New(rand.NewPCG(1, 1)), brief: true, secrets: map[string]bool{}, made: map[string]bool{}}
	street.posts[v.id] = v
	v.prepare()
	u := &upgraded{victim: v, t: t, post: control.Dial(filepath.Join(v.dir, "run")), seldom: time.NewTicker(250 * time.Millisecond)}
	t.Cleanup(u.seldom.Stop)
	u.install(text)
	t.Cleanup(func() { // where a test has failed
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.over = true; v.process != nil {
			v.process.Process.Kill() //nolint:errcheck // it may have ended
		}
	})
	return u
}

// pid is the number of the process.
func (u *upgraded) pid() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.process.Process.Pid
}

// stolpe runs the program at the post, and gives what it says.
func (u *upgraded) stolpe(args ...string) (string, error) {
	c := exec.Command(u.program, args...)
	c.Env = append(os.Environ(), "STOLPE_CONTROL_DIR="+filepath.Join(u.dir, "run"))
	out, err := c.CombinedOutput()
	return string(out), err
}

// install puts another program in the place of the one that runs, as a package does.
func (u *upgraded) install(text []byte) {
	u.t.Helper()
	next := u.street.program + ".new"
	if err := os.WriteFile(next, text, 0o700); err != nil {
		u.t.Fatal(err)
	}
	if err := os.Rename(next, u.street.program); err != nil {
		u.t.Fatal(err)
	}
}

// standing is how the post is.
func (u *upgraded) standing() (p postStatus, err error) {
	<-u.seldom.C
	return p, u.post.Get(u.t.Context(), "status", nil, &p)
}

// The package is upgraded while a car charges. Half a program is not taken; a whole one is,
// when the charge is over: the same process goes on as the new version, and no øre is wrong.
func TestUpgradeInTheMiddleOfACharge(t *testing.T) {
	t.Parallel()
	u := newUpgraded(t)
	built := filepath.Join(t.TempDir(), "stolpe")
	if out, err := exec.Command("go", "build", "-ldflags", "-X main.version="+newVersion, "-o", built, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	whole, err := os.ReadFile(built)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		u.victim.run()
	}()
	stop := make(chan struct{})
	u.stays = stop
	over := make(chan struct{})
	go func() {
		defer close(over)
		newHandset(u.victim).charge()
	}()
	until(t, "it charges", func() bool {
		p, err := u.standing()
		return err == nil && p.EVSEs[0].State == "charging"
	})
	before, err := u.standing()
	if err != nil {
		t.Fatal(err)
	}
	u.install(whole[:len(whole)/2])
	if err := u.post.Do(t.Context(), "restart", nil, nil); err == nil || !strings.Contains(err.Error(), "cannot go on in the place of this program") {
		t.Errorf("half a program: %v", err)
	}
	u.install(whole)
	if said, err := u.stolpe("restart"); err != nil || !strings.Contains(said, "from version "+version+" to "+newVersion+", as soon as nobody charges: EVSE 1 is charging") {
		t.Fatalf("%s%v", said, err)
	}
	if p, err := u.standing(); err != nil || p.EVSEs[0].State != "charging" || p.Boot != before.Boot || p.Restart == nil || p.Restart.To != newVersion {
		t.Errorf("%+v, %v: want the charge to go on", p, err)
	}
	if said, err := u.stolpe("owed"); err == nil || !strings.Contains(said, string(u.id)+"-1-000001") {
		t.Errorf("%s%v: want that the charge is under way", said, err)
	}
	pid := u.pid()
	close(stop)
	<-over
	until(t, "the new version answers", func() bool {
		p, err := u.standing()
		return err == nil && p.Version == newVersion
	})
	if link, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err != nil || link != u.program {
		t.Errorf("process %d runs %s, %v", pid, link, err)
	}
	until(t, "all is settled", func() bool {
		<-u.seldom.C
		_, err := u.stolpe("owed")
		return err == nil
	})
	u.end()
	<-ended
	if !t.Failed() {
		u.judge()
	}
	if u.street.tally.Captured != 1 {
		t.Errorf("%+v: want one charge with a capture", u.street.tally)
	}
}
