package setup

import (
	"fmt"
	"slices"
	"strings"
)

// digits says whether s is one digit to most of them, and nothing else.
func digits(s string, most int) bool {
	return s != "" && len(s) <= most && strings.Trim(s, "0123456789") == ""
}

// Chosen by us.
const (
	mostMajor = 6 // digits of a whole amount
	mostWhole = 9 // digits of a number
)

// isMoney says whether s is an amount with two decimals.
func isMoney(s string) bool {
	whole, part, _ := strings.Cut(strings.Replace(s, ",", ".", 1), ".")
	return digits(whole, mostMajor) && len(part) == 2 && digits(part, 2)
}

// areSums says whether s is whole amounts with commas between them.
func areSums(s string) bool {
	for one := range strings.SplitSeq(s, ",") {
		if !digits(strings.TrimSpace(one), mostMajor) {
			return false
		}
	}
	return true
}

// Clean gives an answer as it is kept, or says in an error what is wanted. Whether the
// configuration takes it, is not known here.
func (q Question) Clean(answer string) (string, error) {
	answer = strings.TrimSpace(answer)
	wrong := func(want string) (string, error) {
		return "", fmt.Errorf("--%s %q: want %s", q.Flag(), answer, want)
	}
	if answer == "" {
		return "", nil
	}
	if strings.ContainsFunc(answer, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return wrong("one line of text")
	}
	switch q.Kind {
	case YesNo:
		switch strings.ToLower(answer) {
		case "true", "yes", "ja", "y", "j":
			return yes, nil
		case "false", "no", "nei", "n":
			return no, nil
		}
		return wrong("true or false")
	case Money:
		if !isMoney(answer) {
			return wrong("an amount with two decimals, such as 5.49 (kroner or euro, VAT included)")
		}
		return strings.Replace(answer, ",", ".", 1), nil
	case Sums:
		if !areSums(answer) {
			return wrong("whole amounts with commas between them, such as 200, 350, 500 (kroner or euro)")
		}
	case Number:
		if !digits(answer, mostWhole) {
			return wrong("a whole number")
		}
	case Text:
	}
	if len(q.One) > 0 && !slices.Contains(q.One, answer) {
		return wrong(strings.Join(q.One, ", "))
	}
	return answer, nil
}

// Value is a cleaned answer as the configuration has it: a text without quotes, or a
// number, or several with commas between them.
func (q Question) Value(answer string) string {
	const minor = "00" // of a whole amount: all currencies here have hundredths
	switch q.Kind {
	case Money:
		digits := strings.TrimLeft(strings.Replace(answer, ".", "", 1), "0")
		if digits == "" {
			return "0"
		}
		return digits
	case Sums:
		var all []string
		for one := range strings.SplitSeq(answer, ",") {
			one = strings.TrimLeft(strings.TrimSpace(one), "0")
			if one == "" {
				one = "0" // not legal anywhere, and said so by the configuration
			} else {
				one += minor
			}
			all = append(all, one)
		}
		return strings.Join(all, ", ")
	case Text, Number, YesNo:
	}
	return answer
}
