package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"stolpe/display"
	"stolpe/payment"
)

// take answers a form.
func (p *pages) take(w http.ResponseWriter, r *http.Request, at place, post display.Post) {
	if at.leaf != whole {
		w.Header().Set("Allow", "GET, HEAD")
		p.refuse(w, r, p.land(at.of(""), post), http.StatusMethodNotAllowed, display.NotUnderstood)
		return
	}
	form, status := p.form(w, r)
	if at.secret != "" {
		p.act(w, r, at, post, form, status)
		return
	}
	if form == nil {
		p.refuse(w, r, p.land(at, post), status, display.NotUnderstood)
		return
	}
	if form.Has("digits") {
		p.claim(w, r, at, post, form)
		return
	}
	p.request(w, r, at, post, form)
}

// form reads a form of ours, or says with which status it was refused.
//
// Our Referrer-Policy makes browsers write the Origin of a form as "null", so
// that word alone says nothing; browsers since 2023 tell the truth in
// Sec-Fetch-Site, which is checked first.
func (p *pages) form(w http.ResponseWriter, r *http.Request) (url.Values, int) {
	if r.Header.Get("Origin") == "null" {
		r.Header.Del("Origin")
	}
	if err := p.origin.Check(r); err != nil {
		return nil, http.StatusForbidden
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, http.StatusRequestEntityTooLarge
		}
		return nil, http.StatusBadRequest
	}
	return r.PostForm, http.StatusOK
}

// refuse shows the page a form came from, with what was wrong.
func (p *pages) refuse(w http.ResponseWriter, r *http.Request, s sheet, status int, t display.Trouble) {
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "60") // s, as the sentence says
	}
	s.advise(t)
	p.show(w, r, status, s)
}

// begin counts a wish for a session of one's own, and gives the secret, the address and
// the holder of that session. It says no when it has answered itself: there were too
// many wishes, or the form came twice.
func (p *pages) begin(w http.ResponseWriter, r *http.Request, at place, post display.Post, key string, k wish) (secret, session string, h payment.Holder, ok bool) {
	if !p.limits.allow(at.code, k, time.Now()) {
		p.refuse(w, r, p.land(at, post), http.StatusTooManyRequests, display.TooMany)
		return "", "", h, false
	}
	secret, h, again := p.open(r.Context(), at.code, key)
	session = at.of(secret).in(at.lang).path()
	if again {
		http.Redirect(w, r, session, http.StatusSeeOther)
	}
	return secret, session, h, !again
}

// request asks the post for a charge and leads to its page.
func (p *pages) request(w http.ResponseWriter, r *http.Request, at place, post display.Post, form url.Values) {
	secret, session, holder, ok := p.begin(w, r, at, post, form.Get("key"), requests)
	if !ok {
		return
	}
	amount, err := strconv.ParseInt(form.Get("amount"), 10, 64)
	seen, err2 := parsePrice(form.Get("seen"))
	if err != nil || err2 != nil {
		p.refuse(w, r, p.land(at, post), http.StatusBadRequest, display.NotUnderstood)
		return
	}
	ask := display.Request{Reserve: payment.Amount(amount), Seen: seen, Holder: holder, Return: p.public + session, Pass: at.pass}
	if !p.number(&ask, at.code, form.Get("phone")) {
		s := p.land(at, post)
		s.keep(amount, secret, form.Get("phone"))
		s.Offer.BadPhone = true
		p.show(w, r, http.StatusBadRequest, s)
		return
	}
	if err := p.ask(r.Context(), at.code, ask); err != nil {
		status, t := troubleOf(err)
		p.log.Info("request refused", "post", at.code, "trouble", t.String(), "err", err)
		if t == display.OldPass {
			at = at.bare() // whatever it was, it is of no use any more
		}
		s := p.land(at, post)
		s.keep(amount, secret, form.Get("phone"))
		if t == display.PriceChanged {
			s.requote(ask.Seen)
		}
		p.refuse(w, r, s, status, t)
		return
	}
	p.log.Info("request taken", "post", at.code, "reserve", ask.Reserve.String())
	http.Redirect(w, r, session, http.StatusSeeOther)
}

