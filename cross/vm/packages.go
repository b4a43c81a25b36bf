package vm

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"stolpe/cross/deb"
)

// Versions of the package: the one that is installed, and a newer one. Chosen by us; a
// release has a number of its own.
const (
	older = "0.9.0"
	newer = "0.9.1"
)

// packageFile is where the machine gets a package.
const packageFile = "/root/stolpe.deb"

// buildPackage makes the post's package as `go run ./cross deb` does, and gives its file.
func (s *stage) buildPackage(version string) (string, error) {
	out := filepath.Join(s.scratch, "packages-"+version)
	var said bytes.Buffer
	if code := deb.Run([]string{"-arch", "amd64", "-version", version, "-out", out}, io.Discard, &said); code != 0 {
		return "", fmt.Errorf("make the package: exit code %d: %s", code, said.String())
	}
	files, err := filepath.Glob(filepath.Join(out, "stolpe_*_amd64.deb"))
	if err != nil || len(files) != 1 {
		return "", fmt.Errorf("make the package: found %q in %s: %w", files, out, err)
	}
	return files[0], nil
}

// bring builds a package and puts it into the machine.
func (s *stage) bring(ctx context.Context, p *post, version string) error {
	file, err := s.buildPackage(version)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return p.m.Put(ctx, packageFile, 0o644, content)
}
