package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/doctor"
	"stolpe/agent/ledger"
	"stolpe/agent/support"
	"stolpe/hal"
)

// inquiry is what a support bundle is gathered from.
type inquiry struct {
	file    string                               // the configuration
	cfg     config.Config                        // as it runs, or as it stands in the file; zero if that cannot be read
	running string                               // sum of the configuration that runs; empty when none does
	ill     string                               // what is wrong with the ledger
	read    func(func(ledger.Entry) error) error // reads it; nil where there is none
	units   []unit                               // that run; nil when none do
	since   time.Time
	now     hal.Instant
	veil    *support.Veil

	displays []doctor.Display
}

// supportMessage is what a daemon tells of itself, bit by bit.
type supportMessage struct {
	Key     []byte           `json:"key,omitempty"`    // of the veil; first
	People  []string         `json:"people,omitempty"` // whose names the veil has to find; first
	Post    string           `json:"post,omitempty"`   // its id; first
	Piece   *support.Piece   `json:"piece,omitempty"`
	Missing *support.Missing `json:"missing,omitempty"`
}

// ledgerLines is how many lines of the ledger a bundle has at most. Chosen by us: some
// 4 MiB, and months of a common post.
const ledgerLines = 20_000

// chunk is how much is sent at a time, bytes. Chosen by us: little for a small machine.
const chunk = 64 << 10

// gather tells all that can be found out.
func (q *inquiry) gather(send func(supportMessage) error) error {
	lacks := func(what string, why error) error {
		return send(supportMessage{Missing: &support.Missing{What: what, Why: q.veil.Text(why.Error())}})
	}
	for _, f := range q.evses() {
		p, err := f()
		if err != nil {
			err = lacks(p.Name, err)
		} else {
			err = send(supportMessage{Piece: &p})
		}
		if err != nil {
			return err
		}
	}
	for _, one := range []struct {
		name string
		make func() (support.Piece, error)
	}{{"config.txt", q.config}, {"health.json", q.health}, {"versions.json", q.versions}} {
		p, err := one.make()
		if err != nil {
			err = lacks(one.name, err)
		} else {
			err = send(supportMessage{Piece: &p})
		}
		if err != nil {
			return err
		}
	}
	err := q.ledger(func(p support.Piece) error { return send(supportMessage{Piece: &p}) })
	var damage ledger.Damage
	switch {
	case errors.As(err, &damage):
		return lacks("some of ledger.jsonl", err)
	case errors.Is(err, errNoBook), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return lacks("ledger.jsonl", err)
	}
	return err
}

// evses are the states of all EVSEs: of the loops if they run, else of the journals.
func (q *inquiry) evses() (all []func() (support.Piece, error)) {
	const about = "state of the EVSE: faults, the charge under way, what is not settled, what was settled last"
	for _, u := range q.units {
		all = append(all, func() (support.Piece, error) {
			f := liveEVSE(q.veil, u)
			return piece(f.name(), about, f)
		})
	}
	if q.units != nil {
		return all
	}
	for _, e := range q.cfg.EVSEs {
		all = append(all, func() (support.Piece, error) {
			f, err := deadEVSE(q.veil, q.cfg, e, q.now)
			if err != nil {
				return support.Piece{Name: evseFile{EVSE: e.ID}.name()}, err
			}
			return piece(f.name(), about, f)
		})
	}
	return all
}

// config is the configuration in the file by its keys, and where each comes from. Secrets
// stand in no configuration, and where they are is not told either.
func (q *inquiry) config() (support.Piece, error) {
	p := support.Piece{Name: "config.txt", About: "the configuration, key by key, and where each comes from; no secrets"}
	var b bytes.Buffer
	cfg, _, err := config.Here(q.file)
	switch {
	case err != nil:
		fmt.Fprintf(&b, "# The file is not valid, and is not shown; what is wrong:\n")
		for line := range strings.Lines(q.veil.Text(err.Error())) {
			fmt.Fprintf(&b, "#   %s\n", strings.TrimRight(line, "\n"))
		}
	case q.running == "":
		fmt.Fprintf(&b, "# sum %s; no daemon runs\n", cfg.Sum)
	case q.running != cfg.Sum:
		fmt.Fprintf(&b, "# sum %s; the daemon RUNS ANOTHER: %s. A start takes this one.\n", cfg.Sum, q.running)
	default:
		fmt.Fprintf(&b, "# sum %s; the daemon runs it\n", cfg.Sum)
	}
	t := table(&b)
	for _, e := range cfg.Keys() {
		if !slices.Contains(sealing(), e.Path) {
			fmt.Fprintf(t, "%s\t%s\t%s\n", e.Path, q.veil.Named(q.veil.Secrets(e.Text())), e.From)
		}
	}
	err = t.Flush()
	p.Body = b.Bytes()
	return p, err
}

