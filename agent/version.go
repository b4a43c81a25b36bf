package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is what this build calls itself, in at most the 30 characters that
// the payment service takes. A release sets it by -ldflags -X.
var version = "0.1.0-dev"

// revision is the commit that this was built of. go run ./cross build sets it by -ldflags
// -X; without that it is what the go command saw.
var revision = unknownCommit

const unknownCommit = "unknown"

func versionCommand() *cobra.Command {
	var json bool
	c := &cobra.Command{
		Use:   "version",
		Short: "print the version of this build",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if json {
				return failed(printJSON(c.OutOrStdout(), versionJSON{version, commit(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}))
			}
			return failed(second(fmt.Fprintf(c.OutOrStdout(), "stolpe %s (commit %s)\n", version, commit())))
		},
	}
	c.Flags().BoolVar(&json, "json", false, "print one JSON object")
	return c
}

// versionJSON is a build as --json has it.
type versionJSON struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
	System  string `json:"system"`
}

// commit is what this build was made of, as far as it knows.
func commit() string {
	if revision != unknownCommit {
		return revision
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return unknownCommit
}
