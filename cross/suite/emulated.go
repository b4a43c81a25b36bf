package suite

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"stolpe/cross/build"
)

// emulated is a processor that posts have, and the emulator of it: tests and programs
// built for the one run under the other, a process at a time (qemu's user mode).
type emulated struct {
	name     string // as in the report
	target   build.Target
	emulator string // in PATH
	env      []string
	packages []string // whose short tests all run there
	some     []few
}

// few are tests of a package whose others take too long there, or cannot run.
type few struct {
	dir   string
	tests []string
}

// emulatedAll lists the processors that posts have, but for ARMv7: its instructions are
// those of ARMv6 and more, and the packages are built for the latter.
//
// An emulator takes ten times as long, so packages are chosen by what may differ there.
// On ARMv6, numbers of 32 bits: a length, a sum of money or energy, a time, a checksum; the
// alignment of 64-bit atomics; what the kernel lays out by the size of a word. On arm64,
// whose words are those of this machine: the compiler multiplies and adds floating-point
// numbers in one step there, which rounds once where others round twice, so whatever
// computes with them.
//
// Pictures of large screens are not among them: the library that draws letters computes
// with such numbers, and a dot or two at the edge of a letter are another there.
//
// Left out: what is the same code on any processor and costs minutes there (agent,
// agent/evse, agent/session, cross, pages in a browser, every cut and every flipped bit of
// journal and ledger); serial lines, as the emulator does not know the calls that set them
// (TCGETS2), whose layout is one for all processors; and what starts itself anew, which
// the emulator cannot. Weak memory order is not shown by an emulator on a machine whose
// own is strong: that is for the race detector.
func emulatedAll() []emulated {
	return []emulated{
		{"armv6", build.ARMv6(), "qemu-arm-static", []string{"QEMU_CPU=arm1176"}, []string{
			"hal", "hal/gpio", "systemd", "agent/journal/card", "agent/config/strict", "payment", "payment/envelope", "payment/relay", "display",
		}, []few{
			{"hal/modbus/meters", []string{"FuzzCodec", "FuzzEnergy", "TestEveryMapReadsBackWhatItShows", "TestMetersAreReadAsTheirDescriptionsSay"}},
			{"agent/config", []string{"FuzzParse", "FuzzUnknownKey"}},
			{"payment/vipps", []string{"FuzzAnswers", "FuzzReceiver"}},
			{"hal/modbus", []string{"FuzzFrame", "FuzzRTUFrame", "TestAFrameHasTheSizeItsHeaderSays", "TestARequestIsEncodedAsTheStandardSays",
				"TestEveryMeterThereIsAMapOfIsRead", "TestTheChecksumIsTheStandards", "TestTheDeadlineOfALineCountsItsSpeed", "TestTheSilenceOfALine"}},
			{"hal/sim", []string{"FuzzServer", "TestAChargeIsMeasuredToTheNanojoule", "TestEnergyIsBoundedByPowerAndTime", "TestTheServerIsLaidOutAsAnSDM630"}},
			{"agent/journal", []string{"FuzzDecode", "TestEveryRecordIsOneWholeSlotAndOneFlush", "TestTheNewestRecordIsRecovered"}},
			{"agent/ledger", []string{"FuzzParse", "TestAccountIsReadFromTheBook", "TestMoneyStaysForEver"}},
		}},
		{"arm64", build.ARM64(), "qemu-aarch64-static", nil, []string{"hal", "payment"}, []few{
			{"hal/modbus/meters", []string{"FuzzCodec", "FuzzEnergy", "TestEveryMapReadsBackWhatItShows", "TestMetersAreReadAsTheirDescriptionsSay"}},
			{"hal/sim", []string{"TestAChargeIsMeasuredToTheNanojoule", "TestEnergyIsBoundedByPowerAndTime"}},
		}},
	}
}

// emulators bring what runs programs of other processors.
func emulators() part {
	return part{"qemu-user", []string{"qemu-arm-static"}, []string{"qemu-user-static"}}
}

