package suite

import (
	"cmp"
	"go/ast"
	"runtime"
	"strings"
	"sync"
	"time"

	"stolpe/cross/gotest"
	"stolpe/cross/rules"
)

// search is where fuzzers run in each full run, and for how long.
type search struct {
	dir   string // and what is below it
	fuzz  string // one fuzzer of it; empty for all
	lasts time.Duration
}

// How long a fuzzer searches in each full run. Chosen by us: what a technician may write
// into a configuration, and what anybody on the post may send it, has the most ways to be
// wrong; for the rest there must be time for everything else in a run. New inputs are
// rare after the first seconds: long searches are a command of their own.
const (
	longSearch  = 30 * time.Second
	shortSearch = 6 * time.Second
)

// searches lists them: what comes over a wire and what a technician writes into a
// register map or a configuration decides what is billed, and what anybody may send
// decides what is paid. A folder comes before the one that it is in.
// The rest have their seeds run by the tests.
func searches() []search {
	return []search{
		{"hal/modbus", "", shortSearch},
		{"agent/config/strict", "FuzzEdit", shortSearch},
		{"agent/config", "FuzzParse", longSearch},
		{"agent/command", "", shortSearch},
		{"agent/control", "", longSearch},
		{"agent/support", "", shortSearch},
		{"agent/session/script", "", shortSearch},
		{"payment/relay", "", shortSearch},
		{"payment/vipps", "FuzzReceiver", shortSearch},
		{"display/remote", "", shortSearch},
		{"display/web", "FuzzForms", shortSearch},
	}
}

// fuzz lets fuzzers search for a while, each on one processor, and as many at a time as
// there are processors: all of them for each in turn took twice as long. An input that
// breaks one is written beside it, where every later run of the tests finds it.
func (r *run) fuzz() error {
	r.again, r.searching = true, true
	defer func() { r.again, r.searching = false, false }()
	var all sync.WaitGroup
	places := make(chan struct{}, runtime.NumCPU())
	searching := fuzzers(r.tree, r.longSearch)
	failed := make([]error, len(searching))
	for i, f := range searching {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			failed[i] = r.goTest(nil, "-run=^$", "-parallel=1", "-fuzz=^"+f.name+"$", "-fuzztime="+f.lasts.String(), "./"+f.dir)
		})
	}
	all.Wait()
	return cmp.Or(failed...)
}

// fuzzer is one that searches.
type fuzzer struct {
	dir, name string
	lasts     time.Duration
}

// fuzzers lists those of a tree that search in each full run; or, for a long search, all
// that it has.
func fuzzers(tree *rules.Tree, long time.Duration) (all []fuzzer) {
	for _, p := range tree.Packages {
		what, listed := searchOf(p.Dir)
		for _, f := range p.Files {
			for _, decl := range f.AST.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				switch {
				case !ok || !f.Test || !strings.HasPrefix(fn.Name.Name, "Fuzz"):
				case long > 0:
					all = append(all, fuzzer{p.Dir, fn.Name.Name, long})
				case listed && (what.fuzz == "" || what.fuzz == fn.Name.Name):
					all = append(all, fuzzer{p.Dir, fn.Name.Name, what.lasts})
				}
			}
		}
	}
	return all
}

// outOfTime says whether a search found nothing and is called failed because its time
// was up: go test does that now and then (golang.org/issue/75804, mended in Go 1.27).
// What a fuzzer does find, it writes into a file and says so.
func outOfTime(p gotest.Package) bool {
	if len(p.Tests) != 1 || p.Tests[0].Outcome != gotest.Failed || strings.Contains(p.Trouble, "Failing input") {
		return false
	}
	said := strings.TrimSpace(p.Trouble)
	return strings.TrimSpace(said[strings.LastIndexByte(said, '\n')+1:]) == "context deadline exceeded"
}

// searchOf finds the search of a folder.
func searchOf(dir string) (search, bool) {
	for _, s := range searches() {
		if dir == s.dir || strings.HasPrefix(dir, s.dir+"/") {
			return s, true
		}
	}
	return search{}, false
}
