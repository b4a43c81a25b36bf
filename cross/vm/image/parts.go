package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// recipes is how each part is made: a change to the making makes the part anew.
//
//go:embed base.go root.go kernel.go module.go
var recipes embed.FS

// builder makes parts.
type builder struct {
	dir   string
	began time.Time

	mu  sync.Mutex
	log io.Writer // under mu
}

func (b *builder) say(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintf(b.log, "image: %5.1f s: %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

// key is short and differs when any input, or the recipe, differs.
func key(recipe []byte, inputs ...string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d:%s", len(recipe), recipe)
	for _, in := range inputs {
		fmt.Fprintf(h, "%d:%s", len(in), in)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// once gives the folder of a part, which make fills if it is not there. The recipe is the
// file of this package in which the part is made.
func (b *builder) once(ctx context.Context, name, recipe string, inputs []string, make func(dir string) error) (string, error) {
	source, err := recipes.ReadFile(recipe)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(b.dir, name+"-"+key(source, inputs...))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	began := time.Now()
	tmp, err := os.MkdirTemp(b.dir, "."+name+"-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil { // a root file system's own folder: all may enter
		return "", err
	}
	if err := make(tmp); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	if err := context.Cause(ctx); err != nil {
		return "", err
	}
	b.forget(name)
	if err := os.Rename(tmp, dir); err != nil {
		return "", err
	}
	b.say("%s made in %.1f s", name, time.Since(began).Seconds())
	return dir, nil
}

// keep is how long a part that is no longer made stays. Chosen by us: a run that still
// uses it has ended by then.
const keep = 24 * time.Hour

// forget removes the old parts of a name.
func (b *builder) forget(name string) {
	old, _ := filepath.Glob(filepath.Join(b.dir, name+"-*"))
	for _, dir := range old {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > keep {
			os.RemoveAll(dir)
		}
	}
}

// run runs a program and gives its output. An error ends with the last of what the program
// said. The program ends with its parent, and its children with it.
func (b *builder) run(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	var out, fault bytes.Buffer
	c := command(ctx, dir, env, name, args...)
	c.Stdout, c.Stderr = &out, &fault
	if err := c.Run(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return "", cause
		}
		return "", fmt.Errorf("%s: %w: %s", name, err, tail(out.Bytes(), fault.Bytes()))
	}
	return out.String(), nil
}

func command(ctx context.Context, dir string, env []string, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	c.Env = append(append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"), env...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = time.Second
	return c
}

// tail is the end of what a program said.
func tail(texts ...[]byte) string {
	const most = 1500 // bytes: about twenty lines
	all := bytes.TrimSpace(bytes.Join(texts, []byte("\n")))
	return string(all[max(0, len(all)-most):])
}
