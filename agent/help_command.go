package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"stolpe/agent/help"
	"stolpe/display"
	"stolpe/hal"
)

func helpCommand() *cobra.Command {
	var json bool
	c := &cobra.Command{
		Use:   "help [TOPIC | COMMAND...]",
		Short: "explain a topic or a command: " + strings.Join(help.Topics(), ", "),
		Long: `Explains a topic to whoever stands at a post, or a command. All of it is in the program: no network is
needed. Without an argument it lists the commands and the topics.`,
		Example: `  stolpe help wiring
  stolpe help faults --lang nb
  stolpe help contactor test`,
		ValidArgsFunction: completeHelp,
		RunE: func(c *cobra.Command, args []string) error {
			return explainTo(c, args, json)
		},
	}
	c.Flags().BoolVar(&json, "json", false, "print one JSON object")
	return c
}

// helpJSON is a topic, or a command, as --json has it.
type helpJSON struct {
	Topic   string `json:"topic,omitempty"`
	Command string `json:"command,omitempty"`
	Lang    string `json:"lang"`
	Text    string `json:"text"`
}

// explainTo prints a topic, or the help of a command.
func explainTo(c *cobra.Command, args []string, json bool) error {
	lang := langOf(c)
	h := helpJSON{Lang: pick(lang, "nb", "en")}
	switch {
	case len(args) == 1 && help.Known(args[0]):
		h.Topic, h.Text = args[0], help.Text(args[0], lang)
	default:
		found, err := commandOf(c.Root(), args)
		if err != nil {
			return err
		}
		var text bytes.Buffer
		speakOf(&text, found, lang)
		h.Command, h.Text = found.CommandPath(), text.String()
	}
	if json {
		return failed(printJSON(c.OutOrStdout(), h))
	}
	_, err := io.WriteString(c.OutOrStdout(), h.Text)
	return failed(err)
}

// commandOf is the command that words name, or why there is none.
func commandOf(root *cobra.Command, args []string) (*cobra.Command, error) {
	c := root
	for i, word := range args {
		next := childOf(c, word)
		if next == nil {
			var names []string
			for _, sub := range c.Commands() {
				if inHelp(sub) {
					names = append(names, sub.Name())
				}
			}
			if i == 0 {
				names = append(names, help.Topics()...)
			}
			return nil, coded{fmt.Errorf("no topic or command is called %q%s; stolpe help lists them", strings.Join(args[:i+1], " "), perhaps(word, names)), exitNotFound}
		}
		c = next
	}
	return c, nil
}

// childOf is the command of that name below another; nil if there is none.
func childOf(c *cobra.Command, name string) *cobra.Command {
	for _, sub := range c.Commands() {
		if sub.Name() == name || sub.HasAlias(name) {
			return sub
		}
	}
	return nil
}

// perhaps offers the name that is most like a wrong one, if one is like it.
func perhaps(wrong string, names []string) string {
	near := hal.Nearest(wrong, names)
	if len(near) == 0 || hal.Distance(wrong, near[0]) > 1+len(wrong)/3 {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", near[0])
}

// inHelp says whether a command is shown to people.
func inHelp(c *cobra.Command) bool { return c.IsAvailableCommand() || c.Name() == "help" }

// speak gives the program its help: topics beside commands, in the language of who reads,
// and what a shell completes. The language is known only when the flags have been read,
// and so help is put together when it is asked for.
func speak(root *cobra.Command, args []string) {
	if old := childOf(root, "help"); old != nil {
		root.RemoveCommand(old)
	}
	root.InitDefaultHelpFlag() // known before arguments are: it takes none
	root.SetHelpCommand(helpCommand())
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(args...)
	root.SetHelpFunc(func(c *cobra.Command, _ []string) { speakOf(c.OutOrStdout(), c, langOf(c)) })
	root.SetUsageFunc(func(c *cobra.Command) error {
		usageOf(c.OutOrStderr(), c, langOf(c))
		return nil
	})
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		completeFlags(root)
		shortly(root, langOf(root))
	}
}

// shortly puts what commands do into the language, for the lists of a shell.
func shortly(c *cobra.Command, l display.Lang) {
	c.Short = shortOf(c, l)
	for _, sub := range c.Commands() {
		shortly(sub, l)
	}
}
