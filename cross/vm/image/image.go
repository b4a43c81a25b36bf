// Package image builds what a virtual machine boots: a kernel, an initial file system and
// a Debian root file system in which only the product is missing.
//
// # Why
//
// Everything comes from Debian's own packages, so that what the product meets is what it
// meets on a post: the kernel's GPIO character devices, udev, systemd as process 1. The
// kernel is that of a PC because its programs are faster to emulate on a PC than those of
// an ARM; the product's code is the same.
//
// What is built is kept in a folder, each part under a key of what it was made of. A part
// whose key is there is not made again, so a second Build takes about a second; a part
// that is being made has another name until it is whole.
//
// It runs as root, because Debian's packages own files as root and set some up through
// chroot, and on Debian 12 with its security updates, whose apt knows the kernel.
package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Files is what a machine boots.
type Files struct {
	Kernel string // vmlinux: not compressed, as an emulated processor unpacks slowly
	Initrd string // the first file system, in memory
	Root   string // the root file system, ext4; to be copied and not written
}

// Folder is where Build keeps its parts when nothing else is said.
func Folder() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a folder for the machine's image: %w; give one with -dir", err)
	}
	return filepath.Join(dir, "stolpe-vm"), nil
}

// needs lists the programs that Build calls, and the one that boots what it makes, each with
// its Debian package.
func needs() [][2]string {
	return [][2]string{
		{"qemu-system-x86_64", "qemu-system-x86"}, {"apt-get", "apt"}, {"dpkg-deb", "dpkg"}, {"mmdebstrap", "mmdebstrap"}, {"mkfs.ext4", "e2fsprogs"}, {"make", "make"},
		{"gcc-12", "gcc-12"}, {"strip", "binutils"}, {"tar", "tar"}, {"xz", "xz-utils"}, {"zstd", "zstd"}, {"go", "golang"},
	}
}

// Missing names the programs that are not there, each with the Debian package that has it.
func Missing() []string {
	var missing []string
	for _, n := range needs() {
		if _, err := exec.LookPath(n[0]); err != nil {
			missing = append(missing, fmt.Sprintf("%s (Debian package %s)", n[0], n[1]))
		}
	}
	return missing
}

// Build makes what a machine boots, or finds it in dir from the last time. It says on log
// what it does and how long each part took. It must be called in the module's folder.
func Build(ctx context.Context, dir string, log io.Writer) (Files, error) {
	if missing := Missing(); len(missing) > 0 {
		return Files{}, fmt.Errorf("build the machine's image: not found: %s", strings.Join(missing, ", "))
	}
	if os.Geteuid() != 0 {
		return Files{}, errors.New("build the machine's image: only root can make a root file system")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Files{}, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "debs"), 0o755); err != nil {
		return Files{}, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return Files{}, err
	}
	defer lock.Close() // and with it the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return Files{}, fmt.Errorf("wait for another build in %s: %w", dir, err)
	}
	half, err := filepath.Glob(filepath.Join(dir, ".*-*")) // of a build that was ended before it could clear up
	if err != nil {
		return Files{}, err
	}
	for _, path := range half {
		if err := os.RemoveAll(path); err != nil {
			return Files{}, err
		}
	}
	b := &builder{dir: dir, log: log, began: time.Now()}
	files, err := b.all(ctx)
	if err != nil {
		return Files{}, fmt.Errorf("build the machine's image: %w", err)
	}
	return files, nil
}

// all makes the parts side by side as far as one does not need the other.
func (b *builder) all(ctx context.Context) (Files, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wait sync.WaitGroup
	beside := func(part func() error) {
		wait.Go(func() {
			if err := part(); err != nil {
				cancel(err) // the first counts: the others end because of it
			}
		})
	}
	var kernel kernel
	var root, guest string
	beside(func() (err error) { root, err = b.root(ctx); return err })
	beside(func() (err error) { kernel, err = b.kernel(ctx); return err })
	beside(func() (err error) { guest, err = b.guest(ctx); return err })
	wait.Wait()
	if err := context.Cause(ctx); err != nil {
		return Files{}, err
	}
	initrd, err := b.initrd(ctx, kernel, guest)
	if err != nil {
		return Files{}, err
	}
	return Files{filepath.Join(kernel.dir, "vmlinux"), initrd, root}, nil
}

// guest builds the program that runs in the machine. The go command keeps its own parts.
func (b *builder) guest(ctx context.Context) (string, error) {
	path := filepath.Join(b.dir, "guest")
	_, err := b.run(ctx, "", []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS="}, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "./cross/vm/guest")
	return path, err
}
