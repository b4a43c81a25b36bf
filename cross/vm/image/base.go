package image

import (
	"context"
	"path/filepath"
	"strings"
)

// suite is the Debian that Raspberry Pi OS "bookworm" is made of.
const suite = "bookworm"

// packages lists what the root file system has besides what Debian calls essential: what
// the product's package depends on, and what makes a machine of it.
func packages() []string {
	return []string{"systemd", "systemd-sysv", "udev", "kmod", "procps", "e2fsprogs", "tzdata", "ca-certificates"}
}

// base makes Debian's root file system as an archive.
func (b *builder) base(ctx context.Context) (string, error) {
	dir, err := b.once(ctx, "debian", "base.go", nil, func(dir string) error {
		_, err := b.run(ctx, "", nil, "mmdebstrap", "--quiet", "--variant=essential", "--format=tar", "--include="+strings.Join(packages(), ","),
			"--aptopt=Acquire::Languages \"none\"",
			"--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
			suite, filepath.Join(dir, "root.tar"))
		return err
	})
	return filepath.Join(dir, "root.tar"), err
}
