package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"stolpe/agent/session"
	"stolpe/agent/session/script"
	"stolpe/agent/support"
	"stolpe/payment"
)

// replayOptions are the flags of stolpe sessions replay.
type replayOptions struct {
	evse   int // id; 0 for all
	charge string
	out    string
	brief  bool
	json   bool
	stdout io.Writer
}

func sessionsReplayCommand() *cobra.Command {
	var o replayOptions
	c := &cobra.Command{
		Use:   "replay FILE",
		Short: "play on a desk what a support bundle tells: the state of the post, and its charges",
		Long: `Makes a scenario of the state of each EVSE in a support bundle, and one of each charge that it still knows,
plays them with the very rules of a post, and says whether the same faults and the same bills come of it.
Needs no post, no network and no clock. With --out the scenarios are written as text: change one, and play it
again by naming it instead of a bundle. One that shows a fault of the program belongs into testdata/scenarios.`,
		Example: `  stolpe sessions replay stolpe-a12-20261120-1104.tar.gz
  stolpe sessions replay stolpe-a12-20261120-1104.tar.gz --charge c-3f9a21bc
  stolpe sessions replay evse-1-state.txt`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.stdout = c.OutOrStdout()
			return o.run(args[0], progressOf(c))
		},
	}
	f := c.Flags()
	f.IntVar(&o.evse, "evse", 0, "`id` of the EVSE; all if it is left out")
	f.StringVar(&o.charge, "charge", "", "this charge only, as the bundle calls it: `c-...`")
	f.StringVar(&o.out, "out", "", "`folder` into which the scenarios are written, with the lines that came of them")
	f.BoolVar(&o.brief, "brief", false, "what came of each in one line, and no scenarios")
	f.BoolVar(&o.json, "json", false, "print one JSON object a line for each scenario")
	return c
}

// replayJSON is what came of a scenario.
type replayJSON struct {
	replayed
	Recorded outcomeWord `json:"recorded"`
	Replayed outcomeWord `json:"replayed"`
	Same     bool        `json:"same"`
	Lines    string      `json:"lines"` // the scenario, with what came of it
}

// outcomeWord is what came of something. Amounts are in minor units.
type outcomeWord struct {
	Faults []string `json:"faults,omitempty"` // codes
	Bills  []int64  `json:"bills,omitempty"`
	Reason string   `json:"reason,omitempty"`
	Energy int64    `json:"energy_wh,omitempty"` // Wh
}

func (w outcomeWord) String() string {
	var words []string
	if w.Reason != "" {
		words = append(words, w.Reason, fmt.Sprintf("%d Wh", w.Energy))
	}
	for _, b := range w.Bills {
		words = append(words, "bill "+kroner(b))
	}
	if len(w.Faults) > 0 {
		words = append(words, "faults "+strings.Join(w.Faults, " "))
	}
	if len(words) == 0 {
		return "nothing is wrong, nothing is open"
	}
	return strings.Join(words, ", ")
}

func (w outcomeWord) same(o outcomeWord) bool {
	return slices.Equal(w.Faults, o.Faults) && slices.Equal(w.Bills, o.Bills) && w.Reason == o.Reason && w.Energy == o.Energy
}

// maxFile is the largest file that is read, bytes: what a bundle may have, unpacked.
const maxFile = support.MaxBundle

func (o *replayOptions) run(file string, stderr io.Writer) error {
	info, err := os.Stat(file)
	if err == nil && info.Size() > maxFile {
		err = fmt.Errorf("%s: has %d bytes: want a support bundle", file, info.Size())
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(filepath.Clean(file))
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return coded{fmt.Errorf("%w; make a bundle with stolpe support bundle", err), exitNotFound}
	case err != nil:
		return failed(err)
	case strings.HasSuffix(file, ".txt"):
		return o.playText(string(text))
	}
	b, err := support.Read(bytes.NewReader(text))
	if err != nil {
		return coded{fmt.Errorf("%s: %w; name a bundle as stolpe support bundle writes it, or a scenario that ends in .txt", file, err), exitUsage}
	}
	all, err := o.chosen(b, stderr)
	if err != nil {
		return err
	}
	return o.playAll(all)
}

// playText plays a scenario that somebody has written.
func (o *replayOptions) playText(text string) error {
	p, err := script.Play(text)
	if err != nil {
		return coded{fmt.Errorf("%w; testdata/scenarios has examples", err), exitUsage}
	}
	if o.json {
		return failed(printJSON(o.stdout, struct {
			Lines string `json:"lines"`
		}{p.Text}))
	}
	return failed(second(io.WriteString(o.stdout, p.Text)))
}

