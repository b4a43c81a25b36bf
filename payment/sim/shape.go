package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind is what sort of JSON value a shape wants.
type kind uint8

const (
	text kind = iota
	whole
	flag
	object
	list
)

func (k kind) String() string {
	return [...]string{"a string", "a whole number", "true or false", "an object", "an array"}[k]
}

// shape is what the description says of one value: as much of a JSON schema as
// the API's requests need. Members that no shape lists are refused, as the API
// does though its description does not say so (API life cycle page).
type shape struct {
	kind     kind
	nullable bool
	min, max int64          // characters, items or the number itself; max 0 means no limit
	signed   bool           // a number without limits
	pattern  *regexp.Regexp // of a text
	enum     []string       // of a text
	members  members        // of an object
	oneOf    bool           // an object has exactly one of its members
	each     *shape         // of an array, or of an object whose member names are free
}

// members are an object's, by name. A name with a ! in front is required.
type members map[string]shape

// check says what is wrong with v, and where; an empty reason means nothing is.
func (s shape) check(path string, v any) (field, reason string) {
	if v == nil {
		if s.nullable {
			return "", ""
		}
		return path, "must be " + s.kind.String() + ", not null"
	}
	ok, why := false, ""
	switch v := v.(type) {
	case string:
		ok = s.kind == text
		why = s.text(v)
	case json.Number:
		ok = s.kind == whole
		why = s.number(v)
	case bool:
		ok = s.kind == flag
	case map[string]any:
		if s.kind == object {
			return s.object(path, v)
		}
	case []any:
		if s.kind == list {
			return s.list(path, v)
		}
	}
	switch {
	case !ok:
		return path, "must be " + s.kind.String()
	case why != "":
		return path, why
	}
	return "", ""
}

func (s shape) text(v string) (reason string) {
	n := int64(utf8.RuneCountInString(v))
	switch {
	case n < s.min:
		return fmt.Sprintf("at least %d characters", s.min)
	case s.max > 0 && n > s.max:
		return fmt.Sprintf("at most %d characters", s.max)
	case s.pattern != nil && !s.pattern.MatchString(v):
		return "must match " + s.pattern.String()
	case s.enum != nil && !slices.Contains(s.enum, v):
		return "must be one of " + strings.Join(s.enum, ", ")
	}
	return ""
}

func (s shape) number(v json.Number) (reason string) {
	n, err := strconv.ParseInt(v.String(), 10, 64)
	switch {
	case err != nil:
		return "must be a whole number of at most 64 bits"
	case s.signed:
		return ""
	case n < s.min:
		return fmt.Sprintf("at least %d", s.min)
	case s.max > 0 && n > s.max:
		return fmt.Sprintf("at most %d", s.max)
	}
	return ""
}

func (s shape) object(path string, v map[string]any) (field, reason string) {
	for _, name := range slices.Sorted(maps.Keys(s.members)) {
		required, is := strings.CutPrefix(name, "!")
		if _, there := v[required]; is && !there {
			return join(path, required), "required"
		}
	}
	if s.oneOf && len(v) != 1 {
		return path, "must have exactly one member"
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		inner, known := s.members[name]
		if !known {
			inner, known = s.members["!"+name]
		}
		if !known && s.each != nil {
			inner, known = *s.each, true
		}
		if !known {
			return join(path, name), "unknown member"
		}
		if field, reason := inner.check(join(path, name), v[name]); reason != "" {
			return field, reason
		}
	}
	return "", ""
}

func (s shape) list(path string, v []any) (field, reason string) {
	if int64(len(v)) < s.min {
		return path, fmt.Sprintf("at least %d items", s.min)
	}
	for i, item := range v {
		if field, reason := s.each.check(path+"["+strconv.Itoa(i)+"]", item); reason != "" {
			return field, reason
		}
	}
	return "", ""
}
