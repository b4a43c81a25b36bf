package deb

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// ChangelogFile tells what changed in which release, newest first.
const changelogFile = "CHANGELOG.md"

// release is one entry of the file.
type release struct {
	version string // as in 1.0.0-rc1
	day     time.Time
	text    []string // lines below its heading
}

// versionPattern is what a release may call itself. Debian allows more; this much is also a
// version of Go's and fits into what the payment service takes (30 characters).
var versionPattern = regexp.MustCompile(`^\d{1,4}\.\d{1,4}\.\d{1,4}(-[a-z0-9.]{1,12})?$`)

var headingPattern = regexp.MustCompile(`^## \[(.+)\] - (\d{4}-\d\d-\d\d)$`)

// releases reads the file. What has not been released yet is passed over. The error tells
// which heading is wrong.
func releases(text string) ([]release, error) {
	var all []release
	skip := true
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \n")
		switch {
		case strings.HasPrefix(line, "## [Unreleased]"), strings.HasPrefix(line, "["):
			skip = true
		case strings.HasPrefix(line, "## "):
			m := headingPattern.FindStringSubmatch(line)
			if m == nil || !versionPattern.MatchString(m[1]) {
				return nil, fmt.Errorf("%s: %q: want a heading like ## [1.0.3] - 2026-11-28", changelogFile, line)
			}
			day, err := time.Parse(time.DateOnly, m[2])
			if err != nil {
				return nil, fmt.Errorf("%s: %q: %w", changelogFile, line, err)
			}
			all, skip = append(all, release{version: m[1], day: day}), false
		case !skip:
			last := &all[len(all)-1]
			last.text = append(last.text, line)
		}
	}
	if len(all) == 0 {
		return nil, errors.New(changelogFile + " has no release")
	}
	return all, nil
}

// debianVersion is a version as dpkg sorts it: 1.0.0~rc1 is before 1.0.0.
func debianVersion(version string) string { return strings.Replace(version, "-", "~", 1) }

// debianChangelog is the changelog of a package in Debian's form (deb-changelog(5)). A
// version without an entry gets one that says so.
func debianChangelog(name, version, maintainer string, all []release, built time.Time) string {
	if all[0].version != version {
		all = append([]release{{version, built, []string{"- Not a release: built of what came after " + all[0].version + "."}}}, all...)
	}
	var b strings.Builder
	for _, r := range all {
		fmt.Fprintf(&b, "%s (%s) stable; urgency=medium\n", name, debianVersion(r.version))
		for _, line := range debianLines(r.text) {
			b.WriteString(line + "\n")
		}
		fmt.Fprintf(&b, "\n -- %s  %s\n\n", maintainer, r.day.UTC().Format(time.RFC1123Z))
	}
	return b.String()
}

// debianLines turns headings and items into a changelog's lines of at most 80 characters.
func debianLines(text []string) (lines []string) {
	var open string // the item so far
	flush := func() {
		const width = 76 // and four before it
		first := "  * "
		for words := strings.Fields(open); len(words) > 0; first = "    " {
			line := words[0]
			for words = words[1:]; len(words) > 0 && len(line)+1+len(words[0]) <= width; words = words[1:] {
				line += " " + words[0]
			}
			lines = append(lines, first+line)
		}
		open = ""
	}
	for _, line := range text {
		heading, isHeading := strings.CutPrefix(line, "### ")
		item, isItem := strings.CutPrefix(line, "- ")
		switch {
		case isHeading:
			flush()
			lines = append(lines, "", "  [ "+heading+" ]")
		case isItem:
			flush()
			open = item
		case line == "":
			flush()
		default:
			open += " " + line
		}
	}
	flush()
	if len(lines) > 0 && lines[0] != "" {
		lines = append([]string{""}, lines...)
	}
	return lines
}
