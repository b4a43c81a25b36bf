package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"stolpe/display"
)

// codeDigits is the length of a stop code.
const codeDigits = 4

// claim is what whoever has lost the page of the charge under way is asked for. Key
// is a fresh secret: who knows the stop code gets a page of his own, and the first
// page goes on as it was.
type claim struct {
	Key string
	Bad bool // what was typed is no stop code at all
}

// claim gives whoever knows the stop code a page of the charge under way.
func (p *pages) claim(w http.ResponseWriter, r *http.Request, at place, post display.Post, form url.Values) {
	secret, session, holder, ok := p.begin(w, r, at, post, form.Get("key"), claims)
	if !ok {
		return
	}
	digits, ok := parseCode(form.Get("digits"))
	if !ok {
		s := p.land(at, post)
		s.retry(secret, true)
		p.show(w, r, http.StatusBadRequest, s)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), maxReach)
	defer cancel()
	if err := p.posts.Claim(ctx, at.code, digits, holder); err != nil {
		p.unclaimed(w, r, at, post, secret, err)
		return
	}
	p.log.Info("claim taken", "post", at.code)
	http.Redirect(w, r, session, http.StatusSeeOther)
}

// unclaimed tells why a stop code opens nothing.
func (p *pages) unclaimed(w http.ResponseWriter, r *http.Request, at place, post display.Post, secret string, err error) {
	status, t := claimTrouble(err)
	p.log.Info("claim refused", "post", at.code, "trouble", t.String(), "err", err)
	s := p.land(at, post)
	if t != display.CodeLocked {
		s.retry(secret, t == display.WrongCode)
	} else {
		s.Claim = nil
		w.Header().Set("Retry-After", "600") // s, as the sentence says
	}
	var wrong display.CodeError
	errors.As(err, &wrong)
	s.advise(t, "left", strconv.Itoa(wrong.Left))
	p.show(w, r, status, s)
}

// claimTrouble says what to tell whoever gave a stop code, and with which status. An
// error nobody named is treated as a post that did not answer.
func claimTrouble(err error) (int, display.Trouble) {
	switch {
	case errors.As(err, new(display.CodeError)):
		return http.StatusForbidden, display.WrongCode
	case errors.Is(err, display.ErrLocked):
		return http.StatusTooManyRequests, display.CodeLocked
	case errors.Is(err, display.ErrOver):
		return http.StatusConflict, display.NobodyHere
	}
	return http.StatusServiceUnavailable, display.StopUnheard
}

// retry asks for the stop code again, where a charge is still under way.
func (s *sheet) retry(secret string, bad bool) {
	if s.Claim != nil {
		s.Claim = &claim{Key: secret, Bad: bad}
	}
}

// parseCode reads a stop code as people type it. What cannot be one costs no try.
func parseCode(typed string) (string, bool) {
	if len(typed) > maxTyped {
		return "", false
	}
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \u00a0\t-.", r) {
			return -1
		}
		return r
	}, typed)
	if len(digits) != codeDigits || strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' }) {
		return "", false
	}
	return digits, true
}
