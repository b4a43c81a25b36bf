package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts of testdata/cli run the commands as a technician would. In each, $WORK is
// an empty folder, stolpe is the program, and stolpe.yaml is a simulated post with its
// sockets in $STOLPE_CONTROL_DIR ($WORK/run) and its state in $WORK/state, unless the
// script has a stolpe.yaml of its own, in which STATE stands for $WORK/state and RUN for
// $WORK/run. What scripts can do beyond testscript's own commands stands in
// script_words_test.go.
func TestScripts(t *testing.T) {
	t.Parallel()
	bin := filepath.Dir(program.path(t))
	testscript.Run(t, testscript.Params{
		Dir:                 "../testdata/cli",
		RequireExplicitExec: true,
		Cmds:                scriptWords(),
		Deadline:            time.Now().Add(4 * enough), // what a script waits for with a word of testscript's own ends then
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", bin+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("STOLPE_CONTROL_DIR", filepath.Join(e.WorkDir, "run"))
			e.Setenv("LANG", "C.UTF-8")
			e.Values[scriptedPost{}] = &scriptedPost{}
			return configureScript(e.WorkDir)
		},
	})
}

// configureScript writes the configuration of a script's post.
func configureScript(work string) error {
	file := filepath.Join(work, "stolpe.yaml")
	text := strings.Replace(postConfig, "STATE/run", "RUN", 1)
	if own, err := os.ReadFile(file); err == nil {
		text = string(own)
	}
	text = strings.NewReplacer("STATE", filepath.Join(work, "state"), "RUN", filepath.Join(work, "run")).Replace(text)
	return os.WriteFile(file, []byte(text), 0o600)
}
