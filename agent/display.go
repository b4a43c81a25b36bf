package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
	"stolpe/agent/control"
	"stolpe/display"
	"stolpe/display/panel"
)

func displayCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "display",
		Short: "the post's own displays: how they are, what they show, try one",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(displayListCommand(), displayPreviewCommand(), displayShowCommand(), displayPatternCommand())
	return c
}

func displayListCommand() *cobra.Command {
	var file string
	var json bool
	c := &cobra.Command{
		Use:   "list [--config FILE]",
		Short: "the displays of the post, and how they are doing",
		Long: `Lists the displays of the post as its daemon has them, and how they are doing. Where no daemon runs, as
they stand in the configuration.`,
		Example: `  stolpe display list
  stolpe display list --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			all, err := displaysNow(c, file)
			if err != nil {
				return err
			}
			if json {
				return failed(printJSON(c.OutOrStdout(), displayList{all}))
			}
			return failed(printDisplays(c.OutOrStdout(), langOf(c), all))
		},
	}
	c.Flags().StringVar(&file, "config", defaultConfig, "configuration `file`, where no daemon runs")
	c.Flags().BoolVar(&json, "json", false, "print one JSON object")
	return c
}

// displayList is what the route displays gives.
type displayList struct {
	Displays []displayNow `json:"displays"`
}

// displaysNow are the displays by the daemon, or else by the file.
func displaysNow(c *cobra.Command, file string) ([]displayNow, error) {
	var l displayList
	switch err := daemonOf().Get(c.Context(), "displays", nil, &l); {
	case err == nil:
		return l.Displays, nil
	case !errors.Is(err, control.ErrNoDaemon):
		return nil, answered(err)
	}
	cfg, err := loadConfig(file)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(progressOf(c), "no daemon runs: as they stand in %s\n", file)
	return displaysIn(cfg), nil
}

func printDisplays(w io.Writer, lang display.Lang, all []displayNow) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, pick(lang, "stolpen har ingen skjerm; se: stolpe help displays", "the post has no display; see: stolpe help displays"))
		return err
	}
	t := table(w)
	fmt.Fprintln(t, "DISPLAY\tSIZE\tEVSE\tLANGUAGES\tIS\tSHOWS\tPAGES\tFAILURES\tAT")
	for _, d := range all {
		is, shows := "-", cmp.Or(d.Shows, "-")
		if d.Running {
			is = cmp.Or(d.Fault, "ok")
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", d.Name, d.Size, numbersOf(d.EVSEs), strings.Join(d.Languages, " "), is, shows, d.Pages, d.Failures, d.URL)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, d := range all {
		if d.Trouble == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s: %s -> stolpe doctor display\n", d.Name, d.Trouble); err != nil {
			return err
		}
	}
	return nil
}

// numbersOf are numbers as people list them.
func numbersOf(all []int) string {
	var words []string
	for _, n := range all {
		words = append(words, fmt.Sprint(n))
	}
	return strings.Join(words, " ")
}

// Chosen by us: a technician looks for some seconds; a driver who comes by must not find
// something untrue for long.
const (
	showFor  = 10 * time.Second
	showMost = 5 * time.Minute
)

// shownFor is what is shown for a while on a display.
type shownFor struct {
	name string // of the display; empty for all
	long time.Duration
	json bool
}

func (s *shownFor) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.name, "display", "", "`name` of the display, as in display list; left out, all of them")
	c.Flags().DurationVar(&s.long, "for", showFor, "how `long`, at most 5m")
	c.Flags().BoolVar(&s.json, "json", false, "print one JSON object")
}

// ask has it shown.
func (s *shownFor) ask(c *cobra.Command, state string) error {
	if s.long < time.Second || s.long > showMost || s.long%time.Second != 0 {
		return fmt.Errorf("--for %v: want whole seconds, 1s to %v", s.long, showMost)
	}
	var said sentence
	args := showArgs{Display: s.name, State: state, For: int64(s.long / time.Second)}
	if err := daemonOf().Do(c.Context(), "display/show", args, &said); err != nil {
		return answered(err)
	}
	return sayDone(c.OutOrStdout(), s.json, said)
}

func displayShowCommand() *cobra.Command {
	var s shownFor
	c := &cobra.Command{
		Use:   "show STATE [--display NAME] [--for TIME]",
		Short: "show a state on the displays for a while",
		Long: `Shows a state on the displays of the post for a while, with figures that are made up: to see that it can be
read where the display hangs. There is no code to scan on it. Not while somebody charges: a driver would take the figures for
theirs. The states are those of display preview.`,
		Example: `  stolpe display show charging
  stolpe display show free-long --display oled-2 --for 1m`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeStates,
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := sampleNamed(args[0], display.NB, display.EN); err != nil {
				return err
			}
			return s.ask(c, args[0])
		},
	}
	s.flags(c)
	return c
}

func displayPatternCommand() *cobra.Command {
	var s shownFor
	c := &cobra.Command{
		Use:   "test-pattern [--display NAME] [--for TIME]",
		Short: "show a test pattern on the displays for a while",
		Long: `Shows a pattern by which it can be seen whether a display is whole and the right way up: a frame along its
edges, an arrow upwards, fields of dots that are lit and dark, its colours; on a display of letters, those that it
was taught. A light has all its colours on: white. Not while somebody charges.`,
		Example: `  stolpe display test-pattern
  stolpe display test-pattern --display light --for 30s`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return s.ask(c, patternState) },
	}
	s.flags(c)
	return c
}

// patternState is the test pattern among the states.
const patternState = "test-pattern"

// sampleNamed finds a state by its name, in two languages.
func sampleNamed(name string, first, second display.Lang) (panel.Scene, error) {
	all := panel.Samples(first, second)
	for _, s := range all {
		if s.Name == name {
			return s.Scene, nil
		}
	}
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
	}
	return panel.Scene{}, fmt.Errorf("state %q: want one of %s", name, strings.Join(names, ", "))
}

func completeStates(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, s := range panel.Samples(display.NB, display.EN) {
		names = append(names, s.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// languagesOf reads what a display says first and second.
func languagesOf(tags []string) (both [2]display.Lang, err error) {
	if len(tags) < 1 || len(tags) > 2 {
		return both, errors.New("want one language or two, as in nb,en")
	}
	for i := range both {
		tag := tags[min(i, len(tags)-1)]
		lang, known := display.ParseLang(tag)
		if !known {
			return both, fmt.Errorf("language %q: want one of %s", tag, strings.Join(tagsOf(display.Langs()...), ", "))
		}
		both[i] = lang
	}
	return both, nil
}

// tagsOf are the tags of languages, each once.
func tagsOf(all ...display.Lang) []string {
	var tags []string
	for _, l := range all {
		tags = append(tags, l.Tag())
	}
	return slices.Compact(tags)
}

// displaysIn are the displays of a configuration.
func displaysIn(cfg config.Config) []displayNow {
	all := []displayNow{}
	for _, d := range cfg.Displays {
		all = append(all, displayNow{Name: d.Name, Kind: string(d.Kind), Size: mediumOf(d).name, URL: d.URL, EVSEs: d.EVSEs, Languages: tagsOf(d.Languages[:]...), Code: string(d.Code)})
	}
	return all
}
