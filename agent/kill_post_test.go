package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// moment is when a post is killed.
type moment uint8

// The moments. Those that are calls to the payment service are right before or
// right after their effect, the others so long after something, at random. From
// asking on they are in the order of a charge.
const (
	starting  moment = iota // the program
	settling                // the program, with a charge to be settled
	reading                 // call
	asking                  // a phone has asked for a charge
	creating                // call
	approving               // the phone shows the way to the app
	charging                // the phone shows a charge
	stopping                // the phone has asked to stop
	capturing               // call
	releasing               // call
	resting                 // nothing is left to do
	moments
)

// String says when.
func (m moment) String() string {
	return [moments]string{"starting", "settling", "reading", "asking", "creating", "approving", "charging",
		"stopping", "capturing", "releasing", "resting"}[m]
}

// longest is how long after its moment a kill comes at most.
func (m moment) longest() time.Duration {
	return [moments]time.Duration{
		starting: 150 * time.Millisecond, settling: 20 * time.Second, asking: 300 * time.Millisecond,
		approving: 3 * time.Second, charging: 14 * time.Second, stopping: 3 * time.Second,
	}[m]
}

// blow is a kill that is planned. The zero blow never comes.
type blow struct {
	set   bool
	at    moment
	after float64 // of the longest time after the moment, if it is not a call
	calls int     // to let pass, if it is reading
	lost  bool    // the call has no effect
}

// victim is a post that is killed.
type victim struct {
	*street
	id    string
	dir   string // its state
	file  string // its configuration
	kwh   int64  // price of a kWh, øre
	limit int64  // to be reserved, øre
	turn  int    // of its street
	brief bool   // one short charge, and one kill, before it settles
	loses bool   // its card with the first kill, and gets a new one

	stays <-chan struct{} // its driver does not stop before this is closed; nil for nothing

	mu      sync.Mutex // guards what follows
	rand    *rand.Rand
	process *exec.Cmd // nil while it is not running
	logs    []*paper  // of each start
	plan    blow
	budget  int  // kills to come
	asked   bool // a charge has been asked for, and is not over
	killed  bool // while that was so
	over    bool // it may end
	secrets map[string]bool
	made    map[string]bool // keys under which payments have been made
}

// live lets a post serve a driver or two while it is killed, and then judges it.
func (v *victim) live() {
	v.prepare()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		v.run()
	}()
	p := newHandset(v)
	for charges := 1 + v.number(2); charges > 0 && v.serves() && !v.t.Failed(); charges-- {
		p.charge()
		if v.brief {
			break
		}
	}
	for v.blows() > 0 && !v.t.Failed() { // what is over must stay over
		v.kill(resting)
		p.wait("payments read back", func() bool { return strings.Contains(v.log(), "reading payments back") })
	}
	p.wait("the last start", func() bool { return v.log() != "" })
	v.end()
	<-ended
	if !v.t.Failed() {
		v.judge()
	}
}

// prepare chooses a price, and writes the configuration. What a Wh costs decides
// whether a charge comes to some hundred kroner or to nothing at all.
func (v *victim) prepare() {
	v.kwh = []int64{1_000_000, 1_000_000, 300_000, 40_000, 9_000}[v.number(5)]
	room := []int64{90, 130, 300}[v.number(3)] // Wh; some 45 are kept back for what may flow until a stop
	if v.brief {
		v.kwh, room = 1_000_000, 300
	}
	v.limit = v.kwh * room / 1000
	v.dir = filepath.Join(v.t.TempDir(), v.id)
	v.file = v.dir + ".yaml"
	if err := os.WriteFile(v.file, []byte(v.config()), 0o600); err != nil {
		v.t.Error(err)
	}
}

func (v *victim) config() string {
	return fmt.Sprintf(`
post: {id: %[1]s, name: "Storgata 1", country: NO, timezone: Europe/Oslo, helpdesk: "+47 22 00 00 00"}
seller: {name: "Eksempel Lading AS", org_no: "999999999", vat_registered: true}
state_dir: %[2]s
control: {dir: %[2]s/run}
evses: [{id: 1, code: %[1]s, contactor: {sim: true}, max_power_w: 22000}]
price: {currency: NOK, vat_bp: 2500, kwh: %[3]d}
reserve: {default: %[4]d, choices: [%[4]d]}
payment:
  through: vipps
  vipps: {base_url: "%[5]s", msn: "123456", client_id: "env:T_ID", client_secret: "env:T_SECRET", subscription_key: "env:T_KEY"}
web: {listen: "127.0.0.1:0", public_url: "https://lad.example.no"}
limits: {rest: 1s}
`, v.id, v.dir, v.kwh, v.limit, v.url)
}

// run keeps the program running until it may end.
func (v *victim) run() {
	for {
		log := new(paper)
		cmd := exec.Command(v.program, "run", "--config", v.file)
		cmd.Env = append(os.Environ(), "T_ID="+v.keys.ClientID, "T_SECRET="+v.keys.ClientSecret, "T_KEY="+v.keys.SubscriptionKey)
		cmd.Stderr = log
		if !v.begin(cmd, log) {
			return
		}
		if err := cmd.Wait(); !v.gone(cmd) && err != nil {
			v.t.Errorf("%s ended: %v\n%s", v.id, err, log)
			return
		}
	}
}

