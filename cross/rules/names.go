package rules

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"unicode"
)

// Names finds files, packages and types whose name says nothing: one of its
// words is in banned.
func Names(banned []string) func(*Tree) []Finding {
	return func(t *Tree) []Finding {
		var found []Finding
		for _, p := range t.Packages {
			if word := bannedWord(p.Name, banned); word != "" {
				found = append(found, Finding{p.Dir, "the package is called " + word})
			}
			for _, f := range p.Files {
				if word := bannedWord(strings.TrimSuffix(path.Base(f.Path), ".go"), banned); word != "" {
					found = append(found, Finding{f.Path, "the file is called " + word})
				}
				ast.Inspect(f.AST, func(n ast.Node) bool {
					if spec, ok := n.(*ast.TypeSpec); ok {
						if word := bannedWord(spec.Name.Name, banned); word != "" {
							found = append(found, t.at(spec.Pos(), "the type %s is called %s", spec.Name.Name, word))
						}
					}
					return true
				})
			}
		}
		return found
	}
}

// bannedWord gives the first word of a name that is banned, or nothing.
func bannedWord(name string, banned []string) string {
	for _, word := range words(name) {
		if slices.Contains(banned, strings.TrimSuffix(word, "s")) {
			return word
		}
	}
	return ""
}

// words splits fileNames, file_names and HTTPNames into their words, in small
// letters.
func words(name string) []string {
	var all []string
	runes := []rune(name)
	start := 0
	cut := func(end int) {
		if end > start {
			all = append(all, strings.ToLower(string(runes[start:end])))
		}
		start = end
	}
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r):
			cut(i)
			start = i + 1
		case i == 0 || !unicode.IsUpper(r):
		case unicode.IsLower(runes[i-1]), i+1 < len(runes) && unicode.IsLower(runes[i+1]):
			cut(i)
		}
	}
	cut(len(runes))
	return all
}
