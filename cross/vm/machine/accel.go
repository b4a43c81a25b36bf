package machine

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"stolpe/cross/vm/image"
)

// trial is how long a kernel may take to find that it has no file system. Chosen by us: a
// processor that runs it takes half a second.
const trial = 10 * time.Second

// Accel finds what this machine can run others with: "kvm" where its processor does that and
// a kernel got to its end in a trial, otherwise "tcg", which emulates. That /dev/kvm can be
// opened is not enough: within a virtual machine it may run special kernels alone.
func Accel(ctx context.Context, files image.Files) string {
	const emulate = "tcg"
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil || !virtualizes(string(info)) {
		return emulate
	}
	kvm, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return emulate
	}
	kvm.Close()
	ctx, cancel := context.WithTimeout(ctx, trial)
	defer cancel()
	// Without a first file system the kernel panics, and a panic with -no-reboot is an end.
	c := exec.CommandContext(ctx, Program, "-accel", "kvm", "-M", "pc", "-cpu", "host", "-m", "128", "-nodefaults", "-display", "none",
		"-no-reboot", "-kernel", files.Kernel, "-append", "panic=-1 quiet")
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if c.Run() != nil {
		return emulate
	}
	return "kvm"
}

// virtualizes says whether a processor has what KVM stands on: Intel calls it vmx, AMD svm.
func virtualizes(cpuinfo string) bool {
	for line := range strings.Lines(cpuinfo) {
		name, flags, _ := strings.Cut(line, ":")
		if strings.TrimSpace(name) != "flags" {
			continue
		}
		for _, f := range strings.Fields(flags) {
			if f == "vmx" || f == "svm" {
				return true
			}
		}
	}
	return false
}