// begin starts the program, and plans how it ends.
func (v *victim) begin(cmd *exec.Cmd, log *paper) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over {
		return false
	}
	if v.loses && len(v.logs) == 1 {
		v.lose()
	}
	if err := cmd.Start(); err != nil {
		v.t.Errorf("%s: %v", v.id, err)
		return false
	}
	v.process, v.logs = cmd, append(v.logs, log)
	v.draw()
	v.arm(starting)
	if v.asked {
		v.arm(settling)
	}
	return true
}

// lose takes away everything the post has written, but for the register, which a
// meter keeps by itself.
func (v *victim) lose() {
	files, err := os.ReadDir(v.dir)
	if err != nil {
		v.t.Errorf("%s: %v", v.id, err)
	}
	for _, f := range files {
		if f.Name() == "bench-1" {
			continue
		}
		if err := os.RemoveAll(filepath.Join(v.dir, f.Name())); err != nil {
			v.t.Errorf("%s: %v", v.id, err)
		}
	}
}

// draw plans the next kill, at a moment that can still come. The lock is held.
func (v *victim) draw() {
	can := []moment{starting, reading, asking, creating, approving, charging, charging, charging, charging,
		stopping, stopping, stopping, capturing, capturing, capturing, releasing, releasing}
	if v.asked {
		can = []moment{starting, settling, settling, reading, reading, capturing, capturing, releasing}
	}
	if v.brief {
		can = []moment{asking, creating, approving, charging, stopping}[v.turn%5:][:1]
	}
	m := can[v.rand.IntN(len(can))]
	v.plan = blow{set: true, at: m, after: v.rand.Float64(), lost: v.rand.IntN(2) == 0}
	if m == reading {
		v.plan.calls = v.rand.IntN(20) // a start alone makes 16
	}
}

// comes says whether the kill comes at this moment: it is the one that was
// planned, or the one after that was passed over. The lock is held.
func (v *victim) comes(m moment) bool {
	p := v.plan
	return p.set && (p.at == m || p.at >= asking && p.at < m)
}

// reach says that a moment has come.
func (v *victim) reach(m moment) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked = v.asked || m == asking
	v.arm(m)
}

// arm lets the kill come, if this is its moment. The lock is held.
func (v *victim) arm(m moment) {
	if !v.comes(m) {
		return
	}
	v.plan.set = false
	cmd, after := v.process, time.Duration(v.plan.after*float64(m.longest()))
	time.AfterFunc(after, func() { v.killOnly(cmd, m) })
}

// calls says whether the post is to be killed by this call, and whether before it
// has its effect.
func (v *victim) calls(m moment) (doomed, lost bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.process == nil || !v.comes(m):
		return false, false
	case v.plan.calls > 0:
		v.plan.calls--
		return false, false
	}
	v.plan.set = false
	return true, v.plan.lost
}

// kill kills the program as it runs now, and says whether it did.
func (v *victim) kill(m moment) bool {
	v.mu.Lock()
	cmd := v.process
	v.mu.Unlock()
	return v.killOnly(cmd, m)
}

// killOnly kills this process, unless it has ended, and says whether it did.
func (v *victim) killOnly(cmd *exec.Cmd, m moment) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if cmd == nil || v.process != cmd || v.over || v.budget == 0 {
		return false
	}
	if err := cmd.Process.Kill(); err != nil {
		v.t.Errorf("%s: %v", v.id, err)
		return false
	}
	v.process = nil
	v.budget--
	v.killed = v.killed || v.asked
	v.hit(m)
	return true
}

// gone says whether a process that has ended was killed by us.
func (v *victim) gone(cmd *exec.Cmd) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	killed := v.process != cmd
	v.process = nil
	return killed
}

// end ends the post in good order.
func (v *victim) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.over = true
	if v.process == nil {
		if !v.t.Failed() {
			v.t.Errorf("%s is not running at its end", v.id)
		}
		return
	}
	if err := v.process.Process.Signal(syscall.SIGTERM); err != nil {
		v.t.Errorf("%s: %v", v.id, err)
	}
}

// pages is where the running program has its pages; empty while it has none.
func (v *victim) pages() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.process == nil {
		return ""
	}
	return v.logs[len(v.logs)-1].pages()
}

// log is what the running program has logged; empty while there is none.
func (v *victim) log() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.process == nil {
		return ""
	}
	return v.logs[len(v.logs)-1].String()
}

// blows is how many kills are to come yet.
func (v *victim) blows() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.budget
}

// serves says whether the post still takes drivers, or will.
func (v *victim) serves() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.logs) < boots
}

// forget says that no charge is under way any more.
func (v *victim) forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked = false
}

// keep remembers what must not be found in the log.
func (v *victim) keep(secret string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.secrets[strings.TrimPrefix(secret, "Bearer ")] = true
}

// number draws one below n.
func (v *victim) number(n int) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.rand.IntN(n)
}

// makes notes that the service has made a payment.
func (v *victim) makes(key string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.made[key] = true
}

// payments is how many payments the service has made.
func (v *victim) payments() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.made)
}
