package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// confirmed asks for a word before something dangerous is done: nil goes on. danger says
// in a sentence what would be done. With yes nobody is asked, and without a terminal
// nobody can be.
func confirmed(c *cobra.Command, yes bool, danger, word string) error {
	if yes {
		return nil
	}
	lang := langOf(c)
	if !terminal(c.InOrStdin()) {
		return unconfirmedIn(lang, danger)
	}
	said, err := typed(c.InOrStdin(), c.ErrOrStderr(),
		fmt.Sprintf(pick(lang, "%s Skriv %s for å fortsette: ", "%s Type %s to continue: "), danger, word))
	if err != nil {
		return failed(err)
	}
	if said != word {
		return coded{fmt.Errorf("%q is not %s; nothing was done", said, word), exitRefused}
	}
	return nil
}

// typed puts a question to whoever sits at the terminal, and gives the line that is typed.
func typed(from io.Reader, to io.Writer, question string) (string, error) {
	if _, err := io.WriteString(to, question); err != nil {
		return "", err
	}
	const most = 4096 // bytes of a line, as a terminal passes on
	line, err := bufio.NewReader(io.LimitReader(from, most)).ReadString('\n')
	if err != nil && line == "" {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	return strings.TrimSpace(line), nil
}
