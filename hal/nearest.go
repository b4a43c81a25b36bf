package hal

import (
	"cmp"
	"slices"
	"strings"
)

// Nearest gives the three names most like a wrong one, best first: what to offer to
// somebody who mistyped a model, a line or a key. A name that contains it is very
// like it, as that of a model without its maker's; so is one of whose words, as _
// parts them, the rest is. Capitals do not count.
func Nearest(wrong string, names []string) []string {
	wrong = strings.ToLower(wrong)
	far := func(name string) int {
		name = strings.ToLower(name)
		if strings.Contains(name, wrong) {
			return 0
		}
		least := Distance(wrong, name)
		for _, rest, more := strings.Cut(name, "_"); more; _, rest, more = strings.Cut(rest, "_") {
			least = min(least, Distance(wrong, rest))
		}
		return least
	}
	names = slices.Clone(names)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(far(a), far(b)) })
	return names[:min(3, len(names))]
}

// Distance counts the letters to insert, delete, replace, or swap with their
// neighbour that lead from a to b (optimal string alignment).
func Distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	rows := make([][]int, len(s)+1)
	for i := range rows {
		rows[i] = make([]int, len(t)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(s); i++ {
		for j := 1; j <= len(t); j++ {
			replace := rows[i-1][j-1]
			if s[i-1] != t[j-1] {
				replace++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, replace)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(s)][len(t)]
}
