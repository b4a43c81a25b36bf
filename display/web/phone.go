package web

import (
	"strings"

	"stolpe/payment"
)

// The lengths of a phone number with its country code, in digits: by ITU-T E.164
// at most 15; fewer than 9 is none that a wallet is known by.
const (
	minPhone   = 9
	maxPhone   = 15
	maxTyped   = 32 // characters of a form's field
	homeDigits = 8  // of a Norwegian or Danish number without its country code
)

// parsePhone reads a phone number as people type it: with blanks, dashes, dots and
// brackets, with + or 00 before the country code, or a home number without one. An
// empty field is no number, and no mistake. What is wrong is never said with an
// error that could end up in a log.
func parsePhone(typed string, cur payment.Currency) (payment.Phone, bool) {
	if len(typed) > maxTyped {
		return "", false
	}
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \u00a0\t-.()/", r) {
			return -1
		}
		return r
	}, typed)
	digits, abroad := strings.CutPrefix(digits, "+")
	if !abroad {
		digits, abroad = strings.CutPrefix(digits, "00")
	}
	if digits == "" && !abroad {
		return "", true
	}
	if strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' }) || strings.HasPrefix(digits, "0") {
		return "", false
	}
	if !abroad && len(digits) == homeDigits {
		digits = homeCode(cur) + digits
	}
	if len(digits) < minPhone || len(digits) > maxPhone {
		return "", false
	}
	return payment.Phone(digits), true
}

// homeCode is the country code of numbers typed without one, where people pay with
// that currency; empty where home numbers have no fixed length.
func homeCode(cur payment.Currency) string {
	switch cur {
	case payment.NOK:
		return "47"
	case payment.DKK:
		return "45"
	}
	return ""
}