// number takes what was typed as a phone number into the wish; false if it is
// none. A post that does not ask for it is not told either.
func (p *pages) number(ask *display.Request, code, typed string) bool {
	if v, ok := p.posts.Public(code); !ok || !v.Push {
		return true
	}
	phone, ok := parsePhone(typed, ask.Seen.Currency)
	if phone != "" {
		ask.Way, ask.Phone = payment.ByPush, phone
	}
	return ok
}

// ask asks the post, unless it is plain from here that it would refuse.
func (p *pages) ask(ctx context.Context, code string, r display.Request) error {
	v, ok := p.posts.Public(code)
	switch {
	case !ok:
		return display.ErrUnreachable
	case v.Pass && r.Pass == "":
		return display.ErrPass
	case r.Seen != v.Price:
		return display.ErrPrice
	case !slices.Contains(offered(v), r.Reserve):
		return display.ErrAmount
	}
	ctx, cancel := context.WithTimeout(ctx, maxReach)
	defer cancel()
	return p.posts.Request(ctx, code, r)
}

// open gives the secret of the session a form begins: the one it carries, or a
// new one if that has been used up. again says that its charge is under way: the
// form came twice.
func (p *pages) open(ctx context.Context, code, key string) (secret string, h payment.Holder, again bool) {
	h, ok := holderOf(key)
	if ok {
		v, known := p.posts.Session(ctx, code, h)
		if !known || v.Charge.End == display.NotEnded {
			return key, h, known
		}
	}
	secret = newSecret()
	h, _ = holderOf(secret)
	return secret, h, false
}

// act does what the holder of a session wants and leads back to its page, which
// tells the truth about what came of it.
func (p *pages) act(w http.ResponseWriter, r *http.Request, at place, post display.Post, form url.Values, status int) {
	v, holder, ok := p.held(r.Context(), at)
	if !ok {
		p.missing(w, r, at, post, v.Silent > 0)
		return
	}
	here := p.drive(at, post, v)
	if form == nil {
		p.refuse(w, r, here, status, display.NotUnderstood)
		return
	}
	act, ok := actOf(form.Get("act"))
	if !ok {
		p.refuse(w, r, here, http.StatusBadRequest, display.NotUnderstood)
		return
	}
	if !p.limits.allow(at.code, acts, time.Now()) {
		p.refuse(w, r, here, http.StatusTooManyRequests, display.TooMany)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), maxReach)
	defer cancel()
	err := p.posts.Act(ctx, at.code, holder, act)
	if err != nil && !errors.Is(err, display.ErrOver) {
		p.log.Warn("act failed", "post", at.code, "act", form.Get("act"), "err", err)
		p.refuse(w, r, here, http.StatusServiceUnavailable, display.StopUnheard)
		return
	}
	p.log.Info("act taken", "post", at.code, "act", form.Get("act"))
	http.Redirect(w, r, at.in(at.lang).path(), http.StatusSeeOther)
}

// actOf knows the acts by the values of our forms.
func actOf(name string) (display.Act, bool) {
	switch name {
	case "stop":
		return display.StopCharge, true
	case "more":
		return display.MoreTime, true
	}
	return 0, false
}

// troubleOf says what to tell a driver whose request was not taken, and with
// which status. An error nobody named is treated as a post that did not answer.
func troubleOf(err error) (int, display.Trouble) {
	switch {
	case errors.Is(err, display.ErrBusy):
		return http.StatusConflict, display.SomeoneFirst
	case errors.Is(err, display.ErrOut):
		return http.StatusConflict, display.OutOfOrder
	case errors.Is(err, display.ErrPrice):
		return http.StatusConflict, display.PriceChanged
	case errors.Is(err, display.ErrPass):
		return http.StatusForbidden, display.OldPass
	case errors.Is(err, display.ErrAmount):
		return http.StatusBadRequest, display.NotUnderstood
	}
	return http.StatusServiceUnavailable, display.Unreachable
}
