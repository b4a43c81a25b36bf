package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts of testdata/cli run the commands as a technician would. In each, $WORK is
// an empty folder, and stolpe is the program.
func TestScripts(t *testing.T) {
	t.Parallel()
	bin := filepath.Dir(program.path(t))
	testscript.Run(t, testscript.Params{
		Dir:                 "../testdata/cli",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", bin+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("STOLPE_CONTROL_DIR", filepath.Join(e.WorkDir, "run"))
			return nil
		},
	})
}
