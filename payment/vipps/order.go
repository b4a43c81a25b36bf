package vipps

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"unicode/utf8"

	"stolpe/payment"
)

var phonePattern = regexp.MustCompile(`^[0-9]{9,15}$`) // schema Customer

// fit says why an order cannot be asked at all: asking it would break a rule of
// the API, or put something into an address that does not belong there.
func (c *Client) fit(o payment.Order) error {
	switch {
	case !o.Ref.Valid():
		return fmt.Errorf("reference %q: want 8 to 64 letters, digits and hyphens", o.Ref)
	case o.Verb > payment.Inform:
		return fmt.Errorf("verb %d is not known", o.Verb)
	case o.Verb == payment.Look:
		return nil
	case o.Verb == payment.Inform:
		return c.fitInform(o)
	case !o.Currency.Known():
		return fmt.Errorf("currency %q: want NOK, DKK or EUR", o.Currency)
	case o.Amount < 0 || o.Amount > payment.MaxAmount:
		return fmt.Errorf("amount %d: want 0 to %d minor units", o.Amount, payment.MaxAmount)
	case o.Verb == payment.Settle:
		return fitKey(o.Key(payment.Capture))
	case o.Amount < o.Currency.Minimum():
		return fmt.Errorf("amount %d: want at least %d minor units of %s", o.Amount, o.Currency.Minimum(), o.Currency)
	case o.Way == payment.ByPush && !phonePattern.MatchString(string(o.Phone)):
		return fmt.Errorf("phone number of %d characters: want country code and number, 9 to 15 digits", len(o.Phone))
	case !c.fitURL(o.Return):
		return fmt.Errorf("return address of %d characters: want an https address of at most %d", len(o.Return), maxReturn)
	}
	return errors.Join(fitTerms(o), checkDescription(c.config.Description(o.Terms)), fitKey(o.Key(payment.Create)))
}

// fitTerms says why the terms would not come back as they are. A payment that
// cannot be known again for ours must not be made.
func fitTerms(o payment.Order) error {
	pairs := o.Terms.Metadata()
	back, err := payment.ParseTerms(pairs)
	if err != nil {
		return fmt.Errorf("terms: %w", err)
	}
	if back != o.Terms || back.Price.Currency != o.Currency {
		return fmt.Errorf("terms: written into the payment and read back they differ, or are not in %s", o.Currency)
	}
	for key, value := range pairs {
		if utf8.RuneCountInString(value) > maxMetadata {
			return fmt.Errorf("terms: %s has more than %d characters", key, maxMetadata)
		}
	}
	return nil
}

func fitKey(key string) error {
	if len(key) > maxKey {
		return fmt.Errorf("idempotency key %q: has %d characters: want at most %d", key, len(key), maxKey)
	}
	return nil
}

// fitURL says whether s is an address a browser may be sent to: https, or http
// where the service itself is a simulator spoken to over http.
func (c *Client) fitURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || len(s) > maxReturn {
		return false
	}
	return u.Scheme == "https" || u.Scheme == c.base.Scheme
}
