package rules

// stateCases are the rules about variables, clocks and goroutines.
func stateCases() []ruleCase {
	return []ruleCase{
		{"variables that can change", Variables,
			sources{"a/a.go": `package a

import ("errors"; "regexp"; "time"; "sync"; "hash/crc32"; "embed")

var ErrGone = errors.New("gone")
var pattern = regexp.MustCompile("x")
var table = [...]int{1, 2}
var sums = crc32.MakeTable(1)
var _ error = ErrGone
//go:embed *.txt
var files embed.FS
// The release sets it by -ldflags -X.
var version = "dev"

var count int
var limit = 5
var now = time.Now
var later = func() {}
var cache = make(map[string]int)
var built = build()
var mu sync.Mutex

func build() map[string]int {
	table := []int{0}
	table[0] = 1
	return nil
}

func change() {
	table[1] = 3
	count++
	delete(cache, "x")
	pattern, x := 1, 2
	_, _ = pattern, x
	cache["a"] += 1
	for count = range table {
	}
}
`, "a/b.go": "package a\nfunc other() { pattern = nil }", "a/a_test.go": "package a\nfunc swap() { now = nil }"},
			[]string{
				"a/a.go:15: count has no value, so something must set it later",
				"a/a.go:16: limit is a constant: say const",
				"a/a.go:17: now is a function or a borrowed variable that a test could swap: pass it in",
				"a/a.go:18: later is a function or a borrowed variable that a test could swap: pass it in",
				"a/a.go:19: cache is made empty, so something must fill it later",
				"a/a.go:20: built is computed at every start of the program: write it as a table, or compute it where it is needed",
				"a/a.go:21: mu has no value, so something must set it later",
				"a/a.go:30: changes the package variable table",
				"a/a.go:31: changes the package variable count",
				"a/a.go:32: changes the package variable cache",
				"a/a.go:35: changes the package variable cache",
				"a/a.go:36: changes the package variable count",
				"a/b.go:2: changes the package variable pattern",
				"a/a_test.go:2: changes the package variable now",
			}},
		{"clocks and I/O in pure packages", Pure([]string{"hal", "gone"}),
			sources{"hal/h.go": "package hal\nimport \"os\"\nimport clock \"time\"\nimport \"math/rand/v2\"\nimport \"net/url\"\nimport \"net/http\"\n" +
				"var a, b = clock.Now(), clock.Second\nfunc f() { <-clock.After(1) }",
				"hal/h_test.go": "package hal\nimport \"os\"", "bus/b.go": "package bus\nimport \"os\""},
			[]string{"hal/h.go:2: imports os", "hal/h.go:4: imports math/rand/v2", "hal/h.go:6: imports net/http",
				"hal/h.go:7: time.Now", "hal/h.go:8: time.After", "gone: is listed as pure and does not exist"}},
		{"sleeps outside bubbles", Sleeps,
			sources{"a/a_test.go": `package a
import ("testing"; "testing/synctest"; "time")
func TestReal(t *testing.T) { time.Sleep(1) }
func TestBubble(t *testing.T) { synctest.Test(t, func(t *testing.T) { time.Sleep(1) }) }
func settle() { time.Sleep(1); synctest.Wait() }
`, "a/a.go": "package a\nimport \"time\"\nfunc f() { time.Sleep(1) }"},
			[]string{"a/a_test.go:3: time.Sleep in TestReal"}},
		{"goroutines without a reason", Goroutines(map[string]string{"b": "listens", "c": "did so once"}),
			sources{"a/a.go": "package a\nfunc f() { go f() }", "b/b.go": "package b\nfunc f() { go f() }", "c/c.go": "package c", "e/e.go": "package e\nfunc f() { g.Go(f) }", "d/d_test.go": "package d\nfunc f() { go f() }"},
			[]string{"a/a.go:2: a starts a goroutine", "e/e.go:2: e starts a goroutine", "c: the table gives c a reason for goroutines, and it starts none"}},
	}
}

// textCases are the rules about comments on names and numbers.
func textCases() []ruleCase {
	return []ruleCase{
		{"exported names without comments", Documented,
			sources{"a/a.go": `package a

func Bare() {}

// This does something.
func Wrong() {}

// Right does something.
func Right() {}

// T is a type.
type T struct{}

func (*T) Method() {}

type hidden struct{}

func (hidden) Method() {}

type (
	// U is grouped.
	U int
	V int
)

// The colours.
const (
	Red = iota
	Blue
)

const (
	One = 1
	Two = 2 // the second
)

var Alone = T{}

type G[P any] struct{}

func (g G[P]) Get() {}
`},
			[]string{
				"a/a.go:3: Bare has no comment that begins with its name",
				"a/a.go:6: Wrong has no comment that begins with its name",
				"a/a.go:14: Method has no comment that begins with its name",
				"a/a.go:23: V has no comment that begins with its name",
				"a/a.go:33: One has no comment, and neither has its group",
				"a/a.go:37: Alone has no comment that begins with its name",
				"a/a.go:39: G has no comment that begins with its name",
				"a/a.go:41: Get has no comment that begins with its name",
			}},
		{"numbers without units", Units,
			sources{"a/a.go": `package a

import "time"

type T struct {
	size  int
	depth int // folders
	// in bytes
	room float64
	name string
	left time.Duration
	rows []int
	HTTPStatus, seed int
	EnergyWh int64
	_ int
}

type power int

const most = 4 << 10
const every = 5 * time.Second
const letter = 'x'
const word = "x"
const (
	kind power = iota
	full
)
const least = 3 // bytes
// Chosen by us.
const (
	low  = 1
	high = 2
)
`},
			[]string{"a/a.go:6: T.size is int: of what?", "a/a.go:20: most is a number: of what?"}},
	}
}

// formCases are the rules about package comments, names and form.
func formCases() []ruleCase {
	return []ruleCase{
		{"package comments", PackageComments,
			sources{"a/a.go": "package a", "b/b.go": "// Package b is b.\npackage b", "c/c.go": "// Package c is c.\n//\n// # Why\n//\n// Because.\npackage c",
				"d/d.go": "// Package d is d.\npackage d", "d/e.go": "// Package d is more.\npackage d", "e/e.go": "// Something else.\npackage e",
				"f/f.go": "// Command f is a program.\npackage main", "g/g_test.go": "package g"},
			[]string{"a: has no package comment", "b: its comment has no section: # Why", "d: has more than one package comment", "e: its comment does not begin with: Package e"}},
		{"names that say nothing", Names([]string{"util", "manager"}),
			sources{"utils/x.go": "package utils", "a/file_util.go": "package a\ntype HTTPManager int\ntype Utility int", "a/manager_test.go": "package a"},
			[]string{"utils: the package is called utils", "a/file_util.go: the file is called util", "a/file_util.go:2: the type HTTPManager is called manager",
				"a/manager_test.go: the file is called manager"}},
		{"files gofmt would change", Formatted,
			sources{"a/a.go": "package a\n", "a/b.go": "package a\nvar  x = 1\n"},
			[]string{"a/b.go: gofmt would change it"}},
	}
}
