// Package ahead keeps the library of the wizard from asking the terminal for its colours
// when the program starts.
//
// # Why
//
// The library asks while it is initialised, in every command that is run on a terminal,
// and waits five seconds for terminals that do not answer: serial consoles among them.
// Meanwhile it swallows what is typed. It does not ask if it has been told, which must
// happen before. Go initialises packages that wait for nothing else in the order of
// their paths. So this is a module of its own, for the sake of its name, which comes
// before that of the library. The terminal's test of the setup fails when this no longer
// holds.
package ahead

import "github.com/charmbracelet/lipgloss"

// Told says that the library has been told.
var Told = told()

func told() bool {
	lipgloss.SetHasDarkBackground(true) // whether it is true does not matter: nothing of ours has two colours
	return true
}
