// Package build is `go run ./cross build`: the programs for every processor a
// post may have, stripped and with nothing of the building machine in them.
//
// # Why
//
// A post's program must be the same whoever built it from the same commit, so a
// build names its target in full and takes no path and no C compiler along. Its
// SHA-256 is printed, and stands in a file beside the programs, so that two builders can
// compare. Two things still make a difference: the version of Go, which the program tells
// (go version -m), and the commit in the post's program, which a folder outside git does
// not have. The go command would write more of git into it: tags, which not every clone
// has, and nothing at all in a second work tree. So it is told not to.
//
// GOARM is spelled out for each: a Pi Zero stops at an ARMv7 instruction with
// no more than "illegal instruction".
package build

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
)

// Target is a processor to build for.
type Target struct {
	Name string // as in the file's name
	Env  []string
}

// Targets lists every processor that posts have, and the one of a laptop or a
// server.
func Targets() []Target {
	return []Target{
		{"linux-arm64", []string{"GOARCH=arm64", "GOARM64=v8.0"}},
		{"linux-armv7", []string{"GOARCH=arm", "GOARM=7"}},
		{"linux-armv6", []string{"GOARCH=arm", "GOARM=6"}},
		{"linux-amd64", []string{"GOARCH=amd64", "GOAMD64=v1"}},
	}
}

// ARMv6 is the smallest processor a post may have: a Raspberry Pi Zero's.
func ARMv6() Target { return Targets()[2] }

// ARM64 is the processor of most posts.
func ARM64() Target { return Targets()[0] }

// Program is something to build.
type Program struct {
	Name    string // of the file
	Package string // as the go command takes it
	Version string // what it calls itself; empty means what its source says
	NoHTTP2 bool   // as a post's program always is, for what is compared with one
}

// postPackage is the program of a post. It is built without HTTP/2, which it neither
// offers nor takes: half a megabyte.
const postPackage = "./agent"

// Programs lists everything that is built, under one version.
func Programs(version string) []Program {
	return []Program{
		{Name: "stolpe", Package: postPackage, Version: version},
		{Name: "stolpe-wizard", Package: "./agent/wizard", Version: version},
		{Name: "stolpe-gateway", Package: "./payment/gateway", Version: version},
	}
}

// SumsFile is the name of the file of checksums beside what was built, in the form that
// sha256sum -c takes.
const SumsFile = "SHA256SUMS"

// Run builds everything from the current folder and gives the exit code: 0 when
// all was built, 1 when something was not, 2 when the arguments are wrong.
func Run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("cross build", flag.ContinueOnError)
	flags.SetOutput(stderr)
	out := flags.String("out", "", "folder to put the programs in; without it they are measured and thrown away")
	version := flags.String("version", "", "what the programs call themselves, as in 1.0.3; without it what their source says")
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "cross build: does not understand %q\n", flags.Args())
		return 2
	}
	if err := all(Programs(*version), *out, stdout); err != nil {
		fmt.Fprintln(stderr, "cross build:", err)
		return 1
	}
	return 0
}

func all(programs []Program, out string, stdout io.Writer) error {
	if out == "" {
		dir, err := os.MkdirTemp("", "cross-build-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		out = dir
	}
	var files []string
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	for _, p := range programs {
		for _, t := range Targets() {
			file := filepath.Join(out, p.Name+"-"+t.Name)
			if err := One(".", p, t, file); err != nil {
				return err
			}
			program, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			fmt.Fprintf(table, "%s-%s\t%.2f MB\tsha256 %x\n", p.Name, t.Name, float64(len(program))/1e6, sha256.Sum256(program))
			files = append(files, file)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return Sums(out, files)
}

// Sums writes the SHA-256 of files into SumsFile in a folder, in the order of their names.
func Sums(dir string, files []string) error {
	var lines strings.Builder
	for _, file := range slices.SortedFunc(slices.Values(files), func(a, b string) int {
		return strings.Compare(filepath.Base(a), filepath.Base(b))
	}) {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(content), filepath.Base(file))
	}
	return os.WriteFile(filepath.Join(dir, SumsFile), []byte(lines.String()), 0o644)
}

// One builds a program of the module in dir for a target into a file. The error
// has what the compiler said.
func One(dir string, p Program, t Target, file string) error {
	file, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	link := "-ldflags=-s -w"
	if p.Version != "" {
		link += " -X main.version=" + p.Version
	}
	tags := "-tags="
	if p.Package == postPackage || p.NoHTTP2 {
		tags += "nethttpomithttp2"
	}
	if p.Package == postPackage {
		if commit := commitOf(dir); commit != "" {
			link += " -X main.revision=" + commit
		}
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", tags, link, "-o", file, p.Package)
	cmd.Dir = dir
	// GOEXPERIMENT would make another program of the same commit.
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOEXPERIMENT="), t.Env...)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s for %s: %w\n%s", p.Package, t.Name, err, said)
	}
	return nil
}

// commitOf is the commit that a folder holds, marked when something differs from it; empty
// outside git.
func commitOf(dir string) string {
	git := func(args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(out))
	}
	commit := git("rev-parse", "HEAD")
	if commit != "" && git("status", "--porcelain") != "" {
		commit += "-changed"
	}
	return commit
}

// Here is the machine this runs on.
func Here() Target {
	name := "linux-" + runtime.GOARCH
	if i := slices.IndexFunc(Targets(), func(t Target) bool { return t.Name == name }); i >= 0 {
		return Targets()[i]
	}
	return Target{name, []string{"GOARCH=" + runtime.GOARCH}}
}
