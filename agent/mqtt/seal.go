package mqtt

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
)

// Key seals the messages between a post and its gateways. It prints as stars.
type Key [sha256.Size]byte

// String gives stars.
func (Key) String() string { return "***" }

// GoString gives stars, so that %#v tells no more than %v.
func (Key) GoString() string { return "***" }

// ErrSeal is what Open returns for a message that was not sealed with this key for
// this topic.
var ErrSeal = errors.New("the seal is missing or broken")

// ParseKey reads a key as 64 hex digits. Its error repeats nothing of them.
func ParseKey(text string) (k Key, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(k) {
		return Key{}, fmt.Errorf("has %d characters: want %d hex digits", len(text), 2*len(k))
	}
	copy(k[:], b)
	return k, nil
}

// Hex writes the key out, for the one configuration that is to have it.
func (k Key) Hex() string { return hex.EncodeToString(k[:]) }

// Of is the key of a post, made of the master key that the gateways have.
func (k Key) Of(tenant, post string) Key {
	return Key(k.sum("stolpe relay 1\n", tenant, "\n", post))
}

func (k Key) sum(parts ...string) []byte {
	m := hmac.New(sha256.New, k[:])
	for _, p := range parts {
		m.Write([]byte(p)) //nolint:errcheck // a hash takes everything
	}
	return m.Sum(nil)
}

// letters is how a seal is written: without padding, so that nothing of it can be left out.
func letters() *base64.Encoding { return base64.RawURLEncoding.Strict() }

// Seal adds the seal to a text, which has no line end of its own, as JSON has none.
func (k Key) Seal(topic string, text []byte) []byte {
	sealed := make([]byte, 0, len(text)+1+letters().EncodedLen(sha256.Size))
	sealed = append(append(sealed, text...), '\n')
	return letters().AppendEncode(sealed, k.sum(topic, "\n", string(text)))
}

// Open gives the text of a sealed message, or ErrSeal.
func (k Key) Open(topic string, payload []byte) ([]byte, error) {
	i := bytes.LastIndexByte(payload, '\n')
	if i < 0 {
		return nil, ErrSeal
	}
	text := payload[:i]
	seal, err := letters().DecodeString(string(payload[i+1:]))
	if err != nil || !hmac.Equal(seal, k.sum(topic, "\n", string(text))) {
		return nil, ErrSeal
	}
	return text, nil
}
