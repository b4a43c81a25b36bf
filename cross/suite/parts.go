package suite

import (
	"fmt"
	"go/ast"
	"go/token"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"stolpe/cross/rules"
)

// part is something that some tests need and Go does not bring.
type part struct {
	name     string   // as in the message of a test that skips itself: "part <name>: ..."
	programs []string // one of these in PATH is enough
	packages []string // Debian packages that bring one
}

// known lists the parts that this step can install. A test that needs one more
// gives it a row here.
func known() []part {
	return []part{
		{"axe", []string{"npm"}, []string{"npm"}}, // fetched by the tests themselves, from where npm is told to
		{"chromium", []string{"chromium", "chromium-browser", "headless-shell", "google-chrome"}, []string{"chromium"}},
		{"dpkg", []string{"dpkg"}, []string{"dpkg"}},
		{"iproute2", []string{"ip"}, []string{"iproute2"}},
		{"lintian", []string{"lintian"}, []string{"lintian"}},
		{"mosquitto", []string{"mosquitto"}, []string{"mosquitto"}},
		{"systemd", []string{"systemd-analyze"}, []string{"systemd"}},
		{"zbar-tools", []string{"zbarimg"}, []string{"zbar-tools"}},
	}
}

// raceDetector needs a C compiler to link with.
func raceDetector() part {
	return part{"race", []string{"gcc"}, []string{"gcc", "libc6-dev"}}
}

// machines are what boots a post in a virtual machine: qemu, and what its image is made with
// (cross/vm/image says so, too, when one of them is missing), but for what every Debian has.
func machines() []part {
	row := func(program, pkg string) part { return part{"qemu-system", []string{program}, []string{pkg}} }
	return []part{
		row("qemu-system-x86_64", "qemu-system-x86"), row("mmdebstrap", "mmdebstrap"), row("zstd", "zstd"), row("xz", "xz-utils"),
		row("mkfs.ext4", "e2fsprogs"), row("gcc-12", "gcc-12"), row("strip", "binutils"), row("make", "make"),
	}
}

// missing says that the part is not here; it is empty when it is.
func (p part) missing() string {
	for _, program := range p.programs {
		if _, err := exec.LookPath(program); err == nil {
			return ""
		}
	}
	return fmt.Sprintf("part %s: no %s in PATH", p.name, strings.Join(p.programs, ", "))
}

// parts installs what the tests of this tree need, where that may be done. What
// stays missing is no failure here: the tests that need it will say so.
func (r *run) parts() error {
	needed, err := needs(r.tree)
	if err != nil {
		return err
	}
	var packages []string
	for _, p := range append(needed, r.own()...) {
		if missing := p.missing(); missing != "" {
			r.show(missing)
			packages = append(packages, p.packages...)
		}
	}
	r.tally.add(result{name: "parts"})
	if len(packages) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || !r.root {
		r.show("not installed: that takes root and apt-get; the Debian packages are " + strings.Join(packages, " "))
		return nil
	}
	quiet := []string{"DEBIAN_FRONTEND=noninteractive"}
	for _, args := range [][]string{{"update", "-q"}, append([]string{"install", "-qy", "--no-install-recommends"}, packages...)} {
		if err := r.command(r.show, quiet, "apt-get", args...); err != nil {
			r.show("not installed: " + err.Error())
			return nil
		}
	}
	return nil
}

// own lists what the run itself needs, apart from its tests.
func (r *run) own() []part {
	own := []part{raceDetector(), emulators()}
	if r.machine {
		own = append(own, machines()...)
	}
	return own
}

var partPattern = regexp.MustCompile(`^part ([a-z0-9-]+): `)

// needs lists the parts that tests name when they skip themselves. The error
// names a part that is not known.
func needs(tree *rules.Tree) ([]part, error) {
	var needed []part
	for _, p := range tree.Packages {
		for _, f := range p.Files {
			for _, message := range skipMessages(f) {
				name := partPattern.FindStringSubmatch(message)
				if name == nil || slices.ContainsFunc(needed, func(p part) bool { return p.name == name[1] }) {
					continue
				}
				i := slices.IndexFunc(known(), func(p part) bool { return p.name == name[1] })
				if i < 0 {
					return nil, fmt.Errorf("%s needs part %s, which no row of known() in cross/suite/parts.go can install", f.Path, name[1])
				}
				needed = append(needed, known()[i])
			}
		}
	}
	return needed, nil
}

// skipMessages gives the literal messages with which tests in the file skip.
func skipMessages(f *rules.File) []string {
	var messages []string
	ast.Inspect(f.AST, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || method.Sel.Name != "Skip" && method.Sel.Name != "Skipf" {
			return true
		}
		if text, ok := call.Args[0].(*ast.BasicLit); ok && text.Kind == token.STRING {
			if message, err := strconv.Unquote(text.Value); err == nil {
				messages = append(messages, message)
			}
		}
		return true
	})
	return messages
}
