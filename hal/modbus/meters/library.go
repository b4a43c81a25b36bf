package meters

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed *.yaml
var files embed.FS

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

// Find gives the map with this id. If there is none, the error names those most
// like it.
func Find(id string) (*Map, error) {
	if !slices.Contains(Names(), id) {
		return nil, fmt.Errorf("meters: no map for %q: the nearest are %s", id, strings.Join(nearest(id, Names()), ", "))
	}
	text, err := files.ReadFile(id + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("meters: read the map of %s: %w", id, err)
	}
	return Parse(id+".yaml", text)
}
