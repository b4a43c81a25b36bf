package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"stolpe/agent/config/strict"
)

// afar are the keys, and sections, that may be set by whoever does not stand at the
// post. What switches or measures, whatever could let energy flow unpaid, and who may
// command the post, are not among them: a contactor that is said to close on low would
// close on an order to open, and one that never rests welds. A key that is new is not
// among them either, until somebody has thought about it.
func afar() []string {
	return []string{
		"post.name", "post.timezone", "post.helpdesk", "seller", "price", "reserve", "payment.push_message", "payment.receipts",
		"mqtt", "telemetry", "web.brand.name", "web.brand.colour", "web.terms_url",
		"limits.approve", "limits.plug_in", "limits.no_energy", "limits.car_full", "limits.longest",
	}
}

// mayAfar says whether a key is among them.
func mayAfar(key string) bool {
	return slices.ContainsFunc(afar(), func(may string) bool {
		return key == may || strings.HasPrefix(key, may+".")
	})
}

// Edit is a file as it stands, and a text that may take its place: it is legal.
type Edit struct {
	Changes  []edited          // what becomes of the keys that were named
	Said     map[string]string // the new text by key, with secrets left out
	Config   Config            // what it means; its Sum is the name of the edit
	Old, New []byte
}

// edited is what becomes of one key.
type edited struct {
	Key  string `json:"key"`
	From string `json:"from"`
	To   string `json:"to"`
}

// maxSet is how many keys one edit may set. Chosen by us: a page full.
const maxSet = 40

// Plan makes the text that a file has with other values for some keys, and checks it.
// Only keys are set that may be from afar; values are as strict.Edit takes them. What the
// new text gets wrong comes as Errors. Without any keys it is the file as it stands.
func Plan(file string, set map[string]any) (Edit, error) {
	if len(set) > maxSet {
		return Edit{}, fmt.Errorf("%d keys are to be set, at most %d at a time", len(set), maxSet)
	}
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if !mayAfar(key) {
			return Edit{}, fmt.Errorf("%.60q is not set from afar: that is for somebody at the post; from there go %s", key, strings.Join(afar(), ", "))
		}
	}
	f, err := strict.Open(file)
	if err != nil {
		return Edit{}, err
	}
	defer f.Close()
	e := Edit{}
	if e.Old, err = io.ReadAll(io.LimitReader(f, maxText+1)); err != nil {
		return Edit{}, fmt.Errorf("config: %w", err)
	}
	if e.New, err = strict.Edit(e.Old, set); err != nil {
		return Edit{}, err
	}
	if e.Config, err = Parse(file, bytes.NewReader(e.New), System); err != nil {
		return Edit{}, err
	}
	return e, e.compare(slices.Sorted(maps.Keys(set)))
}

// maxText is the largest file that is edited, in bytes; one more is too large to be read.
const maxText = 256 << 10

// compare fills in what can be told of an edit of some keys.
func (e *Edit) compare(keys []string) error {
	was, err := schema().Said(e.Old)
	is, err2 := schema().Said(e.New)
	e.Said = is
	for _, key := range keys {
		if from, to := saidAt(was, key), saidAt(is, key); from != to || !bytes.Equal(e.Old, e.New) {
			e.Changes = append(e.Changes, edited{key, from, to})
		}
	}
	return errors.Join(err, err2)
}

func saidAt(said map[string]string, key string) string {
	if v, ok := said[key]; ok {
		return v
	}
	return "(left out)"
}
