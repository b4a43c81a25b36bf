package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// journalctl is the program that reads the system's log.
const journalctl = "journalctl"

// logging is the command logs.
type logging struct {
	follow bool
	since  string
	level  string
	evse   int // its number; 0 for all, and the post
	lines  int // of the newest
	json   bool

	least slog.Level
	zone  *time.Location
}

// Bounds of --lines.
const (
	logNewest = 200
	logMost   = 100_000
)

func logsCommand() *cobra.Command {
	var l logging
	c := &cobra.Command{
		Use:   "logs",
		Short: "show what the daemon has written into the system's log",
		Long: `Reads the log of ` + logUnit + ` with journalctl, and shows the newest lines of a level and of an EVSE.
Whoever may not read the system's log sees nothing: use sudo, or be a member of systemd-journal.
What has happened to charges is in stolpe sessions, which is kept for longer.`,
		Example: `  stolpe logs --since today --level warn
  stolpe logs -f --evse 1`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if l.since != "" && c.Flags().Changed("lines") {
				return errors.New("--since and --lines: want one of them")
			}
			args, err := l.check(time.Now())
			if err != nil {
				return err
			}
			return l.run(c.Context(), args, c.OutOrStdout(), progressOf(c))
		},
	}
	f := c.Flags()
	f.BoolVarP(&l.follow, "follow", "f", false, "go on until Ctrl-C")
	f.StringVar(&l.since, "since", "", "only what was written since then: `when`, as in today, 2h or 2026-11-20")
	f.StringVar(&l.level, "level", "info", "only this `level` and what is graver: debug, info, warn or error")
	f.IntVar(&l.evse, "evse", 0, "only what is about the EVSE with this `number`")
	f.IntVarP(&l.lines, "lines", "n", logNewest, "at most so `many` of the newest, before levels and EVSEs are looked at; not with --since")
	f.BoolVar(&l.json, "json", false, "print one JSON object a line")
	return c
}

// check gives the arguments of journalctl.
func (l *logging) check(now time.Time) ([]string, error) {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	least, known := levels[l.level]
	switch {
	case !known:
		return nil, fmt.Errorf("--level %q: want debug, info, warn or error", l.level)
	case l.evse < 0:
		return nil, fmt.Errorf("--evse %d: want the number of an EVSE, from 1", l.evse)
	case l.lines < 1 || l.lines > logMost:
		return nil, fmt.Errorf("--lines %d: want 1 to %d", l.lines, logMost)
	}
	l.least, l.zone = least, time.Local
	args := []string{logSpace, "--unit=" + logUnit, "--output=json", "--no-pager", "--quiet"}
	if l.since == "" {
		args = append(args, "--lines="+strconv.Itoa(l.lines))
	} else {
		t, err := parseSince("since", l.since, now, l.zone)
		if err != nil {
			return nil, err
		}
		args = append(args, "--since=@"+strconv.FormatInt(t.Unix(), 10))
	}
	if l.follow {
		args = append(args, "--follow")
	}
	return args, nil
}

func (l *logging) run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	path, err := exec.LookPath(journalctl)
	if err != nil {
		return coded{fmt.Errorf("this machine has no %s, so its log is not where this command could read it; look where the program that starts stolpe run puts its standard error", journalctl), exitFailed}
	}
	j := exec.CommandContext(ctx, path, args...)
	var said bytes.Buffer
	j.Stderr = &said
	out, err := j.StdoutPipe()
	if err != nil {
		return failed(err)
	}
	if err := j.Start(); err != nil {
		return coded{fmt.Errorf("%w; try it by hand: %s %s", err, journalctl, strings.Join(args, " ")), exitFailed}
	}
	n, printing := l.print(out, stdout)
	if printing != nil {
		j.Process.Kill() //nolint:errcheck // it may have ended
	}
	err = j.Wait()
	switch {
	case printing != nil:
		return failed(printing)
	case ctx.Err() != nil:
		return cutShort("")
	case err != nil:
		return coded{fmt.Errorf("%s: %w: %s; use sudo, or be a member of the group systemd-journal", journalctl, err, strings.TrimSpace(said.String())), exitFailed}
	case n == 0:
		fmt.Fprintf(stderr, "%s has no such lines; whoever may not read the log of %s sees none: use sudo\n", journalctl, logUnit)
	}
	return nil
}

