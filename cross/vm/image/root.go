package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// size of the root file system. Chosen by us: a few hundred megabytes for what a machine
// is, and room that a test can fill up in seconds.
const size = "640M"

// settings are files of the root file system.
func settings() map[string]string {
	return map[string]string{
		"etc/hostname":    "post\n",
		"etc/hosts":       "127.0.0.1 localhost post\n",
		"etc/resolv.conf": "nameserver 10.0.2.3\n", // that of qemu's own network
		"etc/fstab":       "/dev/vda / ext4 rw,noatime 0 0\n",
		"etc/machine-id":  "5709e5709e5709e5709e5709e5709e57\n",
	}
}

// masked lists the units that a post has no use for and an emulated machine waits for.
func masked() []string {
	return strings.Fields(`
		apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
		getty.target getty@tty1.service serial-getty@ttyS0.service console-getty.service
		systemd-ask-password-console.path systemd-ask-password-wall.path
		dev-hugepages.mount dev-mqueue.mount sys-fs-fuse-connections.mount sys-kernel-debug.mount sys-kernel-tracing.mount
		modprobe@configfs.service modprobe@dm_mod.service modprobe@drm.service modprobe@efi_pstore.service modprobe@fuse.service modprobe@loop.service
		ldconfig.service proc-sys-fs-binfmt_misc.automount systemd-binfmt.service systemd-firstboot.service systemd-hwdb-update.service
		systemd-journal-catalog-update.service systemd-machine-id-commit.service systemd-pcrmachine.service systemd-pcrphase.service
		systemd-pcrphase-sysinit.service systemd-rfkill.socket systemd-update-done.service systemd-update-utmp.service
		systemd-update-utmp-runlevel.service remote-fs.target`)
}

// generators lists the programs that systemd runs at every start and reload to make units
// of what is not on this machine, one after the other. That of /etc/fstab stays.
func generators() []string {
	return strings.Fields(`
		systemd-cryptsetup-generator systemd-debug-generator systemd-getty-generator systemd-gpt-auto-generator
		systemd-hibernate-resume-generator systemd-integritysetup-generator systemd-rc-local-generator systemd-run-generator
		systemd-system-update-generator systemd-sysv-generator systemd-veritysetup-generator`)
}

// root makes the root file system of a machine.
func (b *builder) root(ctx context.Context) (string, error) {
	archive, err := b.base(ctx)
	if err != nil {
		return "", err
	}
	dir, err := b.once(ctx, "root", "root.go", []string{filepath.Base(filepath.Dir(archive))}, func(dir string) error {
		tree := filepath.Join(dir, "tree")
		if err := os.Mkdir(tree, 0o755); err != nil {
			return err
		}
		if _, err := b.run(ctx, "", nil, "tar", "-xf", archive, "-C", tree, "--exclude=./dev/*", "--exclude=./var/cache/apt/*", "--exclude=./var/lib/apt/lists/*"); err != nil {
			return err
		}
		if err := furnish(tree); err != nil {
			return err
		}
		if _, err := b.run(ctx, "", nil, "mkfs.ext4", "-q", "-F", "-L", "root", "-E", "lazy_itable_init=0,lazy_journal_init=0", "-d", tree, filepath.Join(dir, "root.ext4"), size); err != nil {
			return err
		}
		return os.RemoveAll(tree)
	})
	return filepath.Join(dir, "root.ext4"), err
}

// furnish makes a machine of Debian's files.
func furnish(tree string) error {
	for name, text := range settings() {
		path := filepath.Join(tree, name)
		os.Remove(path) // it may be a link to where a running machine has it
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return errors.Join(mask(filepath.Join(tree, "etc/systemd/system"), masked()), mask(filepath.Join(tree, "etc/systemd/system-generators"), generators()))
}

// mask hides what systemd would find elsewhere under the same names.
func mask(dir string, names []string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range names {
		path := filepath.Join(dir, name)
		os.Remove(path) // a link that makes a unit start
		if err := os.Symlink("/dev/null", path); err != nil {
			return fmt.Errorf("mask %s: %w", name, err)
		}
	}
	return nil
}
