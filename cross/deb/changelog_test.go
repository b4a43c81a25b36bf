package deb

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const changes = `# What changed

## [Unreleased]

- Not yet.

## [1.0.0] - 2027-02-03

### Added

- A first thing, that is told of in so many words that they do not fit into a line of eighty
  characters.
- A second thing.

## [1.0.0-rc1] - 2027-01-02

- All of it.

[1.0.0]: https://example.org
`

func TestChangelogOfADebianPackage(t *testing.T) {
	all, err := releases(changes)
	if err != nil {
		t.Fatal(err)
	}
	const want = `stolpe (1.0.0) stable; urgency=medium

  [ Added ]
  * A first thing, that is told of in so many words that they do not fit into a
    line of eighty characters.
  * A second thing.

 -- A <a@example.org>  Wed, 03 Feb 2027 00:00:00 +0000

stolpe (1.0.0~rc1) stable; urgency=medium

  * All of it.

 -- A <a@example.org>  Sat, 02 Jan 2027 00:00:00 +0000

`
	if diff := cmp.Diff(want, debianChangelog("stolpe", "1.0.0", "A <a@example.org>", all, time.Time{})); diff != "" {
		t.Error(diff)
	}
	between := debianChangelog("stolpe", "1.0.1-dev", "A <a@example.org>", all, time.Unix(1_800_000_000, 0))
	if head := "stolpe (1.0.1~dev) stable; urgency=medium\n\n  * Not a release: built of what came after 1.0.0.\n\n -- A <a@example.org>  Fri, 15 Jan 2027 08:00:00 +0000\n\n"; between != head+want {
		t.Errorf("a version without an entry:\n%s", between)
	}
}

func TestChangelogThatIsWrongIsRefused(t *testing.T) {
	for want, text := range map[string]string{
		"no release":       "# What changed\n",
		"1.0.0 - 2027":     "## 1.0.0 - 2027-02-03\n",
		"[1.0] - 2027":     "## [1.0] - 2027-02-03\n",
		"out of range":     "## [1.0.0] - 2027-02-31\n",
		"1.0.0-Release-1]": "## [1.0.0-Release-1] - 2027-02-03\n",
	} {
		if _, err := releases(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %q", text, err, want)
		}
	}
}
