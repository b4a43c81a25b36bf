// Command stolpe-gateway has the keys of sales units, so that posts need none.
//
// # Why
//
// A post stands where everybody can open it. What is in it can be asked for one
// post's payments; what is in a gateway, for all.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: stolpe-gateway FILE")
		os.Exit(2)
	}
	if _, err := loadSettings(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(6)
	}
}
