package telemetry

import "strings"

// KindOf is under which leaf an event of a type is published: session, payment, fault
// or audit.
func KindOf(typ string) string {
	switch first, _, _ := strings.Cut(typ, "."); first {
	case "session", "fault":
		return first
	case "payment", "receipt":
		return "payment"
	}
	return "audit" // command, post, and whatever is said of the book itself
}

// ClassOf is what kind of fault a code is of.
func ClassOf(code string) string {
	family, _, _ := strings.Cut(code, "-")
	switch family {
	case "SAF":
		return "safety"
	case "CON":
		return "contactor"
	case "MET":
		return "meter"
	case "PAY":
		return "payment"
	case "STO":
		return "storage"
	case "USR":
		return "user"
	case "CLK":
		return "clock"
	case "NET":
		return "network"
	case "DIS":
		return "display"
	}
	return "site"
}
