package meters

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"stolpe/hal"
)

//go:embed *.yaml
var files embed.FS

// maxAdded bounds the maps in a directory. Chosen by us: a post has a handful of
// meters, and a directory with more is not the one that was meant.
const maxAdded = 100

// Names lists the ids of the maps that are part of the program, sorted.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil // cannot happen: the folder is part of the program
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// Find gives the map of the program with this id. If there is none, the error
// names those most like it.
func Find(id string) (*Map, error) { return new(Library).Find(id) }

// Library is the maps of the program, and those that were added or put in place
// of them. The zero Library has nothing added.
type Library struct {
	added map[string]*Map
	from  map[string]string // id to the file of an added map
}

// Load gives the maps of the program with those in a directory added: every file
// there whose name ends in .yaml. A map with the id of another takes its place. An
// empty dir adds nothing. The error tells all that is wrong in all files, one a
// line. The maps of the program are read when they are asked for, which is soon
// enough for one and would take long for all.
func Load(dir string) (*Library, error) {
	l := &Library{added: map[string]*Map{}, from: map[string]string{}}
	if dir == "" {
		return l, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("meters: maps to add: %w", err)
	}
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool {
		return !strings.HasSuffix(e.Name(), ".yaml") && !strings.HasSuffix(e.Name(), ".yml")
	})
	if len(entries) > maxAdded {
		return nil, fmt.Errorf("meters: %s: %d maps: want at most %d", dir, len(entries), maxAdded)
	}
	var wrong []error
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		m, err := load(path, e)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		l.added[m.ID], l.from[m.ID] = m, path
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return l, nil
}

// load reads the map in a file of a directory.
func load(path string, entry os.DirEntry) (*Map, error) {
	if !entry.Type().IsRegular() {
		return nil, fmt.Errorf("meters: %s: not a regular file: want the map itself, no link to it", path)
	}
	if id, yaml := strings.CutSuffix(entry.Name(), ".yaml"); !yaml || !plainName(id) {
		return nil, fmt.Errorf("meters: %s: want a name of small letters, digits and underscores that ends in .yaml", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("meters: read a map: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("meters: read a map: %w", err)
	}
	if len(text) > maxSize {
		return nil, fmt.Errorf("meters: %s: want at most %d bytes", path, maxSize)
	}
	return Parse(path, text)
}

// plainName says whether a name can be an id.
func plainName(id string) bool {
	return id != "" && !strings.ContainsFunc(id, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
}

// Names lists the ids of all maps, sorted.
func (l *Library) Names() []string {
	names := slices.Concat(Names(), slices.Collect(maps.Keys(l.added)))
	slices.Sort(names)
	return slices.Compact(names)
}

// Origin says where the map with this id comes from: "built in", or the file of
// an added map and whether that stands in place of a built-in one.
func (l *Library) Origin(id string) string {
	file, added := l.from[id]
	switch {
	case !added:
		return "built in"
	case slices.Contains(Names(), id):
		return file + ", in place of the built-in map"
	}
	return file
}

// Find gives the map with this id. If there is none, the error names those most
// like it.
func (l *Library) Find(id string) (*Map, error) {
	if m, ok := l.added[id]; ok {
		return m, nil
	}
	if !slices.Contains(Names(), id) {
		return nil, fmt.Errorf("meters: no map for %q: the nearest are %s", id, strings.Join(hal.Nearest(id, l.Names()), ", "))
	}
	text, err := files.ReadFile(id + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("meters: read the map of %s: %w", id, err)
	}
	return Parse(id+".yaml", text)
}
