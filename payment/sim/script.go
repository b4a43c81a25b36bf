package sim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxRepeat is how often a script may repeat one fault. Chosen by us.
const maxRepeat = 1000

// ParseFaults reads a fault script:
//
//	script = rule { ";" rule }
//	rule   = call ":" fault { "," fault }
//	       | "random" ":" "rate" number "seed" number
//	call   = "token" | "create" | "get" | "events" | "capture" | "cancel" | "refund" | "approve"
//	       | "receipt" | "category" | "order" | "qr" | "webhooks" | "ledgers" | "report" | "any"
//	fault  = kind [ duration ] [ "x" count ] | "code" number [ "x" count ]
//	kind   = "ok" | "request-lost" | "answer-lost" | "late" | "5xx" | "5xx-applied" | "429" | "busy" | "slow"
//	       | "401" | "403" | "423" | "502" | "503" | "html"
//
// The first request of a call meets the first fault of its rule, and so on;
// "any" serves calls whose own faults are used up, and after that random faults
// come at the given rate. A duration goes with late, 429 and slow; the number is
// one of the API's own codes:
//
//	capture: answer-lost, code 6260 x2; create: late 45s; random: rate 0.05 seed 7
//
// An empty script means no faults. An error names the word it stumbled over.
func ParseFaults(text string) (Faults, error) {
	s := &script{}
	for rule := range strings.SplitSeq(text, ";") {
		if strings.TrimSpace(rule) == "" {
			continue
		}
		name, list, found := strings.Cut(rule, ":")
		name = strings.TrimSpace(name)
		if !found {
			return nil, fmt.Errorf("faults: %q: want a call, a colon and its faults", name)
		}
		if err := s.add(name, list); err != nil {
			return nil, fmt.Errorf("faults: %s: %w", name, err)
		}
	}
	return s.next, nil
}

func (s *script) add(name, list string) error {
	if name == "random" {
		return s.random(strings.Fields(list))
	}
	rule := &s.any
	if name != "any" {
		c := callNamed(name)
		if c == NoCall {
			return fmt.Errorf("%q is no call: want %s, any or random", name, enumerate(TokenCall, calls))
		}
		rule = &s.rules[c]
	}
	if len(*rule) > 0 {
		return fmt.Errorf("%q has a rule already", name)
	}
	for item := range strings.SplitSeq(list, ",") {
		f, times, err := parseFault(strings.Fields(item))
		if err != nil {
			return err
		}
		for range times {
			*rule = append(*rule, f)
		}
	}
	return nil
}

func callNamed(name string) Call {
	for c := TokenCall; c < calls; c++ {
		if c.String() == name {
			return c
		}
	}
	return NoCall
}

func parseFault(words []string) (f Fault, times int, err error) {
	if len(words) == 0 {
		return f, 0, fmt.Errorf("a fault is missing: want one between commas, or ok")
	}
	f.Kind = kinds
	for k := NoFault; k < kinds; k++ {
		if k.String() == words[0] {
			f = Fault{Kind: k, Wait: k.wait()}
		}
	}
	if f.Kind == kinds {
		return f, 0, fmt.Errorf("%q is no fault: want %s", words[0], enumerate(NoFault, kinds))
	}
	words = words[1:]
	switch {
	case f.Kind == Coded:
		if f.Code, err = parseCode(words); err != nil {
			return f, 0, err
		}
		words = words[1:]
	case len(words) > 0 && !strings.HasPrefix(words[0], "x"):
		if f.Wait, err = parseWait(f.Kind, words[0]); err != nil {
			return f, 0, err
		}
		words = words[1:]
	}
	times, err = parseTimes(words)
	return f, times, err
}

// parseCode reads the number of a code.
func parseCode(words []string) (string, error) {
	if len(words) == 0 {
		return "", fmt.Errorf("code: want one of the API's codes after it, such as 6260")
	}
	if n, err := strconv.ParseUint(words[0], 10, 32); err != nil || n < 1000 || n > 99_999 {
		return "", fmt.Errorf("code %q: want one of the API's codes, such as 6260", words[0])
	}
	return words[0], nil
}

// parseTimes reads what stands after a fault: how often, or nothing.
func parseTimes(words []string) (times int, err error) {
	if len(words) == 0 {
		return 1, nil
	}
	times, err = strconv.Atoi(strings.TrimPrefix(words[0], "x"))
	if err != nil || times < 1 || times > maxRepeat || words[0][0] != 'x' {
		return 0, fmt.Errorf("%q: want x1 to x%d", words[0], maxRepeat)
	}
	if len(words) > 1 {
		return 0, fmt.Errorf("%q is too much: want a kind, a duration and a count", words[1])
	}
	return times, nil
}

// enumerate writes the words from one to before another.
func enumerate[T interface {
	~uint8
	fmt.Stringer
}](from, before T) string {
	var words []string
	for v := from; v < before; v++ {
		words = append(words, v.String())
	}
	return strings.Join(words, ", ")
}

func parseWait(k FaultKind, word string) (time.Duration, error) {
	longest := k.longest()
	if longest == 0 {
		return 0, fmt.Errorf("%q: %v takes no duration", word, k)
	}
	d, err := time.ParseDuration(word)
	if err != nil || d <= 0 || d > longest {
		return 0, fmt.Errorf("%q: want a duration up to %v for %v, such as 5s", word, longest, k)
	}
	return d, nil
}

func (s *script) random(words []string) error {
	if len(words) != 4 || words[0] != "rate" || words[2] != "seed" {
		return fmt.Errorf("%q: want rate, a number, seed, a number", strings.Join(words, " "))
	}
	var err error
	if s.rate, err = strconv.ParseFloat(words[1], 64); err != nil || !(s.rate >= 0 && s.rate <= 1) {
		return fmt.Errorf("rate %q: want 0 to 1", words[1])
	}
	if s.seed, err = strconv.ParseUint(words[3], 10, 64); err != nil {
		return fmt.Errorf("seed %q: want a whole number", words[3])
	}
	return nil
}
