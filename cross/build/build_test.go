package build

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// source writes a module with one small program.
func source(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"go.mod": "module example\n\ngo 1.26\n", "main.go": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestProgramForTheSmallestPostIsStripped(t *testing.T) {
	dir := source(t, "package main\n\nvar version = \"dev\"\n\nfunc main() { println(version) }\n")
	file := filepath.Join(t.TempDir(), "program")
	if err := One(dir, Program{Name: "program", Package: ".", Version: "9.8.7-rc1"}, ARMv6(), file); err != nil {
		t.Fatal(err)
	}
	program, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	if program.Machine != elf.EM_ARM || program.Class != elf.ELFCLASS32 {
		t.Errorf("built for %v %v, want 32-bit ARM", program.Machine, program.Class)
	}
	for _, section := range program.Sections {
		if section.Name == ".symtab" || strings.HasPrefix(section.Name, ".debug") {
			t.Errorf("section %s is not stripped", section.Name)
		}
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(content, []byte(dir)) {
		t.Errorf("the program names the folder it was built in")
	}
	for _, text := range []string{"GOARM=6", "9.8.7-rc1"} {
		if !bytes.Contains(content, []byte(text)) {
			t.Errorf("the program does not say %s", text)
		}
	}
}

func TestPostIsBuiltWithoutHTTP2(t *testing.T) {
	dir := source(t, "package agent\n")
	if err := os.Mkdir(filepath.Join(dir, "agent"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "agent", "main.go"), []byte("//go:build nethttpomithttp2\n\npackage main\n\nfunc main() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := One(dir, Programs("")[0], Here(), filepath.Join(t.TempDir(), "program")); err != nil {
		t.Error(err)
	}
}

// A clone without tags and a second work tree make the same program as any other.
func TestPostKnowsItsCommit(t *testing.T) {
	t.Setenv("GIT_CEILING_DIRECTORIES", os.TempDir())
	dir := source(t, "package agent\n")
	if got := commitOf(dir); got != "" {
		t.Errorf("outside git: %q", got)
	}
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Dir = dir
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, said)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "agent"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "agent", "main.go"), []byte("package main\n\nvar revision string\n\nfunc main() { println(revision) }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	git("init", "-q")
	git("add", ".")
	git("commit", "-qm", "all")
	commit := commitOf(dir)
	if len(commit) < 40 || strings.Contains(commit, "changed") {
		t.Errorf("in a clean checkout: %q", commit)
	}
	var programs [2][]byte
	for i := range programs {
		file := filepath.Join(t.TempDir(), "program")
		if err := One(dir, Programs("")[0], Here(), file); err != nil {
			t.Fatal(err)
		}
		program, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		programs[i] = program
		if i == 0 {
			git("tag", "v1.2.3")
			second := filepath.Join(t.TempDir(), "tree")
			git("worktree", "add", "-q", second)
			dir = second
		}
	}
	if !bytes.Contains(programs[0], []byte(commit)) || !bytes.Equal(programs[0], programs[1]) {
		t.Error("the program does not know its commit, or a tag and a second work tree make another one")
	}
	if err := os.WriteFile(filepath.Join(dir, "more.go"), []byte("package agent\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := commitOf(dir); got != commit+"-changed" {
		t.Errorf("with another file: %q", got)
	}
}

func TestBuildThatFailsSaysWhy(t *testing.T) {
	dir := source(t, "package main\n\nfunc main() { undefined() }\n")
	err := One(dir, Program{Name: "program", Package: "."}, ARMv6(), filepath.Join(t.TempDir(), "program"))
	if err == nil || !strings.Contains(err.Error(), "undefined: undefined") || !strings.Contains(err.Error(), "linux-armv6") {
		t.Errorf("error %v, want one with the compiler's words and the target", err)
	}
}

func TestArgumentsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, args := range [][]string{{"-no"}, {"more"}} {
		var out, errs strings.Builder
		if code := Run(args, &out, &errs); code != 2 || errs.Len() == 0 {
			t.Errorf("Run(%q) = %d, prints %q: want 2 and an error", args, code, errs.String())
		}
	}
}

func TestSumsAreOfTheFilesBesideThem(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for _, name := range []string{"b", "a"} {
		files = append(files, filepath.Join(dir, name))
		if err := os.WriteFile(files[len(files)-1], []byte("abc"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := Sums(dir, files); err != nil {
		t.Fatal(err)
	}
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, B.1
	got, err := os.ReadFile(filepath.Join(dir, SumsFile))
	if want := abc + "  a\n" + abc + "  b\n"; err != nil || string(got) != want {
		t.Errorf("%s is %q, %v; want %q", SumsFile, got, err, want)
	}
	if err := Sums(dir, []string{filepath.Join(dir, "c")}); err == nil {
		t.Error("a file that is not there has a sum")
	}
}
