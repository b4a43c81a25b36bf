package raspberry

import (
	"bytes"
	"io/fs"
	"path"
	"strings"
)

// Folders are where the boot partition may be, without the first slash: as Raspberry Pi OS
// has it from Debian 12 on, and before.
func Folders() []string { return []string{"boot/firmware", "boot"} }

// Settings are the lines of config.txt that a board goes by, in their order.
type Settings []Setting

// Setting is one of them.
type Setting struct {
	Key   string
	Value string
}

// Limits of the firmware, and of ours for files that include each other.
const (
	lineMost    = 98 // characters; what stands behind them is not read (documentation of config.txt)
	includeMost = 8  // files deep; chosen by us
)

// Read gives what a board goes by, from config.txt in one of the folders of a boot
// partition. The file is its path, without the first slash; empty if there is none.
func Read(files fs.FS, b Board) (s Settings, file string) {
	for _, dir := range Folders() {
		file := path.Join(dir, "config.txt")
		if text, err := fs.ReadFile(files, file); err == nil {
			r := reader{files: files, dir: dir, board: b, sieve: open()}
			r.read(text, 0)
			return r.found, file
		}
	}
	return nil, ""
}

// reader reads config.txt and what it includes. A section goes on over the end of an
// included file: its text stands in the place of the line that includes it.
type reader struct {
	files fs.FS
	dir   string
	board Board
	sieve sieve
	found Settings
}

func (r *reader) read(text []byte, deep int) {
	for line := range strings.Lines(string(bytes.TrimPrefix(text, []byte("\ufeff")))) {
		line = strings.TrimRight(line, "\r\n")
		line = strings.TrimSpace(line[:min(len(line), lineMost)])
		if name, is := strings.CutPrefix(line, "["); is {
			name, _, closed := strings.Cut(name, "]")
			if closed {
				r.sieve = r.sieve.filter(name, r.board)
			}
			continue
		}
		if line == "" || line[0] == '#' || !r.sieve.through() {
			continue
		}
		if name, is := strings.CutPrefix(line, "include "); is {
			if more, err := fs.ReadFile(r.files, path.Join(r.dir, path.Clean("/"+strings.TrimSpace(name)))); err == nil && deep < includeMost {
				r.read(more, deep+1)
			}
			continue
		}
		if key, value, ok := strings.Cut(line, "="); ok {
			r.found = append(r.found, Setting{key, value})
		}
	}
}

// Value is what a key has; the last word counts. It is empty if nothing is said.
func (s Settings) Value(key string) (value string) {
	for _, x := range s {
		if x.Key == key {
			value = x.Value
		}
	}
	return value
}

// Param says whether a parameter of the board is switched on, as in dtparam=spi=on.
func (s Settings) Param(name string) (on bool) {
	for _, x := range s {
		if x.Key != "dtparam" {
			continue
		}
		for p := range strings.SplitSeq(x.Value, ",") {
			key, value, said := strings.Cut(strings.TrimSpace(p), "=")
			if key == name {
				on = !said || value == "on" || value == "true" || value == "1" || value == "yes" || value == "y"
			}
		}
	}
	return on
}

// Overlay says whether an overlay is loaded, as in dtoverlay=disable-bt.
func (s Settings) Overlay(name string) bool {
	for _, x := range s {
		which, _, _ := strings.Cut(x.Value, ",")
		if x.Key == "dtoverlay" && strings.TrimSpace(which) == name {
			return true
		}
	}
	return false
}
