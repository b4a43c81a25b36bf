package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"stolpe/agent/config/seal"
	"stolpe/agent/config/strict"
	"stolpe/agent/config/strict/legal"
)

// Commissioning is the seal on what a post was commissioned with; zero for none.
type Commissioning struct {
	SealedAt        string `mapstructure:"sealed_at"` // RFC 3339
	By              string
	Salt, Key, Seal string // see package seal
}

func commissioningKeys() strict.Key {
	base64 := func(length int) func(string) bool {
		return func(s string) bool { return len(s) == length && legal.Only(s, "-_") }
	}
	const made = " Written by `stolpe config seal`."
	return strict.Key{Name: "commissioning", Kind: strict.Section, Unset: "nothing is sealed", Doc: "The seal on what the post was commissioned with: `post.id`, `meters_dir`, and of each EVSE `id`, `meter`, `contactor`, `inputs` and `max_power_w`. If one of them has been changed without the PIN, the file is refused.", Keys: []strict.Key{
		{Name: "sealed_at", Kind: strict.Text, Need: true, Want: `a time such as "2026-11-20T10:00:00Z"`, Legal: func(s string) bool { _, err := time.Parse(time.RFC3339, s); return err == nil },
			Doc: "When it was sealed." + made},
		{Name: "by", Kind: strict.Text, Need: true, Want: someText(maxName), Legal: legal.Shorter(maxName), Doc: "Who sealed it, as they said." + made},
		{Name: "salt", Kind: strict.Text, Need: true, Quiet: true, Want: "22 characters, as stolpe config seal writes them", Legal: base64(22), Doc: "What a PIN needs to become the key; never shown, as PINs can be guessed with it." + made},
		{Name: "key", Kind: strict.Text, Need: true, Want: "43 characters, as stolpe config seal writes them", Legal: publicKey, Doc: "Public half of the key." + made},
		{Name: "seal", Kind: strict.Text, Need: true, Quiet: true, Want: "86 characters, as stolpe config seal writes them", Legal: base64(86), Doc: "Signature." + made},
	}}
}

// Sealed says whether a key, or a section, is or holds one that a seal is on.
func Sealed(key string) bool {
	if key == "post" || key == "post.id" || key == "meters_dir" || key == "evses" || key == "commissioning" || strings.HasPrefix(key, "commissioning.") {
		return true
	}
	entry, is := strings.CutPrefix(key, "evses[")
	_, name, inside := strings.Cut(entry, "].")
	if !is || !inside {
		return is
	}
	name, _, _ = strings.Cut(name, ".")
	return slices.Contains([]string{"id", "meter", "contactor", "inputs", "max_power_w"}, name)
}

// sealedText is what is signed: what stands in the file at the sealed keys. It is not
// what holds by default, so that a later version may have more keys.
// The folder of register maps is among them, as a map in it takes the place of one of the
// same name.
func sealedText(said map[string]string) string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(said)) {
		if Sealed(key) && !strings.HasPrefix(key, "commissioning") {
			fmt.Fprintf(&b, "%s=%q\n", key, said[key])
		}
	}
	return b.String()
}

// on is the seal as package seal has it.
func (c Commissioning) on() seal.Seal {
	return seal.Seal{At: c.SealedAt, By: c.By, Salt: c.Salt, Key: c.Key, Sig: c.Seal}
}

// Opens says with an error that a PIN is not that of the seal.
func (c Commissioning) Opens(pin string) error { return c.on().Opens(pin) }

// checkSeal compares what is sealed with its seal.
func (r *reader) checkSeal(f *file, data []byte) {
	if f.Commissioning == (Commissioning{}) || !r.Fine("commissioning.sealed_at", "commissioning.by", "commissioning.salt", "commissioning.key", "commissioning.seal") {
		return
	}
	said, err := schema().Said(data)
	if err == nil && !f.Commissioning.on().Holds(sealedText(said)) {
		r.Fail("commissioning.seal", "the seal of something else: post.id, meters_dir, or a meter, contactor, input or max_power_w of an EVSE, has been changed since "+f.Commissioning.By+" sealed it",
			"what was sealed (the version before may have it); or, once somebody has looked at the post, a new seal: stolpe config seal")
	}
}

// Resealed gives a text with a new seal of the same PIN.
func (c Commissioning) resealed(text []byte, pin string, now time.Time) ([]byte, error) {
	said, err := schema().Said(text)
	if err != nil {
		return nil, err
	}
	s, err := c.on().Again(pin, now, sealedText(said))
	if err != nil {
		return nil, err
	}
	return strict.Edit(text, sectionOf(s))
}

// Seal gives a text with a seal of a PIN, in the place of any that it has.
func Seal(text []byte, pin, by string, now time.Time) ([]byte, error) {
	said, err := schema().Said(text)
	if err != nil {
		return nil, err
	}
	s, err := seal.Make(pin, by, now, sealedText(said))
	if err != nil {
		return nil, err
	}
	return strict.Edit(text, sectionOf(s))
}

// sectionOf is a seal as it stands in the file.
func sectionOf(s seal.Seal) map[string]any {
	return map[string]any{
		"commissioning.sealed_at": s.At, "commissioning.by": s.By, "commissioning.salt": s.Salt, "commissioning.key": s.Key, "commissioning.seal": s.Sig,
	}
}
