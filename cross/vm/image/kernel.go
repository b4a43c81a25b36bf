package image

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// meta is the package that stands for the newest kernel of the series that Raspberry Pi OS
// has too.
const meta = "linux-image-6.12-amd64"

// kernel is what a kernel's package gives.
type kernel struct {
	release string   // as uname -r says it
	version string   // of the packages
	dir     string   // with vmlinux and the modules of Debian
	ours    string   // the folder with the modules built here
	order   []string // names of all modules, in the order they are loaded
}

// debianModules lists the modules that a machine needs, each after those it needs itself.
// What follows a colon says which machines do not go without.
func debianModules() []string {
	return []string{
		"crc16", "mbcache", "crc32c_generic", "libcrc32c", "jbd2", "ext4",
		"virtio_blk", "failover", "net_failover", "virtio_net", "autofs4", "configfs",
		"watchdog", "i6300esb",
		"usb-common:usb", "usbcore:usb", "xhci-hcd:usb", "xhci-pci:usb", "usbserial:usb", "ftdi_sio:usb",
	}
}

// kernel finds the newest kernel, unpacks it and builds the modules that it lacks.
func (b *builder) kernel(ctx context.Context) (kernel, error) {
	text, err := b.run(ctx, "", nil, "apt-cache", "show", "--no-all-versions", meta)
	if err != nil {
		return kernel{}, fmt.Errorf("%w; a Debian 12 with its security updates has it, after apt-get update", err)
	}
	k, err := newest(text)
	if err != nil {
		return kernel{}, err
	}
	k.order = append(debianModules(), ourModules()...)
	parts := make(chan error, 1)
	go func() {
		var err error
		k.ours, err = b.modules(ctx, k)
		parts <- err
	}()
	dir, err := b.once(ctx, "kernel", "kernel.go", []string{k.release, k.version}, func(dir string) error {
		deb, err := b.deb(ctx, "linux-image-"+k.release, k.version)
		if err != nil {
			return err
		}
		return b.unpackKernel(ctx, deb, dir)
	})
	if err = errors.Join(err, <-parts); err == nil {
		err = b.forgetDebs(k.version)
	}
	k.dir = dir
	return k, err
}

// newest reads which kernel the package stands for.
func newest(text string) (kernel, error) {
	found := regexp.MustCompile(`(?m)^Depends:.*\blinux-image-(\S+-amd64) \(= ([^)]+)\)`).FindStringSubmatch(text)
	if found == nil {
		return kernel{}, fmt.Errorf("the package %s names no kernel", meta)
	}
	return kernel{release: found[1], version: found[2]}, nil
}

// deb downloads a package of Debian, once.
func (b *builder) deb(ctx context.Context, name, version string) (string, error) {
	dir := filepath.Join(b.dir, "debs")
	pattern := filepath.Join(dir, name+"_"+escaped(version)+"_*.deb")
	if found, err := filepath.Glob(pattern); err != nil || len(found) == 1 {
		return strings.Join(found, ""), err
	}
	if _, err := b.run(ctx, dir, nil, "apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", name+"="+version); err != nil {
		return "", err
	}
	found, err := filepath.Glob(pattern)
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("download %s %s: it is not there afterwards", name, version)
	}
	return strings.Join(found, ""), err
}

// forgetDebs removes the packages of other kernels.
func (b *builder) forgetDebs(version string) error {
	all, err := filepath.Glob(filepath.Join(b.dir, "debs", "*.deb"))
	for _, deb := range all {
		if !strings.Contains(filepath.Base(deb), "_"+escaped(version)+"_") {
			err = errors.Join(err, os.Remove(deb))
		}
	}
	return err
}

// escaped is a version as it stands in a file's name.
func escaped(version string) string { return strings.ReplaceAll(version, ":", "%3a") }

