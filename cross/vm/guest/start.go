package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"stolpe/cross/vm/frame"

	"golang.org/x/sys/unix"
)

const (
	disk    = "/dev/vda" // the root file system, in the order qemu is given disks
	newRoot = "/new"
	systemd = "/lib/systemd/systemd"
)

// start is process 1: it puts the board together and makes way for systemd. It returns
// only when something failed.
func start() error {
	if err := mounts(); err != nil {
		return err
	}
	board, err := readBoard()
	if err != nil {
		return err
	}
	if err := insert(board); err != nil {
		return err
	}
	if err := makeLines(board); err != nil {
		return err
	}
	if err := network(); err != nil {
		return err
	}
	if err := enterRoot(board.Wait); err != nil {
		return err
	}
	// By way of /proc: the program's own file is in the file system that was left.
	beside := exec.Command("/proc/self/exe")
	beside.Env = environment()
	if err := beside.Start(); err != nil {
		return fmt.Errorf("start beside systemd: %w", err)
	}
	return fmt.Errorf("start %s: %w", systemd, syscall.Exec(systemd, []string{systemd}, []string{"TERM=dumb"}))
}

func mounts() error {
	for _, m := range []struct{ kind, dir, options string }{
		{"devtmpfs", "/dev", ""}, {"proc", "/proc", ""}, {"sysfs", "/sys", ""}, {"tmpfs", "/run", "mode=755"},
	} {
		if err := os.MkdirAll(m.dir, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount(m.kind, m.dir, m.kind, 0, m.options); err != nil && !errors.Is(err, syscall.EBUSY) {
			return fmt.Errorf("mount %s on %s: %w", m.kind, m.dir, err)
		}
	}
	return nil
}

// readBoard takes the board from the kernel's command line.
func readBoard() (frame.Board, error) {
	var board frame.Board
	line, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return board, err
	}
	for _, word := range strings.Fields(string(line)) {
		if text, ok := strings.CutPrefix(word, frame.BoardWord); ok {
			b, err := base64.RawURLEncoding.DecodeString(text)
			if err == nil {
				err = json.Unmarshal(b, &board)
			}
			if err != nil {
				return board, fmt.Errorf("read the board from %s...: %w", frame.BoardWord, err)
			}
			return board, nil
		}
	}
	return board, fmt.Errorf("the kernel's command line has no %s", frame.BoardWord)
}

// insert loads the modules in the order of their list. A line of it is a name and, where
// only a machine with something needs it, what that is.
func insert(board frame.Board) error {
	list, err := os.ReadFile("/modules/order")
	if err != nil {
		return err
	}
	for _, line := range strings.Fields(string(list)) {
		name, only, _ := strings.Cut(line, ":")
		if only == "usb" && !board.USB {
			continue
		}
		if err := insertOne("/modules/" + name + ".ko"); err != nil {
			return fmt.Errorf("load the module %s: %w", name, err)
		}
	}
	return os.RemoveAll("/modules")
}

func insertOne(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	return nil
}

// enterRoot makes the disk the root of the file system, in place of the initial one.
func enterRoot(wait time.Duration) error {
	deadline := time.Now().Add(wait)
	for {
		if _, err := os.Stat(disk); err == nil {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no root file system: %s is not there after %v", disk, wait)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := os.MkdirAll(newRoot, 0o755); err != nil {
		return err
	}
	if err := syscall.Mount(disk, newRoot, "ext4", syscall.MS_NOATIME, ""); err != nil {
		return fmt.Errorf("mount the root file system %s: %w", disk, err)
	}
	for _, dir := range []string{"/dev", "/proc", "/sys", "/run"} {
		if err := syscall.Mount(dir, newRoot+dir, "", syscall.MS_MOVE, ""); err != nil {
			return fmt.Errorf("move %s: %w", dir, err)
		}
	}
	if err := os.Chdir(newRoot); err != nil {
		return err
	}
	if err := syscall.Mount(".", "/", "", syscall.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move %s to the root: %w", newRoot, err)
	}
	if err := syscall.Chroot("."); err != nil {
		return fmt.Errorf("change the root: %w", err)
	}
	return os.Chdir("/")
}
