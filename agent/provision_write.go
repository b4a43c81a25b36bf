package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"stolpe/agent/setup"
)

// readNote reads how far a provisioning has come.
func readNote(file string) (n noted, err error) {
	text, err := readPlain(file)
	if errors.Is(err, fs.ErrNotExist) {
		return n, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &n)
	}
	if err != nil {
		return n, fmt.Errorf("%s: %w; look at it, and move it away", file, err)
	}
	return n, nil
}

// write puts everything where it belongs, the configuration last: with that, the post
// starts.
func (p *provisioning) write(ctx context.Context, h handover, end noted) error {
	own, err := p.owner()
	if err != nil {
		return err
	}
	end.Wrote = []string{textSum(h.config)}
	if is, err := readPlain(p.file); err == nil { // of a try that the power has ended
		end.Wrote = append(end.Wrote, textSum(is))
	}
	if err := p.note(noted{Sum: end.Sum, Wrote: end.Wrote}, own); err != nil {
		return err
	}
	for _, where := range sortedNames(h.secrets) {
		if err := p.keep(ctx, where, h.secrets[where], own); err != nil {
			return err
		}
	}
	for _, name := range sortedNames(h.certs) {
		mode := fs.FileMode(0o644)
		if bytes.Contains(h.certs[name], []byte("PRIVATE KEY")) {
			mode = 0o600
		}
		if err := p.put(p.certFile(name), h.certs[name], mode, own); err != nil {
			return err
		}
	}
	if h.answers != nil { // for stolpe setup --resume
		progress := setup.NewProgress()
		progress.Answers = h.answers
		b, err := progress.Encode()
		if err == nil {
			err = p.put((&fitting{setupOptions: setupOptions{file: p.file}}).progressFile(), b, 0o600, own)
		}
		if err != nil {
			return err
		}
	}
	if err := p.put(p.file, h.config, 0o644, own); err != nil { // there is no secret in it
		return err
	}
	return p.note(end, own)
}

// keep keeps a secret.
func (p *provisioning) keep(ctx context.Context, where, value string, own *owner) error {
	kind, name, _ := strings.Cut(where, ":")
	if kind == "file" {
		return p.put(name, []byte(value), 0o600, own)
	}
	path := filepath.Join(p.sealed, name)
	if err := p.before("encrypt " + path); err != nil {
		return err
	}
	return errors.Join(p.seals(ctx, name, path, value), syncFolder(p.sealed))
}

// note notes how far it has come.
func (p *provisioning) note(n noted, own *owner) error {
	b, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return p.put(p.noteFile(), append(b, '\n'), 0o644, own)
}

// owner is who gets the files; nil where whoever runs this is not root.
type owner struct {
	uid, gid int // as chown(2) wants them
}

func (p *provisioning) owner() (*owner, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // nobody else is to get them
	}
	u, err := user.Lookup(p.user)
	if err != nil {
		return nil, fmt.Errorf("--user: %w; install the package first", err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	return &owner{uid, gid}, err
}

// put writes a file in one step: it is whole and on the disk, or it is as before. What a
// power cut leaves is written over by the next try.
//
// The folder belongs to the agent, and this runs as root: a link that somebody has put
// there must not lead what is written, or who gets it, to a file elsewhere. So a name is
// made new, and no path leaves the folder of the configuration.
func (p *provisioning) put(path string, text []byte, mode fs.FileMode, own *owner) (err error) {
	if err := p.before("write " + path); err != nil {
		return err
	}
	dir, name, err := p.inside(path, own)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	if err := dir.Remove(name + ".new"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := dir.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(mode)); own != nil {
		err = errors.Join(err, f.Chown(own.uid, own.gid))
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := p.before("put in place " + path); err != nil {
		return err
	}
	return errors.Join(dir.Rename(name+".new", name), syncFolder(filepath.Dir(path)))
}

// inside opens the folder that holds all that is written, and gives the name that a path has
// in it: the folder of the configuration, or that of secrets which are kept elsewhere.
// Folders that are not there are made; those that are keep their owners.
func (p *provisioning) inside(path string, own *owner) (*os.Root, string, error) {
	top, err := filepath.Abs(filepath.Dir(p.file))
	if err != nil {
		return nil, "", err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, "", err
	}
	name, err := filepath.Rel(top, path)
	if err != nil || !filepath.IsLocal(name) {
		top, name = filepath.Split(path)
	}
	if _, missing := os.Stat(top); errors.Is(missing, fs.ErrNotExist) {
		if err = os.MkdirAll(top, 0o750); err == nil && own != nil {
			err = os.Lchown(top, own.uid, own.gid)
		}
		if err != nil {
			return nil, "", err
		}
	}
	dir, err := os.OpenRoot(top)
	if err != nil {
		return nil, "", err
	}
	below := filepath.Dir(name)
	if _, err = dir.Stat(below); errors.Is(err, fs.ErrNotExist) {
		if err = dir.MkdirAll(below, 0o750); err == nil && own != nil {
			err = dir.Lchown(below, own.uid, own.gid)
		}
	}
	if err != nil {
		return nil, "", errors.Join(err, dir.Close())
	}
	return dir, name, nil
}

// clear writes over and deletes what the folder has, and says beside it what came of it:
// the report first, as afterwards nothing is left to make it of.
func (p *provisioning) clear(note noted) error {
	err := p.before("report")
	if err == nil {
		err = p.onBoot(takenIn, note.Done.text(p.lang))
	}
	if err == nil {
		err = p.erase(note)
	}
	if err == nil {
		err = os.Remove(filepath.Join(filepath.Dir(p.from), refusals))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failed(fmt.Errorf("the post has all it needs, but %s could not be cleared up, and secrets may still be in it: %w", p.from, err))
	}
	return nil
}

// erase empties the folder: secrets and keys are written over first, and the answers, which
// say whose folder it is, go last.
func (p *provisioning) erase(note noted) error {
	for _, sub := range []string{secretsName, certsName} {
		if err := p.eraseIn(filepath.Join(p.from, sub)); err != nil {
			return err
		}
	}
	own, err := p.owner()
	if err == nil {
		note.Cleared = true
		err = p.note(note, own)
	}
	if err == nil {
		err = p.before("delete " + p.from)
	}
	if err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(p.from), syncFolder(filepath.Dir(p.from)))
}

// eraseIn erases the files of a folder that may not be there.
func (p *provisioning) eraseIn(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := p.overwrite(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return syncFolder(dir)
}

// overwrite writes zeros over a file and deletes it.
func (p *provisioning) overwrite(path string) error {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	if err := p.before("overwrite " + path); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Clean(path), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, info.Size()))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := p.before("delete " + path); err != nil {
		return err
	}
	return os.Remove(path)
}
