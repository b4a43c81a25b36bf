package main

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What the unit names and waits for is what the gateway goes by.
func TestTheUnitFitsTheGateway(t *testing.T) {
	text, err := os.ReadFile("../../systemd/stolpe-gateway.service")
	if err != nil {
		t.Fatal(err)
	}
	has := func(line string) bool { return strings.Contains(string(text), "\n"+line+"\n") }
	for _, line := range []string{
		"Type=notify", "ExecStart=/usr/bin/stolpe-gateway run", "ConditionPathExists=" + defaultConfig, "Restart=always",
		"RestartPreventExitStatus=" + strconv.Itoa(exitConfig), "User=stolpe-gateway", "StateDirectory=stolpe-gateway", "StartLimitIntervalSec=0",
		"LoadCredentialEncrypted=relay-key", "ExecReload=/bin/kill -HUP $MAINPID",
	} {
		if !has(line) {
			t.Errorf("the unit has no %s", line)
		}
	}
	m := regexp.MustCompile(`\nTimeoutStopSec=(\d+s)\n`).FindSubmatch(text)
	if m == nil {
		t.Fatal("no TimeoutStopSec")
	}
	if stop, err := time.ParseDuration(string(m[1])); err != nil || stop <= drainWithin {
		t.Errorf("TimeoutStopSec=%v, %v: work under way is waited for for %v", stop, err, drainWithin)
	}
	m = regexp.MustCompile(`\nLimitNOFILE=(\d+)\n`).FindSubmatch(text)
	if m == nil {
		t.Fatal("no LimitNOFILE")
	}
	if files, err := strconv.Atoi(string(m[1])); err != nil || files < 2*maxStreams {
		t.Errorf("LimitNOFILE=%d, %v: %d live pages at a time", files, err, maxStreams)
	}
}
