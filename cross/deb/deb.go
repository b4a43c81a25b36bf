// Package deb is `go run ./cross deb`: Debian packages of post and gateway, with all that
// belongs to an installation, and their checksums.
//
// # Why
//
// nfpm makes them, as it needs neither Debian nor root, and what goes where stands in its
// words in stolpe.yaml and stolpe-gateway.yaml. It is no part of this module: see nfpm in
// this folder.
//
// armhf is built for ARMv6. Debian's own armhf begins at ARMv7, but Raspberry Pi OS has the
// same name for what runs on a Pi Zero, and one package for both is one that cannot be the
// wrong one.
//
// The same commit makes the same packages. Every file in them bears the time of the commit,
// or SOURCE_DATE_EPOCH where that is set (https://reproducible-builds.org/specs); outside a
// git checkout the day of the newest release.
//
// An upgrade never cuts a charge, and no removal makes anybody forget money: see the
// scripts, stolpe.postinst and its neighbours. They ask no questions and need no network.
package deb

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"stolpe/cross/build"
)

// nobody is who makes a package that says nothing else. The address is one of those that
// are never anybody's (RFC 2606).
const nobody = "The authors of Stolpe <stolpe@example.org>"

// order is what is to be packed.
type order struct {
	tree       string // folder of go.mod
	out        string
	version    string // as in 1.0.0-rc1
	maintainer string
	built      time.Time
	arches     []arch
	log        io.Writer
}

// arch is a processor as Debian calls it.
type arch struct {
	name   string
	target build.Target
}

func arches() []arch {
	target := func(name string) build.Target {
		i := slices.IndexFunc(build.Targets(), func(t build.Target) bool { return t.Name == name })
		return build.Targets()[i]
	}
	return []arch{{"arm64", target("linux-arm64")}, {"armhf", build.ARMv6()}, {"amd64", target("linux-amd64")}}
}

// pack is one package.
type pack struct {
	name     string
	programs []string
}

func packs() []pack {
	return []pack{{"stolpe", []string{"stolpe", "stolpe-wizard"}}, {"stolpe-gateway", []string{"stolpe-gateway"}}}
}

// file is the name of a package's file.
func (p pack) file(o order, a arch) string {
	return filepath.Join(o.out, fmt.Sprintf("%s_%s_%s.deb", p.name, debianVersion(o.version), a.name))
}

// Run makes the packages and gives the exit code: 0 when all were made, 1 when one was not,
// 2 when the arguments are wrong.
func Run(args []string, stdout, stderr io.Writer) int {
	o := order{tree: ".", log: stderr}
	flags := flag.NewFlagSet("cross deb", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.out, "out", "build/deb", "folder to put the packages in")
	flags.StringVar(&o.version, "version", "", "what the packages and programs call themselves, as in 1.0.3 or 1.0.3-rc1; without it the newest release of "+changelogFile)
	flags.StringVar(&o.maintainer, "maintainer", nobody, "who answers for the packages, as in: A Name <name@example.org>")
	only := flags.String("arch", "", "processors to pack for, with commas between: arm64, armhf, amd64; without it all")
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "cross deb: does not understand %q\n", flags.Args())
		return 2
	}
	if err := o.complete(*only); err != nil {
		fmt.Fprintln(stderr, "cross deb:", err)
		return 2
	}
	if o.maintainer == nobody {
		fmt.Fprintln(stderr, "cross deb: nobody answers for these packages: SECURITY.md sends whoever finds a hole to their maintainer; say -maintainer \"A Name <name@example.org>\" for packages that others get")
	}
	if err := o.make(stdout); err != nil {
		fmt.Fprintln(stderr, "cross deb:", err)
		return 1
	}
	return 0
}

// complete finds out what the arguments do not say. The error tells which argument is wrong.
func (o *order) complete(only string) error {
	for _, name := range strings.FieldsFunc(only, func(r rune) bool { return r == ',' }) {
		i := slices.IndexFunc(arches(), func(a arch) bool { return a.name == name })
		if i < 0 {
			return fmt.Errorf("-arch %s: want arm64, armhf or amd64", name)
		}
		o.arches = append(o.arches, arches()[i])
	}
	if len(o.arches) == 0 {
		o.arches = arches()
	}
	all, err := o.releases()
	if err != nil {
		return err
	}
	if o.version = cmp.Or(o.version, all[0].version); !versionPattern.MatchString(o.version) {
		return fmt.Errorf("-version %s: want one like 1.0.3 or 1.0.3-rc1", o.version)
	}
	o.built, err = builtAt(o.tree, all[0].day)
	return err
}

