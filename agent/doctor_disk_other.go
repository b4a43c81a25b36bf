//go:build !linux

package main

import "stolpe/agent/doctor"

// diskOf is told on Linux only.
func diskOf(string) *doctor.Disk { return nil }
