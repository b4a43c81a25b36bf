// Command nfpm makes one Debian package: the description of it, in nfpm's own YAML,
// comes on standard input, and the file to write is the only argument.
//
// # Why
//
// It is a module of its own, so that nothing of what nfpm brings along reaches the modules
// that posts are built of. It takes the part of nfpm that makes Debian packages, and not
// nfpm's own command: that makes four more kinds of packages, by modules that not every
// module proxy serves.
//
// A newer nfpm: go -C cross/deb/nfpm get github.com/goreleaser/nfpm/v2/deb@VERSION. Not
// go mod tidy, which also asks for what only nfpm's own tests need.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: nfpm FILE < DESCRIPTION")
		os.Exit(2)
	}
	if err := pack(os.Stdin, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "nfpm:", err)
		os.Exit(1)
	}
}

// pack writes the package that a description tells of.
func pack(description io.Reader, file string) (err error) {
	config, err := nfpm.Parse(description)
	if err != nil {
		return err
	}
	info, err := config.Get("deb")
	if err != nil {
		return err
	}
	if err := nfpm.Validate(info); err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return deb.Default.Package(nfpm.WithDefaults(info), f)
}