// emulate runs short tests of packages that another processor might break, built for the
// processors of posts; and the program of a post itself, through a charge.
func (r *run) emulate() error {
	if missing := emulators().missing(); missing != "" {
		r.tally.add(result{name: "tests on the processors of posts", skip: missing})
		fmt.Fprintf(r.out, "   skipped: %s\n", missing)
		return nil
	}
	r.again = true
	defer func() { r.again, r.on = false, "" }()
	var failed error
	for _, e := range emulatedAll() {
		r.on = e.name
		failed = cmp.Or(failed, e.tests(r))
		if e.target.Name == build.ARMv6().Name { // all of it for one is enough
			failed = cmp.Or(failed, e.post(r))
		}
	}
	return failed
}

// tests runs those that the tree has.
func (e emulated) tests(r *run) error {
	whole := e.of(r, e.packages)
	var dirs, names []string
	for _, f := range e.some {
		dirs, names = append(dirs, f.dir), append(names, f.tests...)
	}
	some := e.of(r, dirs)
	var failed error
	if len(whole) > 0 {
		failed = r.goTest(e.environment(), append([]string{"-short", "-exec=" + e.emulator}, whole...)...)
	}
	if len(some) > 0 {
		named := "-run=^(" + strings.Join(names, "|") + ")$"
		failed = cmp.Or(failed, r.goTest(e.environment(), append([]string{"-short", "-exec=" + e.emulator, named}, some...)...))
	}
	return failed
}

// of gives those folders that the tree has, as the go command takes them.
func (e emulated) of(r *run, dirs []string) (there []string) {
	for _, dir := range dirs {
		if r.tree.Find(dir) != nil {
			there = append(there, "./"+dir)
		}
	}
	return there
}

func (e emulated) environment() []string {
	return slices.Concat(e.target.Env, []string{"GOOS=linux", "CGO_ENABLED=0"}, e.env)
}

// speed is how many times faster than life an emulated post lives. Chosen by us: slow
// enough for its loop to keep up.
const speed = "240"

// charged is what a post prints of one charge, as far as it must add up.
type charged struct {
	Reserved, Captured, Released int64 // minor units
	Energy                       int64 `json:"energy_wh"` // Wh
	Bill                         struct{ Total int64 }
}

// post builds the program of a post, asks for its version, and has it drive one
// simulated charge: the runtime, the pages, the journal and the sums in one.
func (e emulated) post(r *run) error {
	if r.tree.Find("agent") == nil {
		return nil
	}
	begun := time.Now()
	tmp, err := os.MkdirTemp("", "cross-suite-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	file := filepath.Join(tmp, "stolpe") // with paths in it: what the tests are made of is used again
	if err := r.command(r.show, e.environment(), "go", "build", "-o", file, "./agent"); err != nil {
		return err
	}
	if err := r.command(r.show, e.env, e.emulator, file, "version"); err != nil {
		return err
	}
	said := ""
	take := func(line string) bool { said = line; return false }
	if err := r.command(take, e.env, e.emulator, file, "demo", "--once", "--json", "--speed", speed); err != nil {
		return fmt.Errorf("a charge on %s: %w: %s", e.name, err, said)
	}
	c, err := readCharge(said)
	if err != nil {
		return fmt.Errorf("a charge on %s: %w", e.name, err)
	}
	r.tally.add(result{name: "a charge on " + e.name})
	fmt.Fprintf(r.out, "   ok   a charge on %s: %d Wh, %d of %d taken, %s\n", e.name, c.Energy, c.Captured, c.Reserved, seconds(time.Since(begun)))
	return nil
}

// errDoesNotAddUp is what readCharge wraps.
var errDoesNotAddUp = errors.New("does not add up")

// readCharge reads what a post prints of a charge.
func readCharge(said string) (charged, error) {
	var c charged
	if err := json.Unmarshal([]byte(said), &c); err != nil {
		return c, fmt.Errorf("%w: %s", err, said)
	}
	if c.Energy <= 0 || c.Captured <= 0 || c.Captured != c.Bill.Total || c.Captured+c.Released != c.Reserved {
		return c, fmt.Errorf("%w: %s", errDoesNotAddUp, said)
	}
	return c, nil
}
