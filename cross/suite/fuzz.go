package suite

import (
	"go/ast"
	"strings"
)

// fuzzed is the folder whose fuzzers run in each full run: what comes over a wire
// and what a technician writes into a register map decides what is billed.
const fuzzed = "hal/modbus"

// fuzzTime is how long each fuzzer looks for inputs that nobody has thought of.
const fuzzTime = "30s"

// fuzz lets every fuzzer below fuzzed search for a while. An input that breaks one
// is written beside it, where every later run of the tests finds it.
func (r *run) fuzz() error {
	r.again = true
	defer func() { r.again = false }()
	var failed error
	for _, p := range r.tree.Packages {
		if p.Dir != fuzzed && !strings.HasPrefix(p.Dir, fuzzed+"/") {
			continue
		}
		for _, f := range p.Files {
			for _, decl := range f.AST.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if !ok || !f.Test || !strings.HasPrefix(fn.Name.Name, "Fuzz") {
					continue
				}
				if err := r.goTest(nil, "-run=^$", "-fuzz=^"+fn.Name.Name+"$", "-fuzztime="+fuzzTime, "./"+p.Dir); err != nil {
					failed = err
				}
			}
		}
	}
	return failed
}
