package config

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// What strict allows of a file, in bytes, and shows of its errors.
const (
	maxFile  = 256 << 10
	maxShown = 50
)

const badFiles = "../../testdata/config/bad/*.yaml"

// wanted reads the errors a bad file ends with: comments "# want LINE: message",
// or "# want: message" without a line.
func wanted(text, name string) []string {
	var want []string
	for _, line := range strings.Split(text, "\n") {
		if rest, ok := strings.CutPrefix(line, "# want"); ok {
			if line, ok := strings.CutPrefix(rest, " "); ok {
				rest = ":" + line
			}
			want = append(want, name+rest)
		}
	}
	return want
}

func TestBadFilesAreRefusedWithTheirMessages(t *testing.T) {
	quiet(t)
	files, err := filepath.Glob(badFiles)
	if err != nil || len(files) < 100 {
		t.Fatalf("%d bad files, %v: want 100 at least", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(strings.TrimSuffix(name, ".yaml"), func(t *testing.T) {
			text := readText(t, file)
			c, err := Parse(name, strings.NewReader(text), vault)
			var wrong Errors
			if !errors.As(err, &wrong) {
				t.Fatalf("error %v: want Errors", err)
			}
			if diff := difference(Config{}, c); diff != "" {
				t.Errorf("something came back beside the error: %s", diff)
			}
			if want := strings.Join(wanted(text, name), "\n"); err.Error() != want {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
			lines := strings.Split(text, "\n")
			for _, e := range wrong {
				word := e.Key[strings.LastIndex(e.Key, ".")+1:]
				word, _, _ = strings.Cut(word, "[")
				if e.Found != "nothing" && !strings.HasPrefix(e.Found, "a simulated") && !strings.Contains(lines[max(e.Line, 1)-1], strings.Trim(word, `"`)) {
					t.Errorf("line %d has no %s: %v", e.Line, word, e)
				}
			}
		})
	}
}

func TestNoMessageRepeatsASecret(t *testing.T) {
	quiet(t)
	files, err := filepath.Glob(badFiles)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, file := range files {
		text, _, _ := strings.Cut(readText(t, file), "# want")
		if !strings.Contains(text, "hunter2") {
			continue
		}
		tried++
		if _, err := parseText(text); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", file, err)
		}
	}
	if tried < 8 {
		t.Errorf("%d files with a secret in them: want 8 at least", tried)
	}
}

func TestTroubleOfTheFileAsAWhole(t *testing.T) {
	quiet(t)
	good := readText(t, simFile)
	deep := strings.Repeat("[", 20_000)
	sections := strings.Join(names(schema().Keys), ", ")
	for name, c := range map[string]struct{ text, want string }{
		"empty":         {"", "f: found an empty file; want a section with " + sections},
		"comments only": {"# nothing\n", "f: found an empty file; want a section with " + sections},
		"separator":     {"---\n", "f:2: found nothing; want a section with " + sections},
		"tag":           {"!config\n" + good, "f:1: found a tag (!); want the value without it"},
		"anchor":        {"&a\n" + good, "f:1: found an anchor (&); want the value without it"},
		"list":          {"[]", "f:1: found a list; want a section with " + sections},
		"too large":     {good + strings.Repeat("# comment\n", maxFile/10), "f: found more than 256 KiB; want a configuration: this is another file"},
		"UTF-16":        {"\xff\xfep\x00o\x00s\x00t\x00:\x00", "f: found bytes that are not text; want text in UTF-8"},
		"Latin-1":       {strings.Replace(good, "Storgata", "Gr\xf8nland", 1), "f: found bytes that are not text; want text in UTF-8"},
		"zero byte":     {good + "\x00", "f: found bytes that are not text; want text in UTF-8"},
		"binary":        {"\x7fELF\x02\x01\x01\x00", "f: found bytes that are not text; want text in UTF-8"},
		"control":       {good + "\x01", "f:11: found text that is not YAML (control characters are not allowed); want YAML: look at colons, quotes and indentation here and just above"},
		"deep":          {"post: " + deep, "f:1: found text that is not YAML (exceeded max depth of 10000); want YAML: look at colons, quotes and indentation here and just above"},
		"JSON":          {`{"post": 1`, "f:1: found text that is not YAML (did not find expected ',' or '}'); want YAML: look at colons, quotes and indentation here and just above"},
	} {
		if _, err := Parse("f", strings.NewReader(c.text), vault); err == nil || err.Error() != c.want {
			t.Errorf("%s:\n%v\nwant\n%s", name, err, c.want)
		}
	}
}

// TestAliasesAreNeverFollowed has a file of 300 bytes that stands for nine to the
// power of nine values, and one that contains itself.
func TestAliasesAreNeverFollowed(t *testing.T) {
	quiet(t)
	bomb, before := "", "x"
	for _, name := range names(schema().Keys) {
		bomb += fmt.Sprintf("%s: &%s [%s]\n", name, name, strings.Repeat(before+", ", 9))
		before = "*" + name
	}
	_, err := parseText(bomb)
	for i, name := range names(schema().Keys) {
		if want := fmt.Sprintf("stolpe.yaml:%d: %s: found an anchor (&); want the value without it", i+1, name); !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("no error %q", want)
		}
	}
	if _, err = parseText("post: &a {id: A12, name: *a}\n"); !strings.Contains(fmt.Sprint(err), "post: found an anchor") {
		t.Errorf("of a section that contains itself: %v", err)
	}
	text := change(t, readText(t, simFile), "id: DEMO", "id: &a DEMO")
	text = change(t, text, "code: A12", "code: *a")
	if _, err = parseText(text); !strings.Contains(fmt.Sprint(err), "post.id: found an anchor") || !strings.Contains(fmt.Sprint(err), "evses[0].code: found an alias") {
		t.Errorf("of an alias that would do no harm: %v", err)
	}
}

