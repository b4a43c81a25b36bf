// Package seal signs a text with a key that comes from a PIN, and checks that without
// the PIN.
//
// # Why
//
// What a post was commissioned with (which meter, which lines, how much power) must not
// change because somebody edits a file, or copies one from another post. So whoever
// commissions it signs these keys. The loader needs only the public half of the key,
// which stands beside the signature, so no secret lies on the post.
//
// What this is good for: a change by mistake, by a script, or by somebody who does not
// know the PIN and goes by the rules, is found at the next start, and not by a driver.
// What it is not good for: somebody with all rights on the machine can take the section
// out, seal anew with a PIN of their own, or put another program in the place of this
// one. The first two are seen, because the post remembers the key it was sealed with;
// the third is not. And a PIN can be guessed by whoever has the file and its salt: a
// short one of digits in days by an ordinary computer, in minutes by a fast one. The
// salt is therefore never shown, and a PIN has at least six characters; a sentence is
// better than digits.
//
// Ed25519 and PBKDF2, as both are in the standard library and neither needs care.
package seal

import (
	"crypto/ed25519"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Chosen by us.
const (
	rounds   = 600_000 // of PBKDF2 (OWASP password storage, 2023): some seconds on the smallest post, and a person waits for it twice a year
	saltSize = 16      // bytes
	leastPIN = 6       // characters
	mostPIN  = 128     // characters: nobody types more
)

// Seal is a signature and all that is needed to check it. Bytes are written in base64,
// without padding.
type Seal struct {
	At   string // when, RFC 3339
	By   string // who, as they say
	Salt string // that a PIN needs to become the key
	Key  string // public half
	Sig  string
}

// ErrPIN says that a PIN is not the one that was sealed with.
var ErrPIN = errors.New("this is not the PIN that the section was sealed with")

// Make seals a text.
func Make(pin, by string, at time.Time, text string) (Seal, error) {
	if n := utf8.RuneCountInString(pin); n < leastPIN || n > mostPIN {
		return Seal{}, fmt.Errorf("the PIN has %d characters: want %d to %d", n, leastPIN, mostPIN)
	}
	salt := make([]byte, saltSize)
	rand.Read(salt) //nolint:errcheck // never fails (Go 1.24)
	key, err := keyOf(pin, salt)
	if err != nil {
		return Seal{}, err
	}
	s := Seal{By: by, Salt: encode(salt), Key: encode(key.Public().(ed25519.PublicKey))}
	return s.signed(key, at, text), nil
}

// Again seals another text with the same PIN, so that the key stays the same. The error
// wraps ErrPIN.
func (s Seal) Again(pin string, at time.Time, text string) (Seal, error) {
	key, err := s.open(pin)
	if err != nil {
		return Seal{}, err
	}
	return s.signed(key, at, text), nil
}

// Opens says with an error that a PIN is another than that of the seal. It wraps ErrPIN.
func (s Seal) Opens(pin string) error {
	_, err := s.open(pin)
	return err
}

// Holds says whether the seal is one of this text.
func (s Seal) Holds(text string) bool {
	key, err := decode(s.Key)
	sig, err2 := decode(s.Sig)
	return err == nil && err2 == nil && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, s.message(text), sig)
}

func (s Seal) open(pin string) (ed25519.PrivateKey, error) {
	salt, err := decode(s.Salt)
	if err != nil {
		return nil, fmt.Errorf("the salt of the seal: %w", err)
	}
	key, err := keyOf(pin, salt)
	if err != nil {
		return nil, err
	}
	if encode(key.Public().(ed25519.PublicKey)) != s.Key {
		return nil, ErrPIN
	}
	return key, nil
}

func (s Seal) signed(key ed25519.PrivateKey, at time.Time, text string) Seal {
	s.At = at.UTC().Format(time.RFC3339)
	s.Sig = encode(ed25519.Sign(key, s.message(text)))
	return s
}

// message is what is signed: who, when and what, so that none of them can be another.
func (s Seal) message(text string) []byte {
	return fmt.Appendf(nil, "stolpe commissioning 1\n%q\n%q\n%s", s.At, s.By, text)
}

func keyOf(pin string, salt []byte) (ed25519.PrivateKey, error) {
	seed, err := pbkdf2.Key(sha256.New, pin, salt, rounds, ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("a key from the PIN: %w", err)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func decode(s string) ([]byte, error) { return base64.RawURLEncoding.Strict().DecodeString(s) }
