package strict

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Find gives the key at a path, of which the numbers of entries are those of a file. Its
// error says which keys there are.
func (f Format) Find(path string) (Key, error) {
	steps, err := stepsOf(path)
	if err != nil {
		return Key{}, err
	}
	k, at := f.top(), ""
	for _, s := range steps {
		switch {
		case s.entry >= 0 && k.Kind == List:
			k, at = Key{Name: k.Name, Kind: Section, Keys: k.Keys}, fmt.Sprintf("%s[%d]", at, s.entry)
			continue
		case s.entry >= 0:
			return Key{}, fmt.Errorf("%s is no list of sections: leave [%d] out", at, s.entry)
		case k.Kind == List:
			return Key{}, fmt.Errorf("%s is a list: say which, as in %s[0].%s", at, at, printable(s.name))
		case k.leaf():
			return Key{}, fmt.Errorf("%s has no keys of its own: leave .%s out", at, printable(s.name))
		}
		below, ok := k.child(s.name)
		if !ok {
			meant := nearest(s.name, k.names())
			r := &Reader{format: f}
			return Key{}, fmt.Errorf("%s: an unknown key; want %s", join(at, printable(s.name)), r.suggest(k, at, s.name, meant))
		}
		k, at = below, join(at, below.Name)
	}
	return k, nil
}

// Value reads what somebody typed as the value of a key, for Edit. Lists are written
// [a, b] or a,b. Whether it is legal is for Read to say.
func (k Key) Value(typed string) (any, error) {
	switch k.Kind {
	case Section, List:
		return nil, fmt.Errorf("it has keys of its own, %s: set these", strings.Join(k.names(), ", "))
	case Number:
		if _, err := strconv.Atoi(typed); err != nil {
			return nil, fmt.Errorf("want a whole number, %s", k.allowed())
		}
		return json.Number(typed), nil
	case Flag:
		if typed != "true" && typed != "false" {
			return nil, fmt.Errorf("want true or false")
		}
		return typed == "true", nil
	case Numbers, Texts, SecretRefs:
		typed = strings.TrimSpace(typed)
		if inside, ok := strings.CutPrefix(typed, "["); ok {
			typed = strings.TrimSuffix(inside, "]")
		}
		var all []any
		for _, one := range strings.Split(typed, ",") {
			v, err := k.one().Value(strings.Trim(strings.TrimSpace(one), `"'`))
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
		return all, nil
	}
	return typed, nil
}