func (o *order) releases() ([]release, error) {
	text, err := os.ReadFile(filepath.Join(o.tree, changelogFile))
	if err != nil {
		return nil, err
	}
	return releases(string(text))
}

// builtAt is the time that everything in the packages bears.
func builtAt(tree string, otherwise time.Time) (time.Time, error) {
	said, from := os.Getenv("SOURCE_DATE_EPOCH"), "SOURCE_DATE_EPOCH"
	if said == "" {
		git := exec.Command("git", "log", "-1", "--format=%ct")
		git.Dir = tree
		out, err := git.Output()
		if err != nil {
			return otherwise, nil // no git, or no checkout
		}
		said, from = strings.TrimSpace(string(out)), "git log"
	}
	seconds, err := strconv.ParseInt(said, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: %q: want seconds since 1970", from, said)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// make builds the programs and packs them.
func (o order) make(stdout io.Writer) (err error) {
	stage, err := os.MkdirTemp("", "cross-deb-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(stage)) }()
	if err := o.documents(stage); err != nil {
		return err
	}
	for _, a := range o.arches {
		if err := o.programs(stage, a); err != nil {
			return err
		}
	}
	files, err := o.packed(stage)
	if err != nil {
		return err
	}
	for _, file := range files {
		fmt.Fprintln(stdout, file)
	}
	return nil
}

// programs builds everything for a processor, and tells what is in it.
func (o order) programs(stage string, a arch) error {
	dir := filepath.Join(stage, a.name)
	for _, p := range build.Programs(o.version) {
		if err := build.One(o.tree, p, a.target, filepath.Join(dir, p.Name)); err != nil {
			return err
		}
	}
	for _, p := range packs() {
		if err := o.contents(dir, p); err != nil {
			return err
		}
	}
	return nil
}

// packed makes the packages of what is in stage, and lists the files: packages, what is in
// them, and checksums.
func (o order) packed(stage string) (files []string, err error) {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return nil, err
	}
	for _, a := range o.arches {
		for _, p := range packs() {
			file := p.file(o, a)
			if err := o.one(stage, p, a, file); err != nil {
				return nil, err
			}
			list, err := os.ReadFile(filepath.Join(stage, a.name, p.name+listEnds))
			if err != nil {
				return nil, err
			}
			beside := strings.TrimSuffix(file, ".deb") + listEnds
			if err := os.WriteFile(beside, list, 0o644); err != nil {
				return nil, err
			}
			files = append(files, file, beside)
		}
	}
	return append(files, filepath.Join(o.out, build.SumsFile)), build.Sums(o.out, files)
}

// one has nfpm make one package.
func (o order) one(stage string, p pack, a arch, file string) error {
	description, err := os.ReadFile(filepath.Join(o.tree, "cross", "deb", p.name+".yaml"))
	if err != nil {
		return err
	}
	tree, err := filepath.Abs(o.tree)
	if err != nil {
		return err
	}
	if file, err = filepath.Abs(file); err != nil {
		return err
	}
	text, err := fill(string(description), map[string]string{
		"ARCH": a.name, "VERSION": debianVersion(o.version), "MAINTAINER": o.maintainer,
		"TIME": o.built.Format(time.RFC3339), "TREE": filepath.ToSlash(tree), "STAGE": filepath.ToSlash(stage),
	})
	if err != nil {
		return fmt.Errorf("%s.yaml: %w", p.name, err)
	}
	nfpm := exec.Command("go", "-C", filepath.Join(tree, "cross", "deb", "nfpm"), "tool", "nfpm", file)
	nfpm.Stdin = strings.NewReader(text)
	if said, err := nfpm.CombinedOutput(); err != nil {
		return fmt.Errorf("pack %s: %w\n%s", filepath.Base(file), err, bytes.TrimSpace(said))
	}
	return nil
}

// fill puts values in the place of ${NAME}. The error names one that has none.
func fill(text string, values map[string]string) (string, error) {
	var missing []string
	text = os.Expand(text, func(name string) string {
		value, ok := values[name]
		if !ok {
			missing = append(missing, name)
		}
		return value
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("no value for %s", strings.Join(missing, ", "))
	}
	return text, nil
}
