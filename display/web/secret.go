package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"stolpe/payment"
)

// A secret is 128 bits in base32, in lower case so that it cannot be taken for
// the code of a post, which stands in capitals.
const (
	secretBytes = 16
	secretChars = 26
)

// label keeps the hashes of session secrets apart from any other use of SHA-256
// in this product. It can never change: running charges are known by it.
const label = "stolpe session page\x00"

var letters = base32.StdEncoding.WithPadding(base32.NoPadding)

func newSecret() string {
	var b [secretBytes]byte
	rand.Read(b[:]) // cannot fail: crypto/rand ends the program instead
	return strings.ToLower(letters.EncodeToString(b[:]))
}

// Session begins the page of a charge that no page has asked for: it gives the address of
// that page below those of the pages, and the holder that it belongs to. Whoever knows the
// address may see the charge and stop it, so it is told to the payment service alone,
// which leads the payer there.
func Session(pages, code string) (address string, h payment.Holder) {
	secret := newSecret()
	h, _ = holderOf(secret)
	return pages + place{code: code}.of(secret).path(), h
}

// holderOf gives the holder a secret makes, and false for anything newSecret
// cannot have written.
func holderOf(secret string) (payment.Holder, bool) {
	var h payment.Holder
	if len(secret) != secretChars || strings.ToLower(secret) != secret {
		return h, false
	}
	b, err := letters.DecodeString(strings.ToUpper(secret))
	if err != nil || strings.ToLower(letters.EncodeToString(b)) != secret {
		return h, false // the last letter has two bits too many, which must be 0
	}
	sum := sha256.Sum256([]byte(label + secret))
	copy(h[:], sum[:])
	return h, true
}
