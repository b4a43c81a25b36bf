package chromium

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// axe-core is what browsers' own audits are made of. It is fetched with npm, as
// its licence (MPL-2.0) is not ours and half a megabyte of it is nothing to keep.
const (
	axeName = "axe-core-4.14.1.tgz"
	axeWhat = "axe-core@4.14.1"
	axeHash = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==" // SHA-512 of the package, as the registry tells it
	axeTime = 2 * time.Minute                                                                            // for the download. Chosen by us
)

// axe gives the source of axe-core. The package is kept in the user's cache.
func axe(t *testing.T) string {
	t.Helper()
	pack, err := axePackage()
	if err != nil {
		t.Skipf("part axe: %v", err)
	}
	source, err := fileOf(pack, "package/axe.min.js")
	if err != nil {
		t.Fatalf("%s: %v", axeName, err)
	}
	return source
}

func axePackage() ([]byte, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return fetchAxe() // at every run, then
	}
	kept := filepath.Join(cache, "stolpe", axeName)
	if pack, err := os.ReadFile(kept); err == nil && genuine(pack) {
		return pack, nil
	}
	pack, err := fetchAxe()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(kept), 0o755); err == nil {
		os.WriteFile(kept, pack, 0o644) // half of one is not genuine, and fetched again
	}
	return pack, nil
}

func fetchAxe() ([]byte, error) {
	dir, err := os.MkdirTemp("", "axe")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), axeTime)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "pack", "--loglevel=error", "--ignore-scripts", axeWhat)
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		first, _, _ := strings.Cut(string(out), "\n")
		return nil, fmt.Errorf("npm pack %s: %w: %s", axeWhat, err, first)
	}
	pack, err := os.ReadFile(filepath.Join(dir, axeName))
	if err != nil {
		return nil, fmt.Errorf("npm pack %s: %w", axeWhat, err)
	}
	if !genuine(pack) {
		return nil, fmt.Errorf("npm pack %s: its SHA-512 is not the one we know", axeWhat)
	}
	return pack, nil
}

func genuine(pack []byte) bool {
	sum := sha512.Sum512(pack)
	return base64.StdEncoding.EncodeToString(sum[:]) == axeHash
}

// fileOf reads one file of a package.
func fileOf(pack []byte, name string) (string, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(pack))
	if err != nil {
		return "", fmt.Errorf("unzip: %w", err)
	}
	files := tar.NewReader(zipped)
	for {
		head, err := files.Next()
		if err != nil {
			return "", fmt.Errorf("look for %s: %w", name, err)
		}
		if head.Name != name {
			continue
		}
		text, err := io.ReadAll(files)
		if err != nil {
			return "", fmt.Errorf("read %s: %w", name, err)
		}
		return string(text), nil
	}
}
