//go:build !linux

package control

// act has no parts to play where nobody can be told apart.
func act(string) int { return 1 }