func TestManyErrorsAreCut(t *testing.T) {
	quiet(t)
	var text strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&text, "frobnicate%d: 1\n", i)
	}
	_, err := parseText(text.String())
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != maxShown+1 || lines[maxShown] != "and 4956 more" { // 5000 unknown keys and 6 missing ones
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

func TestEditorsOfWindowsAreServed(t *testing.T) {
	quiet(t)
	text := readText(t, referenceFile)
	want, err := parseText(text)
	if err != nil {
		t.Fatal(err)
	}
	windows := "\ufeff" + strings.ReplaceAll(text, "\n", "\r\n")
	got, err := parseText(windows)
	if err != nil {
		t.Fatal(err)
	}
	if diff := difference(want, got); diff != "" {
		t.Error(diff)
	}
	_, err = parseText(change(t, windows, "kwh: 549", "kwh: x"))
	line := 1 + strings.Count(text[:strings.Index(text, "kwh: 549")], "\n")
	if want := fmt.Sprintf("stolpe.yaml:%d: price.kwh: ", line); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v: want %s", err, want)
	}
}

// endless is a file without an end, such as /dev/zero.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '#'
	}
	e.read += len(p)
	return len(p), nil
}

func TestEndlessFileIsNotReadToItsEnd(t *testing.T) {
	var file endless
	if _, err := Parse("f", &file, vault); err == nil || file.read > 2*maxFile {
		t.Errorf("read %d bytes, error %v: want an error after %d", file.read, err, maxFile)
	}
}

func TestLongBrokenFileIsToldQuickly(t *testing.T) {
	quiet(t)
	text := append(bytes.Repeat([]byte("# comment\n"), 20_000), "post: {\n"...)
	if _, err := Parse("f", bytes.NewReader(text), vault); err == nil || !strings.Contains(err.Error(), "not YAML") {
		t.Errorf("error %v", err)
	}
}