// sealing are the keys with which a PIN of a few digits could be found by trying all.
func sealing() []string {
	return []string{"commissioning.salt", "commissioning.key", "commissioning.seal"}
}

// healthFile is how the machine is.
type healthFile struct {
	Heat   *float64 `json:"temp_c,omitempty"`
	Memory []int64  `json:"mem_mb,omitempty"` // used, and all
	Disk   *int     `json:"disk_percent,omitempty"`
	Radio  *int     `json:"radio_dbm,omitempty"`
	Offset *int64   `json:"clock_offset_ms,omitempty"`
	Ledger string   `json:"ledger_ill,omitempty"`
	Writes string   `json:"state_dir,omitempty"` // why nothing can be written there
	Load   string   `json:"load,omitempty"`
	Up     string   `json:"machine_up,omitempty"`

	Displays []doctor.Display `json:"displays,omitempty"`
}

func (q *inquiry) health() (support.Piece, error) {
	h := healthFile{Heat: heat(thermalFile), Memory: memoryUsed(memoryFile), Disk: diskUsed(q.cfg.StateDir), Radio: radio(radioFile), Offset: clockOffset()}
	h.Ledger = q.veil.Text(q.ill)
	if q.cfg.StateDir != "" {
		h.Writes = q.veil.Text(wrongOf(writable(q.cfg.StateDir)))
	}
	h.Load, h.Up = oneLine("/proc/loadavg"), oneLine("/proc/uptime")
	for _, d := range q.displays {
		d.Wrong, d.URL = q.veil.Text(d.Wrong), q.veil.Text(d.URL)
		h.Displays = append(h.Displays, d)
	}
	return piece("health.json", "the machine: heat, memory, disk, radio, clock, displays", h)
}

// oneLine is the first line of a small file of the kernel; empty where there is none.
func oneLine(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	return line
}

// versionsFile is what runs, and what it is made of.
type versionsFile struct {
	Stolpe  string            `json:"stolpe"`
	Go      string            `json:"go"`
	System  string            `json:"system"`
	Kernel  string            `json:"kernel,omitempty"`
	Board   string            `json:"board,omitempty"`
	Build   map[string]string `json:"build,omitempty"`
	Modules []string          `json:"modules"`
}

func (q *inquiry) versions() (support.Piece, error) {
	f := versionsFile{Stolpe: version, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, Kernel: oneLine("/proc/version"), Board: hardware(), Modules: []string{}}
	if info, ok := debug.ReadBuildInfo(); ok {
		f.Build = map[string]string{"commit": commit()}
		for _, s := range info.Settings {
			if strings.HasPrefix(s.Key, "vcs") || strings.HasPrefix(s.Key, "GO") {
				f.Build[s.Key] = s.Value
			}
		}
		for _, m := range info.Deps {
			f.Modules = append(f.Modules, m.Path+" "+m.Version)
		}
	}
	return piece("versions.json", "program, kernel, board, and every module in the program", f)
}

// errNoBook says that there is no ledger to read.
var errNoBook = errors.New("there is no ledger to read")

// ledger sends the lines of the time that was asked for, and of the rest the newest that
// there is room for.
func (q *inquiry) ledger(send func(support.Piece) error) error {
	if q.read == nil {
		return errNoBook
	}
	p := support.Piece{Name: "ledger.jsonl", About: "what happened, one line each, oldest first: charges, money, faults, commands, starts"}
	sent := false
	flush := func() error {
		sent = true
		err := send(p)
		p.Body = nil
		return err
	}
	err := q.read(func(e ledger.Entry) error {
		if time.Unix(e.At, 0).Before(q.since) && e.Clock != hal.ClockUnknown.String() {
			return nil
		}
		line, err := json.Marshal(e)
		if err == nil {
			line, err = q.veil.Line(line)
		}
		if err != nil {
			return err
		}
		p.Body = append(append(p.Body, line...), '\n')
		if len(p.Body) < chunk {
			return nil
		}
		return flush()
	})
	if len(p.Body) > 0 || !sent && err == nil {
		err = errors.Join(flush(), err)
	}
	return err
}

// newest reads the newest lines of a ledger that is open.
func newest(book *ledger.Ledger) func(func(ledger.Entry) error) error {
	return func(fn func(ledger.Entry) error) error {
		if err := book.Ready(); err != nil {
			return fmt.Errorf("%w: %w", errNoBook, err)
		}
		first := uint64(1)
		if n := book.Newest(); n > ledgerLines {
			first = n - ledgerLines
		}
		return book.From(first, func(e ledger.Entry, _ string) error { return fn(e) })
	}
}
