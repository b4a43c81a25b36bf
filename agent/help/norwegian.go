package help

import (
	"strings"
)

// Command says in Norwegian what a command does: in a line, and at length where there is
// more to say. path is without the program's name ("config set"; "" is the program itself);
// both are empty for a path that is not in the table.
func Command(path string) (short, long string) {
	if path == "" {
		path = "stolpe"
	}
	_, after, found := strings.Cut("\n"+table("commands"), "\n# "+path+"\n")
	if !found {
		return "", ""
	}
	entry, _, _ := strings.Cut(after, "\n# ")
	short, long, _ = strings.Cut(entry, "\n")
	return strings.TrimSpace(short), strings.TrimSpace(long)
}

// Flag says in Norwegian what a flag does, by what it does in English; empty if that is not
// in the table.
func Flag(usage string) string {
	for line := range strings.Lines(table("flags")) {
		if en, nb, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " => "); ok && en == usage {
			return nb
		}
	}
	return ""
}

// table is a file of Norwegian that is no topic.
func table(name string) string {
	text, err := files.ReadFile("nb/" + name + ".txt")
	if err != nil {
		return ""
	}
	return string(text)
}

// Commands are the paths that Command knows, but for the program itself.
func Commands() (paths []string) {
	for line := range strings.Lines(table("commands")) {
		if path, is := strings.CutPrefix(strings.TrimSpace(line), "# "); is && path != "stolpe" {
			paths = append(paths, path)
		}
	}
	return paths
}
