package bench

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"stolpe/cross/build"
)

// emulator runs programs of the smallest post on this machine, one process each.
const emulator = "qemu-arm-static"

// emulated measures the memory of the agent on the smallest post's processor, and of the
// floor program beside it, by an emulator.
//
// # Why
//
// The emulator's process holds its own memory and the translated code besides the
// program's. But it lays the program's whole address space out in one piece of its own, so
// the pages of that piece that are resident are the pages the program has touched: what
// its RSS would be. The programs have one processor, as a Pi Zero has: the runtime keeps
// memory for each.
func emulated(l *lab) ([]Row, error) {
	row := Row{What: "memory, idle (RSS), MQTT over TLS connected, armv6", Unit: "MB", Budget: "<= 14 MB", FloorIs: "a bare TLS and HTTP client"}
	for run := range l.runs {
		l.say(fmt.Sprintf("idle on armv6, %d of %d", run+1, l.runs))
		ours, floor, err := l.emulatedOnce()
		if err != nil {
			return nil, err
		}
		row.Ours, row.Floor = append(row.Ours, ours), append(row.Floor, floor)
	}
	return []Row{row}, nil
}

func (l *lab) emulatedOnce() (ours, floor float64, err error) {
	at, err := l.openPlace()
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, at.close()) }()
	at.env = append(at.env, smallestPost()...)
	file, err := l.programFor(build.ARMv6(), "agent", agentPackage)
	if err != nil {
		return 0, 0, err
	}
	post, err := at.launch(emulator, file)
	if err != nil {
		return 0, 0, err
	}
	defer post.kill()
	bareFile, err := l.programFor(build.ARMv6(), "floor", floorPackage)
	if err != nil {
		return 0, 0, err
	}
	bare, stop, err := l.bareBy(smallestPost(), emulator, bareFile)
	if err != nil {
		return 0, 0, err
	}
	defer stop()
	if _, err := bare.await("ready"); err != nil {
		return 0, 0, err
	}
	time.Sleep(settle)
	if ours, err = post.guestMemory(file); err != nil {
		return 0, 0, err
	}
	floor, err = bare.guestMemory(bareFile)
	return ours, floor, err
}

// smallestPost is the machine that programs are to see: a Pi Zero's.
func smallestPost() []string { return []string{"QEMU_CPU=arm1176", "GOMAXPROCS=1"} }

// guestSpace is the address space of a program of 32 bits, in bytes.
const guestSpace = 1 << 32

// guestMemory is the resident memory of a program that an emulator runs, in MB.
func (p *process) guestMemory(program string) (float64, error) {
	first, err := firstAddress(program)
	if err != nil {
		return 0, err
	}
	program, err = filepath.Abs(program)
	if err != nil {
		return 0, err
	}
	smaps, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	return guestResident(string(smaps), program, first)
}

// firstAddress is where a program's first bytes are to be.
func firstAddress(program string) (uint64, error) {
	f, err := elf.Open(program)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for _, s := range f.Progs {
		if s.Type == elf.PT_LOAD {
			return s.Vaddr - s.Off, nil
		}
	}
	return 0, fmt.Errorf("%s is loaded nowhere", program)
}

// guestResident sums what is resident of the piece of an emulator's memory that is its
// program's, by proc_pid_smaps(5), in MB. The piece begins where address 0 of the program
// would be.
func guestResident(smaps, program string, first uint64) (float64, error) {
	var base, from uint64
	var kib float64
	found := false
	for line := range strings.Lines(smaps) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if low, _, ok := strings.Cut(fields[0], "-"); ok && !strings.HasSuffix(fields[0], ":") {
			start, err := strconv.ParseUint(low, 16, 64)
			if err != nil {
				return 0, fmt.Errorf("smaps: %q: %w", fields[0], err)
			}
			if from = start; !found && len(fields) == 6 && fields[5] == program {
				base, found = start-first, true
			}
			continue
		}
		if found && fields[0] == "Rss:" && from >= base && from < base+guestSpace {
			n, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				return 0, fmt.Errorf("smaps: %q: %w", line, err)
			}
			kib += n
		}
	}
	if !found {
		return 0, fmt.Errorf("%s is not in the emulator's memory: %w", program, os.ErrNotExist)
	}
	return kib * 1024 / 1e6, nil
}
