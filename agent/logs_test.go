package main

import (
	"strings"
	"testing"
)

func TestLogsWithoutAJournal(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	got := command("logs")
	if got.code != exitFailed || !strings.Contains(got.stderr, "this machine has no journalctl") || got.stdout != "" {
		t.Errorf("%+v", got)
	}
}

// A line that cannot be read, and one that would move the cursor.
func TestParseLog(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"MESSAGE":"level=ERROR msg=x evse=3","_SYSTEMD_UNIT":"stolpe.service","__REALTIME_TIMESTAMP":"1795165323000000"}`: "2026-11-20T09:02:03Z ERROR 3 ERROR level=ERROR msg=x evse=3",
		`{"MESSAGE":"\u001b[2Jgone","_SYSTEMD_UNIT":"stolpe.service"}`:                                                      "  0 ERROR ?[2Jgone",
		`{"MESSAGE":"Stopped","_SYSTEMD_UNIT":"init.scope"}`:                                                                "  0 INFO Stopped",
		`{"MESSAGE":"level=NONE evse=x","_SYSTEMD_UNIT":"stolpe.service"}`:                                                  "  0 ERROR level=NONE evse=x",
		`{"MESSAGE":{}}`: "", `{}`: "", `[]`: "", `x`: "",
	} {
		one, level, ok := parseLog([]byte(text))
		got := ""
		if ok {
			got = strings.Join([]string{one.At, one.Level, string(rune('0' + one.EVSE)), level.String(), one.Text}, " ")
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
