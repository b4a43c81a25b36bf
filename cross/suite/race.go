package suite

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"

	"stolpe/cross/rules"
)

// plain is a test, or all tests of a folder, that the race detector would only slow
// down.
type plain struct {
	dir, test string // no test is all of them
	why       string
}

// plains lists them. Each takes long under the detector, and what it proves, it
// proves without.
func plains() []plain {
	return []plain{
		{"agent", "TestScripts", "the commands are a program of its own, built without the detector"},
		{"agent", "TestKilledPostSettles", "posts are programs of their own, built without the detector"},
		{"agent", "TestCardLostInTheMiddleOfACharge", "posts are programs of their own, built without the detector"},
		{"agent", "TestPostIsKilledWhileItTells", "the post is a program of its own, built without the detector"},
		{"agent/session", "", "one goroutine, but for a walk that short runs leave out"},
		{"cross/worlds", "TestTheSameSeedGivesTheSameSummary", "TestNoPromiseIsBroken plays thousands of worlds on all processors"},
		{"cross/worlds", "TestAWorldDoesNotDependOnTheOneBefore", "one goroutine"},
		{"cross/worlds", "TestEveryPlantedMistakeIsFound", "TestNoPromiseIsBroken plays thousands of worlds on all processors"},
		{"cross/worlds", "TestSinglesFindPlantedMistakes", "TestEverySetOfTwoFaultsKeepsThePromises tries sets on all processors"},
	}
}

// race runs the packages where goroutines meet once more. Short is enough: the
// detector looks for two goroutines at one variable, not for rare inputs.
func (r *run) race() error {
	if missing := raceDetector().missing(); missing != "" {
		r.tally.add(result{name: "tests under the race detector", skip: missing})
		fmt.Fprintf(r.out, "   skipped: %s\n", missing)
		return nil
	}
	packages, err := r.packages()
	if err != nil {
		return err
	}
	args := []string{"-race", "-short"}
	if left := leftOut(r.tree); left != "" {
		args = append(args, "-skip="+left)
	}
	fixed := len(args)
	for _, dir := range r.tree.Concurrent() {
		all := func(p plain) bool { return p.dir == dir && p.test == "" }
		if p := r.module + "/" + dir; slices.Contains(packages, p) && !slices.ContainsFunc(plains(), all) {
			args = append(args, p)
		}
	}
	slices.SortStableFunc(args[fixed:], func(a, b string) int { return r.rank(a) - r.rank(b) })
	r.again = true
	defer func() { r.again = false }()
	return r.goTest([]string{"CGO_ENABLED=1"}, args...)
}

// leftOut is a pattern of the plain tests that the tree has; empty for none.
func leftOut(tree *rules.Tree) string {
	var names []string
	for _, p := range plains() {
		if p.test != "" && len(homes(tree, p.test)) > 0 {
			names = append(names, p.test)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "^(" + strings.Join(names, "|") + ")$"
}

// homes lists the folders that have a test of this name.
func homes(tree *rules.Tree, test string) []string {
	var dirs []string
	for _, p := range tree.Packages {
		for _, f := range p.Files {
			for _, decl := range f.AST.Decls {
				if fn, ok := decl.(*ast.FuncDecl); ok && f.Test && fn.Recv == nil && fn.Name.Name == test {
					dirs = append(dirs, p.Dir)
				}
			}
		}
	}
	return dirs
}
