package envelope

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
)

// Key seals what a post and the gateways say to each other. A post has a key of
// its own; gateways have the master key that all of them are made of. It prints
// as stars.
type Key [32]byte

// ErrSeal says that a message was not sealed with this key for this topic, or
// has been changed since.
var ErrSeal = errors.New("the seal does not fit")

const stars = "********"

// keyLabel keeps keys of posts apart from whatever else may be made of a master
// key one day.
const keyLabel = "stolpe relay 1\n"

// ParseKey reads a key of 64 hex digits. The error does not repeat them.
func ParseKey(digits string) (Key, error) {
	var k Key
	if len(digits) != hex.EncodedLen(len(k)) {
		return Key{}, fmt.Errorf("read key: %d characters where a key has %d hex digits", len(digits), hex.EncodedLen(len(k)))
	}
	if _, err := hex.Decode(k[:], []byte(digits)); err != nil {
		return Key{}, errors.New("read key: there is a character that is no hex digit")
	}
	if k == (Key{}) {
		return Key{}, errors.New("read key: a key of nothing but zeros is none")
	}
	return k, nil
}

// Of makes the key of a post out of the master key.
func (k Key) Of(tenant, post string) Key {
	return Key(k.sum([]byte(keyLabel + tenant + "\n" + post)))
}

// Seal gives the payload under which text may be published on the topic: text, a
// newline, and what proves both. The text stays readable.
func (k Key) Seal(topic string, text []byte) []byte {
	out := make([]byte, 0, len(text)+1+base64.RawURLEncoding.EncodedLen(sha256.Size))
	out = append(append(out, text...), '\n')
	return base64.RawURLEncoding.AppendEncode(out, k.mark(topic, text))
}

// Open gives the text of a payload that was published on the topic, or ErrSeal.
// The seal says who wrote the text, not when: old messages open as well.
func (k Key) Open(topic string, payload []byte) ([]byte, error) {
	end := bytes.LastIndexByte(payload, '\n')
	if end < 0 {
		return nil, ErrSeal
	}
	text, seal := payload[:end], payload[end+1:]
	// Compared as written, so that one text on one topic has one payload only.
	want := base64.RawURLEncoding.AppendEncode(nil, k.mark(topic, text))
	if !hmac.Equal(seal, want) {
		return nil, ErrSeal
	}
	return text, nil
}

func (k Key) mark(topic string, text []byte) []byte {
	return k.sum([]byte(topic+"\n"), text)
}

func (k Key) sum(parts ...[]byte) []byte {
	h := hmac.New(sha256.New, k[:])
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

// Format prints stars, whatever the verb.
func (k Key) Format(s fmt.State, _ rune) { fmt.Fprint(s, stars) }

// LogValue keeps the key out of logs.
func (k Key) LogValue() slog.Value { return slog.StringValue(stars) }

// MarshalText keeps the key out of whatever is written as text.
func (k Key) MarshalText() ([]byte, error) { return []byte(stars), nil }

// Hex writes the key out, for the one configuration that is to have it.
func (k Key) Hex() string { return hex.EncodeToString(k[:]) }
