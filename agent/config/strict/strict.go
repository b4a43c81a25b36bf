// Package strict reads a YAML file by a table of its keys, and says what is
// wrong with file, line and remedy.
//
// # Why
//
// The post and the gateway are configured by people, in files of their own, and
// both take money. Whoever knows the messages of one knows those of the other.
// The table is the only place that knows the keys: the check of the file, the
// defaults and the printed reference all follow from it.
//
// The file is taken apart as a YAML tree, because only the tree has lines. Viper
// gets what passed: it puts the environment over the file and the defaults under
// it, and fills the structs. It never sees the file itself, so there are no two
// parsers that could disagree, and nothing watches the file.
//
// Secrets never stand in the file. It says where they are, and what is read
// there is a Secret, which cannot be printed.
//
// Anchors, aliases and tags of YAML are refused: a configuration is read by
// people, who should find a value where it applies.
package strict

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// Format is a kind of file.
type Format struct {
	Keys []Key

	// Migrations make a file of each version one of the next, the first first. A format
	// that has any has a key version at its top.
	Migrations []Migration

	// Units, unless nil, puts words into messages and the reference that depend on
	// the file, such as those for its currency. It is given what stands in the file
	// at a path of names; "" where there is none, and everywhere for the reference.
	Units func(at func(path ...string) string) *strings.Replacer
}

// maxFile is the largest configuration, in bytes. Chosen by us: a full one of a
// post has some 4 KiB.
const maxFile = 256 << 10

// Open opens a configuration file, which must be a plain one. Its error wraps
// that of the operating system.
func Open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would keep the program waiting
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() {
		return f, nil
	}
	f.Close()
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return nil, fmt.Errorf("config: %s: want a plain file", path)
}

// Read reads a file from in and fills the struct that into points at; the name
// stands for the file in messages. Keys that have an environment variable take
// their value from there if it is set and not empty. What is wrong with keys is
// noted, and told by the Reader's Err: the caller looks for more before. An error
// comes back where there is nothing to look at: Errors if the file is no section,
// that of in, or one that says that struct and table disagree.
func (f Format) Read(name string, in io.Reader, into any) (*Reader, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("config: read %s: %w", name, err)
	}
	root, bad := f.parse(name, data)
	if bad != nil {
		return nil, Errors{*bad}
	}
	version, bad := f.versionOf(name, root)
	if bad != nil {
		return nil, Errors{*bad}
	}
	r := f.newReader(name, root)
	r.Old = version < f.current()
	f.migrate(root, version, r.wrong)
	r.said = r.root(root)
	if r.said == nil {
		return nil, r.Err()
	}
	if err := f.fill(r.said, into); err != nil {
		return nil, fmt.Errorf("config: %s: %w", name, err)
	}
	return r, nil
}

// Walk calls visit for every key with its path, sections before what is in them.
// Keys of a list have [] in theirs.
func (f Format) Walk(visit func(path string, k Key)) { f.top().walk("", visit) }

// top is the file as a section.
func (f Format) top() Key { return Key{Kind: Section, Keys: f.Keys} }

// fill puts defaults under what the file said and the environment over it. It
// fails only if the table and the struct disagree, which is a mistake of ours.
func (f Format) fill(said map[string]any, into any) error {
	v := viper.New()
	var err error
	f.Walk(func(path string, k Key) {
		if k.Def != nil && !strings.Contains(path, "[]") {
			v.SetDefault(path, k.Def)
		}
		if k.Env != "" && err == nil {
			err = v.BindEnv(path, k.Env)
		}
	})
	if err == nil {
		err = v.MergeConfigMap(said)
	}
	if err == nil {
		err = v.UnmarshalExact(into)
	}
	if err != nil {
		return fmt.Errorf("fill the configuration: %w", err)
	}
	return nil
}

// units is what puts the words of the file at root into messages.
func (f Format) units(root *yaml.Node) *strings.Replacer {
	if f.Units == nil {
		return strings.NewReplacer()
	}
	return f.Units(func(path ...string) string { return find(root, path...) })
}

// find gives the text at a path, or "" where there is none. It follows nothing
// and checks nothing.
func find(n *yaml.Node, path ...string) string {
	switch {
	case n == nil:
		return ""
	case len(path) == 0:
		return n.Value
	}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == path[0] {
			return find(n.Content[i+1], path[1:]...)
		}
	}
	return ""
}
