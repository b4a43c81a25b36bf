package suite

import (
	"cmp"
	"fmt"
)

// machineName is how a run calls that it boots a post in a virtual machine.
const machineName = "a post in a virtual machine"

// boot has the quick run of the machines played.
func (r *run) boot() error {
	done := result{name: machineName}
	for _, p := range machines() {
		done.skip = cmp.Or(done.skip, p.missing())
	}
	if done.skip == "" {
		done.failed = r.command(r.show, nil, "go", "run", "./cross", "vm", "-quick") != nil
	}
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
