package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/doctor"
	"stolpe/display"
)

// checkup is one look at the post.
type checkup struct {
	file   string
	strict bool
	json   bool
	lang   display.Lang
	paint  painter
}

func doctorCommand() *cobra.Command {
	var k checkup
	c := &cobra.Command{
		Use:   "doctor [CHECK...]",
		Short: "look at everything, and say what is wrong and what to do about it",
		Long: `Looks at the post and its machine in the order in which to repair: what comes first is the cause of what
comes after. Checks that are named are looked at alone; meter stands for meter.1, meter.2 and meter.mid.1.
Nothing is changed, and no money moves. Without the daemon it looks at what can be seen without.`,
		Example: `  stolpe doctor
  stolpe doctor meter contactor
  stolpe doctor --strict --json`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.FixedCompletions(checkNames(), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(c *cobra.Command, names []string) error {
			k.lang, k.paint = langOf(c), paintOf(c, c.OutOrStdout())
			f := k.gather(c)
			all, unknown := doctor.Judge(f, names...)
			if unknown != "" {
				return coded{fmt.Errorf("no check is called %q; there are %s", unknown, strings.Join(doctor.Names(), ", ")), exitNotFound}
			}
			if err := k.print(c.OutOrStdout(), f, all); err != nil {
				return failed(err)
			}
			return k.verdict(all)
		},
	}
	c.Flags().StringVar(&k.file, "config", defaultConfig, "configuration `file`, where no daemon says which one it runs")
	c.Flags().BoolVar(&k.strict, "strict", false, "a warning counts as a failure")
	c.Flags().BoolVar(&k.json, "json", false, "print one JSON object a line for each check")
	return c
}

// checkNames are the checks, for completion.
func checkNames() []cobra.Completion { return doctor.Names() }

// howMany is how many findings have a status.
func howMany(all []doctor.Finding, s doctor.Status) (n int) {
	for _, x := range all {
		if x.Status == s {
			n++
		}
	}
	return n
}

// errIll ends a doctor that has found something.
type errIll struct{ text string }

func (e errIll) Error() string { return e.text }

// verdict is how the command ends.
func (k *checkup) verdict(all []doctor.Finding) error {
	fails, warns := howMany(all, doctor.Fail), howMany(all, doctor.Warn)
	if fails == 0 && (!k.strict || warns == 0) {
		return nil
	}
	first, _ := doctor.First(all)
	return coded{errIll{fmt.Sprintf(pick(k.lang, "begynn med %s: %s", "begin with %s: %s"), first.ID, first.Remedy.In(k.lang))}, exitDiffers}
}

// saidFinding is a finding as JSON has it.
type saidFinding struct {
	ID     string `json:"id"`
	Group  string `json:"group"`
	Status string `json:"status"`
	What   string `json:"what"`
	Remedy string `json:"remedy,omitempty"`
	Topic  string `json:"topic,omitempty"`
}

func (k *checkup) print(w io.Writer, f doctor.Facts, all []doctor.Finding) error {
	if k.json {
		for _, x := range all {
			if err := json.NewEncoder(w).Encode(k.sayFinding(x)); err != nil {
				return err
			}
		}
		return nil
	}
	var b strings.Builder
	fmt.Fprintln(&b, k.title(f))
	var groups []doctor.Group
	for _, x := range all {
		if !slices.Contains(groups, x.Group) {
			groups = append(groups, x.Group)
		}
	}
	for _, g := range groups {
		fmt.Fprintf(&b, "\n%s\n", k.paint.head(g.Title(k.lang)))
		for _, x := range all {
			if x.Group == g {
				k.line(&b, x)
			}
		}
	}
	fmt.Fprintf(&b, "\n%s\n", k.sum(all))
	_, err := io.WriteString(w, b.String())
	return err
}

// title says which post, which program, which machine, and when.
func (k *checkup) title(f doctor.Facts) string {
	words := []string{"Stolpe"}
	if f.Daemon != nil {
		words[0] += " " + f.Daemon.Post
	}
	words = append(words, "stolpe "+f.Version)
	if f.Machine.Board != "" {
		words = append(words, f.Machine.Board)
	}
	zone, err := time.LoadLocation(f.File.Zone)
	if err != nil || f.File.Zone == "" {
		zone = time.Local
	}
	return strings.Join(append(words, time.Unix(f.Machine.Now, 0).In(zone).Format("2006-01-02 15:04 MST")), " · ")
}

// line prints one finding: status, name, what, and below it what to do.
func (k *checkup) line(b *strings.Builder, x doctor.Finding) {
	const nameWidth = 14 // characters; of the longest usual name
	word := map[doctor.Status]string{doctor.Pass: k.paint.good("PASS"), doctor.Warn: k.paint.warn("WARN"), doctor.Fail: k.paint.bad("FAIL"), doctor.Skip: k.paint.faint("SKIP")}[x.Status]
	fmt.Fprintf(b, "  %s  %-*s  %s\n", word, nameWidth, x.ID, x.What.In(k.lang))
	if remedy := x.Remedy.In(k.lang); remedy != "" {
		more := ""
		if x.Topic != "" && x.Status != doctor.Pass && x.Status != doctor.Skip {
			more = fmt.Sprintf(pick(k.lang, " (se: stolpe help %s)", " (see: stolpe help %s)"), x.Topic)
		}
		fmt.Fprintf(b, "        -> %s%s\n", remedy, more)
	}
}

// sum counts what was found.
func (k *checkup) sum(all []doctor.Finding) string {
	fails, warns := howMany(all, doctor.Fail), howMany(all, doctor.Warn)
	if fails+warns == 0 {
		return pick(k.lang, "Alt er i orden.", "All is well.")
	}
	return fmt.Sprintf(pick(k.lang, "%d feil, %d varsler.", "Problems: %d, warnings: %d."), fails, warns)
}

// gather finds out all there is, and says on the way what could not be.
func (k *checkup) gather(c *cobra.Command) doctor.Facts {
	out := progressOf(c)
	say := func(nb, en string, a ...any) { fmt.Fprintf(out, pick(k.lang, nb, en)+"\n", a...) }
	return gatheredWith(c.Context(), daemonOf(), thisComputer(c.Context(), machineTime()), k.file, c.Flags().Changed("config"), say)
}