// chosen makes the scenarios of a bundle that somebody wants.
func (o *replayOptions) chosen(b *support.Bundle, stderr io.Writer) (all []replayed, err error) {
	faults := faultsIn(b.File("ledger.jsonl"))
	for _, name := range b.Names() {
		if !strings.HasPrefix(name, "evse-") {
			continue
		}
		var f evseFile
		if err := json.Unmarshal(b.File(name), &f); err != nil {
			return nil, coded{fmt.Errorf("%s of the bundle: %w", name, err), exitFailed}
		}
		if err := f.named(); err != nil {
			return nil, coded{fmt.Errorf("%s of the bundle: %w; it was not written by stolpe", name, err), exitFailed}
		}
		if o.evse != 0 && o.evse != f.EVSE {
			continue
		}
		some, left := f.scenarios(b.Head, faults)
		for _, one := range some {
			if o.charge == "" || o.charge == one.Charge {
				all = append(all, one)
			}
		}
		for _, why := range left {
			if o.charge == "" || strings.Contains(why, o.charge) {
				fmt.Fprintln(stderr, why)
			}
		}
	}
	if len(all) == 0 {
		return nil, coded{errors.New("the bundle has no such EVSE or charge; evse-1.json in it lists them"), exitNotFound}
	}
	return all, nil
}

// named refuses names of charges that are none: files are called after them, and a bundle
// may come from anybody.
func (f *evseFile) named() error {
	for _, c := range slices.Concat(f.Done, f.Debts) {
		if !payment.Ref(c.Charge).Valid() {
			return fmt.Errorf("charge %.40q: want letters, digits and hyphens", c.Charge)
		}
	}
	return nil
}

// playAll plays scenarios, and says whether the same came of them.
func (o *replayOptions) playAll(all []replayed) error {
	differ := 0
	for _, r := range all {
		p, err := script.Play(r.Text)
		if err != nil {
			return failed(fmt.Errorf("%s: %w", r.Name, err))
		}
		j := replayJSON{replayed: r, Lines: p.Text, Recorded: outcomeWord{r.Faults, r.Bills, r.Reason, r.Energy}}
		j.Replayed = r.outcomeOf(p)
		j.Same = j.Recorded.same(j.Replayed)
		if !j.Same {
			differ++
		}
		if err := o.print(j); err != nil {
			return err
		}
	}
	if differ > 0 {
		return coded{fmt.Errorf("%d of %d did not come out as they were recorded: read their lines; a difference of a few Wh comes from a car that did not draw evenly", differ, len(all)), exitDiffers}
	}
	return nil
}

// outcomeOf is what came of a scenario, in the words of what was recorded.
func (r *replayed) outcomeOf(p script.Played) (w outcomeWord) {
	if r.Charge == "" {
		session.EachFault(func(one session.Faults) {
			if p.State.Faults()&one != 0 && !slices.Contains(passing(), one.Code()) {
				w.Faults = append(w.Faults, one.Code())
			}
		})
		for i := range p.State.Debts {
			if i < len(r.Bills) { // a charge that was under way has become one more
				w.Bills = append(w.Bills, int64(p.State.Debts[i].Bill().Total))
			}
		}
		return w
	}
	ended := slices.Concat(p.State.Debts, p.State.Done)
	if len(ended) > 0 {
		d := &ended[0]
		w = outcomeWord{Bills: []int64{int64(d.Bill().Total)}, Reason: d.Why.String(), Energy: int64(d.Use().Energy)}
		if (r.Reason == "shut_down" && w.Reason == "power_loss") || (r.Reason == "remote_stop" && w.Reason == "driver_stop") {
			w.Reason = r.Reason // a desk has no service manager and no fleet
		}
	}
	return w
}

// print tells what came of a scenario.
func (o *replayOptions) print(j replayJSON) error {
	if o.out != "" {
		err := os.MkdirAll(o.out, 0o700)
		if err == nil {
			err = replace(filepath.Join(o.out, j.Name+".txt"), []byte(j.Lines), 0o600)
		}
		if err != nil {
			return failed(fmt.Errorf("%w; name another folder with --out", err))
		}
	}
	if o.json {
		return failed(printJSON(o.stdout, j))
	}
	word := "SAME"
	if !j.Same {
		word = "DIFFERS"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-7s  %s\n         recorded: %v\n         replayed: %v\n", word, j.Name, j.Recorded, j.Replayed)
	if !o.brief {
		fmt.Fprintf(&b, "\n%s\n", j.Lines)
	}
	return failed(second(io.WriteString(o.stdout, b.String())))
}