// unpackKernel takes the kernel and the modules out of their package.
func (b *builder) unpackKernel(ctx context.Context, deb, dir string) error {
	wanted := map[string]bool{}
	for _, m := range debianModules() {
		name, _, _ := strings.Cut(m, ":")
		wanted[name+".ko.xz"] = true
	}
	err := b.eachFile(ctx, deb, func(name string, content io.Reader) error {
		base := path.Base(name)
		switch {
		case strings.HasPrefix(base, "vmlinuz-"):
			packed, err := io.ReadAll(content)
			if err != nil {
				return err
			}
			return b.unpackImage(ctx, packed, filepath.Join(dir, "vmlinux"))
		case wanted[base]:
			delete(wanted, base)
			return b.unpack(ctx, content, filepath.Join(dir, strings.TrimSuffix(base, ".xz")), "xz", "-dc")
		}
		return nil
	})
	if err == nil && len(wanted) > 0 {
		err = fmt.Errorf("%s has not all modules: of %v some are missing", filepath.Base(deb), wanted)
	}
	return err
}

// eachFile shows the regular files of a package. io.EOF from do ends it without an error.
func (b *builder) eachFile(ctx context.Context, deb string, do func(name string, content io.Reader) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := eachPrinted(command(ctx, "", nil, "dpkg-deb", "--fsys-tarfile", deb), cancel, do)
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return fmt.Errorf("unpack %s: %w", filepath.Base(deb), err)
	}
	return nil
}

// eachPrinted shows the files of the archive that a program prints. An error of do ends the
// program, and is the one that counts.
func eachPrinted(c *exec.Cmd, cancel func(), do func(name string, content io.Reader) error) error {
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	if err = eachEntry(out, do); err != nil {
		cancel()
		c.Wait()
		return err
	}
	return c.Wait()
}

func eachEntry(from io.Reader, do func(name string, content io.Reader) error) error {
	files := tar.NewReader(from)
	for {
		h, err := files.Next()
		if err == io.EOF {
			_, err := io.Copy(io.Discard, from) // so that the other end is not cut off
			return err
		}
		if err != nil {
			return err
		}
		if h.Typeflag == tar.TypeReg {
			if err := do(h.Name, files); err != nil {
				return err
			}
		}
	}
}

// unpack sends content through a program that decompresses, into a file.
func (b *builder) unpack(ctx context.Context, content io.Reader, to, name string, args ...string) error {
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	defer file.Close()
	var fault bytes.Buffer
	c := command(ctx, "", nil, name, args...)
	c.Stdin, c.Stdout, c.Stderr = content, file, &fault
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, tail(fault.Bytes()))
	}
	return nil
}

// Where a compressed kernel says where its contents are (the kernel's arch/x86/boot.rst).
const (
	sectsAt  = 0x1f1 // a byte: sectors of 512 bytes before the protected mode's part, less one
	offsetAt = 0x248 // 32 bits: the contents' place in that part
	lengthAt = 0x24c // 32 bits
	trailer  = 4     // bytes after the contents, their size unpacked
)

// unpackImage makes a plain kernel of a compressed one.
func (b *builder) unpackImage(ctx context.Context, packed []byte, to string) error {
	if len(packed) < lengthAt+4 {
		return fmt.Errorf("%d bytes are no kernel", len(packed))
	}
	from := (int(packed[sectsAt])+1)*512 + int(binary.LittleEndian.Uint32(packed[offsetAt:]))
	end := from + int(binary.LittleEndian.Uint32(packed[lengthAt:]))
	if from+trailer >= end || end > len(packed) {
		return fmt.Errorf("the kernel's contents are said to be at %d to %d of %d bytes", from, end, len(packed))
	}
	content := packed[from : end-trailer]
	program := []string{"xz", "-dc"}
	if bytes.HasPrefix(content, []byte{0x28, 0xb5, 0x2f, 0xfd}) { // RFC 8878
		program = []string{"zstd", "-dc"}
	}
	if err := b.unpack(ctx, bytes.NewReader(content), to, program[0], program[1:]...); err != nil {
		return fmt.Errorf("unpack the kernel: %w", err)
	}
	file, err := elf.Open(to)
	if err != nil {
		return fmt.Errorf("what was unpacked is no kernel: %w", err)
	}
	return file.Close()
}
