package suite

import (
	"cmp"
	"fmt"
	"runtime"
)

// machineName is how a run calls that it boots a post in a virtual machine.
const machineName = "a post in a virtual machine"

// searchAndBoot lets fuzzers search, and with -vm a post live in a virtual machine beside them: the
// one fills a processor without a break, the others have no clock that could run out. A
// test beside a machine would wait too long now and then.
func (r *run) searchAndBoot() error {
	if !r.machine {
		return r.fuzz()
	}
	booted := make(chan error, 1)
	go func() { booted <- r.boot() }()
	searched := r.search(max(1, runtime.NumCPU()-1))
	return cmp.Or(<-booted, searched)
}

// boot has the quick run of the machines played.
func (r *run) boot() error {
	done := result{name: machineName}
	for _, p := range machines() {
		done.skip = cmp.Or(done.skip, p.missing())
	}
	if done.skip == "" {
		done.failed = r.command(r.show, nil, "go", "run", "./cross", "vm", "-quick") != nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tally.add(done)
	switch {
	case done.skip != "":
		fmt.Fprintf(r.out, "   skipped: %s\n", done.skip)
	case done.failed:
		fmt.Fprintf(r.out, "   FAIL %s\n", machineName)
		return errCounted
	default:
		fmt.Fprintf(r.out, "   ok   %s\n", machineName)
	}
	return nil
}
