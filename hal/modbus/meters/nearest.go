package meters

import (
	"slices"
	"strings"
)

// nearest gives the three names most like the wanted one, best first. A name that
// contains it, such as that of the model without the maker's, is very like it.
func nearest(wanted string, names []string) []string {
	wanted = strings.ToLower(wanted)
	far := func(name string) int {
		if strings.Contains(name, wanted) {
			return 0
		}
		return distance(wanted, name)
	}
	names = slices.Clone(names)
	slices.SortStableFunc(names, func(a, b string) int { return far(a) - far(b) })
	return names[:min(3, len(names))]
}

// distance is the number of bytes to insert, delete or replace to get from a to
// b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
