package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
)

func configEditCommand() *cobra.Command {
	var s settings
	c := &cobra.Command{
		Use:   "edit",
		Short: "edit the file in $VISUAL or $EDITOR; it is written only if it is valid",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !terminal(c.InOrStdin()) {
				return coded{errors.New("an editor needs a terminal; without one: stolpe config set KEY VALUE"), exitUsage}
			}
			return s.edit(c)
		},
	}
	s.pinFlag(c)
	return s.flags(c, "one JSON object that says what changed")
}

// edit has a copy of the file edited, again and again until it is valid or somebody has
// had enough. What was typed is never thrown away.
func (s *settings) edit(c *cobra.Command) error {
	old, err := readPlain(s.file)
	if err != nil {
		return s.unread(err)
	}
	dir, err := os.MkdirTemp("", "stolpe-edit-")
	if err != nil {
		return failed(err)
	}
	draft := filepath.Join(dir, filepath.Base(s.file))
	if err := os.WriteFile(draft, old, 0o600); err != nil {
		return failed(err)
	}
	for {
		text, err := edited(c, draft)
		if err != nil {
			return coded{fmt.Errorf("%w; your text is in %s", err, draft), exitFailed}
		}
		if bytes.Equal(text, old) {
			fmt.Fprintln(progressOf(c), "Nothing was changed.")
			return failed(os.RemoveAll(dir))
		}
		a, err := config.Replaced(s.file, old, text, s.askPIN(c, "PIN of the seal"))
		if err == nil {
			err = s.write(c, a, false)
			if err == nil {
				return failed(os.RemoveAll(dir))
			}
			return coded{fmt.Errorf("%w; your text is in %s", err, draft), codeFor(err)}
		}
		err = s.unchanged(err)
		question := fmt.Sprintf(pick(langOf(c), "%v\nRedigere videre? [J/n] ", "%v\nEdit it again? [Y/n] "), err)
		if answer, no := typed(c.InOrStdin(), c.ErrOrStderr(), question); no != nil || strings.HasPrefix(strings.ToLower(answer), "n") {
			return coded{fmt.Errorf("nothing was written; your text is in %s", draft), codeFor(err)}
		}
	}
}

// codeFor is the exit code of an error.
func codeFor(err error) int {
	var own coded
	if errors.As(err, &own) {
		return own.code
	}
	return exitFailed
}

// edited runs the editor on a file, and gives what is in it then. The editor's variable
// may have words behind its name, as in "code --wait".
func edited(c *cobra.Command, file string) ([]byte, error) {
	words := strings.Fields(cmp.Or(os.Getenv("VISUAL"), os.Getenv("EDITOR"), "vi"))
	e := exec.CommandContext(c.Context(), words[0], append(words[1:], file)...)
	e.Stdin, e.Stdout, e.Stderr = c.InOrStdin(), os.Stdout, c.ErrOrStderr()
	if err := e.Run(); err != nil {
		return nil, fmt.Errorf("the editor %s: %w", words[0], err)
	}
	return os.ReadFile(file)
}
