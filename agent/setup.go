package main

import (
	"strings"

	"github.com/spf13/cobra"

	"stolpe/agent/setup"
	"stolpe/display"
)

// setupOptions are the flags of a setup, but for the questions, which are flags too.
type setupOptions struct {
	file    string // the configuration
	answers string // a file of them
	report  string // the files of the report, without their endings
	sticker string // the file of the sticker
	pin     string // a file with the PIN of the seal
	skip    []string
	charge  bool // drive a first charge
	yes     bool
	resume  bool
	restart bool
	json    bool
	said    map[string]*string // answers, by question
}

func setupCommand() *cobra.Command {
	o := setupOptions{said: map[string]*string{}}
	c := &cobra.Command{
		Use:   "setup",
		Short: "put a post into service: ask, write the configuration, test, and write a report",
		Long: `Puts a post into service. On a terminal it asks what it is not told. Without one it asks nothing: it
says all at once what is missing. Every question is a flag below, and a key of a file for --answers, in
which post.id stands as "id" under "post".

It reads the meter and compares it with the meter's own display, writes the configuration, has the
contactor close for a moment, watches the inputs, tests the payment service, draws the sticker, and
writes a report whose name stands in the post's ledger. What is broken off goes on with --resume.`,
		Example: `  stolpe setup
  stolpe setup --answers a12.yaml --meter-shown 1234.5 --yes
  stolpe setup --config stolpe.yaml --simulated --first-charge --yes`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			f, err := newFitting(c, o)
			if err != nil {
				return err
			}
			return f.run(c.Context())
		},
	}
	f := c.Flags()
	f.StringVar(&o.file, "config", defaultConfig, "configuration `file` to write")
	f.StringVar(&o.answers, "answers", "", "`file` with answers (YAML)")
	f.StringVar(&o.report, "report", "", "`path` of the report, which gets .txt, .json and .pdf behind it (default: that of the configuration, without its ending)")
	f.StringVar(&o.sticker, "sticker", "", "`file` of the sticker, ending in .pdf or .svg; none is drawn without")
	f.StringVar(&o.pin, "pin-file", "", "`file` with a PIN to seal with what is safe only as it was tested")
	f.StringSliceVar(&o.skip, "skip", nil, "`steps` to leave out, which the report will say: "+stepNames(setup.MaySkip()))
	f.BoolVar(&o.charge, "first-charge", false, "drive a first charge, for a simulated post")
	f.BoolVarP(&o.yes, "yes", "y", false, "yes, nothing is plugged in and the contactor may close; yes, write over the configuration")
	f.BoolVar(&o.resume, "resume", false, "go on with a setup that was broken off")
	f.BoolVar(&o.restart, "restart", false, "forget a setup that was broken off")
	f.BoolVar(&o.json, "json", false, "print what came of it as one JSON object")
	for _, q := range setup.Questions(setup.MaxEVSEs) {
		said, name := new(string), q.Flag()
		o.said[q.Key] = said
		f.StringVar(said, name, "", flagHelp(q, display.EN))
		if len(q.One) > 0 {
			completes(c, name, q.One)
		}
		flag := f.Lookup(name)
		flag.Hidden = q.EVSE > 1 // as that of the first, with a 2
		if q.Kind == setup.YesNo {
			flag.NoOptDefVal = "true"
		}
	}
	completes(c, "skip", strings.Split(stepNames(setup.MaySkip()), ", "))
	return c
}

// completes has a shell complete a flag's words.
func completes(c *cobra.Command, flag string, words []string) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag stands a few lines above
	}
}

// flagHelp is what is said of the flag of a question.
func flagHelp(q setup.Question, l display.Lang) string {
	text := strings.TrimSuffix(q.Ask.In(l), "?")
	if len(q.One) > 0 {
		text += ": " + strings.Join(q.One, ", ")
	} else if q.Kind == setup.Money {
		text += ": `5.49`"
	}
	return text
}

func stepNames(all []setup.Step) string {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}
