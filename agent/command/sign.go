package command

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// Key is one that a post takes commands of.
type Key struct {
	Name   string // the issuer of its commands
	Role   Role
	Public ed25519.PublicKey
}

// ErrSignature says that a command was not signed with the key, or not for the topic,
// or has been changed since.
var ErrSignature = errors.New("the signature does not fit")

// label keeps signatures of commands apart from whatever else a key may sign.
const label = "stolpe command 1\n"

// signed is what a signature is made of.
func signed(topic string, text []byte) []byte {
	return append([]byte(label+topic+"\n"), text...)
}

// Sign gives the payload under which a command is published on the topic: its text, a
// line's end, and the signature.
func Sign(private ed25519.PrivateKey, topic string, c Command) ([]byte, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("command %s: %w", c.Name, err)
	}
	if _, err := read(text); err != nil {
		return nil, fmt.Errorf("command %s: %w", c.Name, err)
	}
	mark := ed25519.Sign(private, signed(topic, text))
	out := base64.RawURLEncoding.AppendEncode(append(text, '\n'), mark)
	if len(out) > Largest {
		return nil, fmt.Errorf("command %s: has %d bytes, at most %d are taken", c.Name, len(out), Largest)
	}
	return out, nil
}

// Verify gives the text of a payload that was published on the topic, or ErrSignature.
func Verify(public ed25519.PublicKey, topic string, payload []byte) ([]byte, error) {
	text, mark := split(payload)
	if len(public) != ed25519.PublicKeySize || !ed25519.Verify(public, signed(topic, text), mark) {
		return nil, ErrSignature
	}
	return text, nil
}

// split takes a payload apart. Mark is nil when there is no signature in it, written as
// Sign writes it.
func split(payload []byte) (text, mark []byte) {
	end := bytes.LastIndexByte(payload, '\n')
	if end < 0 {
		return payload, nil
	}
	text, tail := payload[:end], payload[end+1:]
	if len(tail) != base64.RawURLEncoding.EncodedLen(ed25519.SignatureSize) {
		return text, nil
	}
	mark, err := base64.RawURLEncoding.Strict().AppendDecode(nil, tail)
	if err != nil {
		return text, nil
	}
	return text, mark
}

// ParsePublic reads a public key as Public writes it.
func ParsePublic(text string) (ed25519.PublicKey, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != ed25519.PublicKeySize || Public(b) != text {
		return nil, fmt.Errorf("public key: want %d characters as stolpe fleet keygen prints them", base64.RawURLEncoding.EncodedLen(ed25519.PublicKeySize))
	}
	return b, nil
}

// Public writes a public key for a configuration.
func Public(k ed25519.PublicKey) string { return base64.RawURLEncoding.EncodeToString(k) }
