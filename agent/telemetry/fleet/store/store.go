// Package store keeps what a fleet knows of its posts over restarts: a file for each.
//
// # Why
//
// A year of uptime is made by listening for a year. It is not worth a database: a post
// is a few kB, is written whole every few minutes, and what is lost with a file that
// rots is the statistics of one post. So a file that is not as it was written is passed
// over and said so, and everything goes on.
package store

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Chosen by us.
const (
	maxFiles = 10_000 // posts that are read at most
	ending   = ".json"
	newMark  = ".new-" // begins the names of files that are being written
)

// ErrRotten says that a file is not as it was written.
var ErrRotten = errors.New("not as it was written")

// Store is a folder with a folder for each tenant and a file in it for each post.
type Store struct {
	dir  string
	most int64 // bytes of a file
}

// Open makes the folder if there is none. Files of more than most bytes are not read.
func Open(dir string, most int64) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return &Store{dir, most}, nil
}

// Save writes what is known of a post in the place of what was known before. Whoever
// reads meanwhile has all of the old or all of the new. Tenant and post are names
// without what means something in a path.
func (s *Store) Save(tenant, post string, text []byte) error {
	if !plain(tenant) || !plain(post) {
		return fmt.Errorf("store: save %q of %q: not names of files", post, tenant)
	}
	dir := filepath.Join(s.dir, tenant)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("store: %w", err)
	}
	unfinished := filepath.Join(dir, newMark+post)
	err := write(unfinished, fmt.Appendf(bytes.Clone(text), "\n%08x\n", checksum(text)))
	if err == nil {
		err = os.Rename(unfinished, filepath.Join(dir, post+ending))
	}
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

func write(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

func checksum(text []byte) uint32 { return crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)) }

func plain(name string) bool {
	return name != "" && name[0] != '.' && !strings.ContainsAny(name, "/\\\x00")
}

// Load calls take with what is kept of each post. A post that take calls old is kept no
// more. What cannot be read, and what take refuses, is told to amiss and stays as it is.
func (s *Store) Load(take func(tenant, post string, text []byte) (old bool, err error), amiss func(error)) error {
	tenants, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	left := maxFiles
	for _, t := range tenants {
		if !t.IsDir() {
			continue
		}
		posts, err := os.ReadDir(filepath.Join(s.dir, t.Name()))
		if err != nil {
			amiss(fmt.Errorf("store: %w", err))
			continue
		}
		for _, p := range posts {
			post, ours := strings.CutSuffix(p.Name(), ending)
			if !ours || !plain(post) || !p.Type().IsRegular() || left == 0 {
				continue
			}
			left--
			if err := s.load(t.Name(), post, take); err != nil {
				amiss(fmt.Errorf("store: %s of %s: %w", post, t.Name(), err))
			}
		}
	}
	return nil
}

// load reads one file.
func (s *Store) load(tenant, post string, take func(tenant, post string, text []byte) (bool, error)) error {
	name := filepath.Join(s.dir, tenant, post+ending)
	text, err := s.read(name)
	if err != nil {
		return err
	}
	old, err := take(tenant, post, text)
	if err == nil && old {
		err = os.Remove(name)
	}
	return err
}

// read reads a file and checks that it is as it was written.
func (s *Store) read(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := io.ReadAll(io.LimitReader(f, s.most+1))
	if err != nil {
		return nil, err
	}
	const tail = len("\n00000000\n")
	if len(all) < tail || int64(len(all)) > s.most {
		return nil, fmt.Errorf("%d bytes: %w", len(all), ErrRotten)
	}
	text := all[:len(all)-tail]
	if string(all[len(text):]) != fmt.Sprintf("\n%08x\n", checksum(text)) {
		return nil, fmt.Errorf("checksum: %w", ErrRotten)
	}
	return text, nil
}
