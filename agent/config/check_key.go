package config

import (
	"fmt"
	"strconv"
	"strings"

	"stolpe/agent/config/strict"
	"stolpe/agent/config/strict/legal"
)

// plainValue says whether YAML takes a value without quotes for what it is.
func plainValue(s string) bool {
	return s != "" && s[0] != '.' && legal.Only(s, ".")
}

// CheckKey says what is wrong with one value for a key by itself, whatever the rest of a
// file says: an Errors, or nil. The key is written as in the reference, with [] after
// lists; several values have commas between them. It is for whoever asks a person before
// there is a file.
func CheckKey(key, value string) error {
	var found *strict.Key
	schema().Walk(func(path string, k strict.Key) {
		if path == key {
			found = &k
		}
	})
	if found == nil {
		return fmt.Errorf("config: there is no key %s", key)
	}
	text := strconv.Quote(value)
	switch k := found.Kind; {
	case k == strict.Numbers:
		text = "[" + value + "]"
	case k != strict.Text && k != strict.SecretRef && plainValue(value):
		text = value
	}
	alone := strict.Format{Keys: []strict.Key{*found}, Units: units}
	var into map[string]any
	r, err := alone.Read("answer", strings.NewReader(found.Name+": "+text), &into)
	if err != nil {
		return err
	}
	return r.Err()
}