// logLine is a line of the log as --json has it.
type logLine struct {
	At    string `json:"at"`
	Level string `json:"level,omitempty"`
	EVSE  int    `json:"evse,omitempty"` // its number
	Text  string `json:"text"`
}

// print prints the lines that are wanted, and says how many there were.
func (l *logging) print(in io.Reader, out io.Writer) (n int, err error) {
	const most = 1 << 20 // bytes of a line of journalctl's
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 4<<10), most)
	for lines.Scan() {
		one, level, ok := parseLog(lines.Bytes())
		if !ok || level < l.least || l.evse > 0 && one.EVSE != l.evse {
			continue
		}
		n++
		if l.json {
			err = printJSON(out, one)
		} else {
			err = l.printLine(out, one)
		}
		if err != nil {
			return n, err
		}
	}
	return n, lines.Err()
}

func (l *logging) printLine(out io.Writer, one logLine) error {
	at := one.At
	if t, err := time.Parse(time.RFC3339Nano, one.At); err == nil {
		at = t.In(l.zone).Format("2006-01-02 15:04:05")
	}
	text := one.Text
	if one.Level != "" {
		text = fmt.Sprintf("%-5s %s", one.Level, strings.TrimPrefix(text, "level="+one.Level+" "))
	}
	_, err := fmt.Fprintf(out, "%s  %s\n", at, text)
	return err
}

// parseLog reads a line of journalctl --output=json. What the daemon did not write itself,
// such as a crash, has the level of an error.
func parseLog(text []byte) (one logLine, level slog.Level, ok bool) {
	var j struct {
		At      string          `json:"__REALTIME_TIMESTAMP"` // µs since 1970
		Message json.RawMessage `json:"MESSAGE"`              // a text, or the bytes of one that is not UTF-8
		By      string          `json:"_SYSTEMD_UNIT"`
	}
	if json.Unmarshal(text, &j) != nil || len(j.Message) == 0 {
		return logLine{}, 0, false
	}
	if one.Text, ok = messageOf(j.Message); !ok {
		return logLine{}, 0, false
	}
	one.Text = strings.Map(printable, strings.TrimRight(one.Text, "\n"))
	if us, err := strconv.ParseInt(j.At, 10, 64); err == nil {
		one.At = time.UnixMicro(us).UTC().Format(time.RFC3339Nano)
	}
	fields := strings.Fields(one.Text)
	level = slog.LevelError
	for _, f := range fields {
		if word, is := strings.CutPrefix(f, "evse="); is && one.EVSE == 0 {
			one.EVSE, _ = strconv.Atoi(word) //nolint:errcheck // none is 0
		}
	}
	if len(fields) > 0 {
		if word, is := strings.CutPrefix(fields[0], "level="); is && level.UnmarshalText([]byte(word)) == nil {
			one.Level = word
		} else if j.By != logUnit {
			level = slog.LevelInfo // of the service manager: started, ended
		}
	}
	return one, level, true
}

// messageOf is the text of a message, which journalctl gives as numbers if it is not UTF-8.
func messageOf(text json.RawMessage) (message string, ok bool) {
	if json.Unmarshal(text, &message) == nil {
		return message, true
	}
	var numbers []int
	if json.Unmarshal(text, &numbers) != nil {
		return "", false
	}
	var b []byte
	for _, n := range numbers {
		b = append(b, byte(n))
	}
	return string(b), true
}

// printable keeps what comes from elsewhere from moving the cursor.
func printable(r rune) rune {
	if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
		return '?'
	}
	return r
}
