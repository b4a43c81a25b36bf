package vipps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// Chosen by us, after the practice of the service's own kits.
const (
	refreshShare = 10              // a token is renewed when a tenth of its life is left,
	refreshAhead = time.Minute     // or this long before its end, whichever comes first
	maxLife      = 24 * time.Hour  // of a token; the longest the service gives
	tokenPause   = 1 * time.Second // nobody tries again so soon after a failed fetch
	maxToken     = 16 << 10        // bytes; a JWT has one or two thousand
	tokenPath    = "/accesstoken/get"
)

// grant is a token and how long it lasts, by the clock that never jumps: the
// times come from time.Now and carry its monotonic reading.
type grant struct {
	token   string
	refresh time.Time // renew it from here on
	end     time.Time
}

// granted is a token with this life, asked for at this time.
func granted(token string, asked time.Time, life time.Duration) grant {
	ahead := min(max(life/refreshShare, refreshAhead), life/2)
	return grant{token, asked.Add(life - ahead), asked.Add(life)}
}

// tokens keeps the token. One caller at a time fetches; the others go on with
// the token there is, and wait only when there is none. The lock is never held
// while anybody waits.
type tokens struct {
	fetch func(context.Context) (grant, *failure)

	mu     sync.Mutex
	held   grant         // zero without a token
	failed *failure      // how the last fetch failed; told to everybody until pause
	pause  time.Time     // no fetch before this
	flight chan struct{} // closed when the fetch under way has ended; nil if there is none
}

// get gives a token that has not ended.
func (t *tokens) get(ctx context.Context) (string, *failure) {
	for ctx.Err() == nil {
		token, failed, flight, lead := t.claim()
		switch {
		case token != "" || failed != nil:
			return token, failed
		case lead:
			g, failed := t.fetch(ctx)
			t.land(g, failed, ctx.Err() != nil)
		default:
			select {
			case <-flight:
			case <-ctx.Done():
			}
		}
	}
	return "", &failure{what: "token", verdict: judge(getToken, 0, problem{}), cause: context.Cause(ctx)}
}

// claim gives the token, or why there is none, or the fetch to wait for, or the
// duty to fetch.
func (t *tokens) claim() (token string, failed *failure, flight chan struct{}, lead bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	usable, paused := now.Before(t.held.end), now.Before(t.pause)
	switch {
	case usable && (now.Before(t.held.refresh) || paused || t.flight != nil):
		return t.held.token, nil, nil, false
	case paused:
		return "", t.failed, nil, false
	case t.flight != nil:
		return "", nil, t.flight, false
	}
	t.flight = make(chan struct{})
	return "", nil, nil, true
}

// land ends a fetch. If the one who fetched had given up, that says nothing
// about the service: somebody else tries at once.
func (t *tokens) land(g grant, failed *failure, gaveUp bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.flight)
	t.flight = nil
	switch {
	case failed == nil:
		t.held, t.failed, t.pause = g, nil, time.Time{}
	case !gaveUp:
		t.failed, t.pause = failed, time.Now().Add(max(tokenPause, failed.wait))
	}
}

// drop forgets a token the service does not take, unless it has been replaced
// already.
func (t *tokens) drop(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held.token == token {
		t.held = grant{}
	}
}

// fetchToken asks for a token.
func (c *Client) fetchToken(ctx context.Context) (grant, *failure) {
	g, _, fail := c.askToken(ctx)
	return g, fail
}

// askToken asks for a token: no body, and the keys in headers of their own.
func (c *Client) askToken(ctx context.Context) (grant, reply, *failure) {
	r, err := c.request(ctx, http.MethodPost, tokenPath, nil)
	if err != nil {
		return grant{}, reply{}, c.failed(getToken, "token", reply{}, err)
	}
	r.Header.Set("client_id", c.config.ClientID)
	r.Header.Set("client_secret", c.config.ClientSecret)
	asked := time.Now()
	got, err := roundTrip(c.http, r)
	if err != nil || got.status != http.StatusOK {
		return grant{}, got, c.failed(getToken, "token", got, err)
	}
	token, life, err := decodeToken(got.body)
	if err != nil {
		return grant{}, got, c.failed(getToken, "token", reply{status: got.status}, nonsense(got.body, err))
	}
	return granted(token, asked, life), got, nil
}

var bearerPattern = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`) // RFC 6750, b64token

// decodeToken reads a token and its life. Its errors repeat nothing of the body.
func decodeToken(body []byte) (string, time.Duration, error) {
	var b struct {
		Token   string `json:"access_token"`
		Expires text   `json:"expires_in"`
	}
	if json.Unmarshal(body, &b) != nil {
		return "", 0, errors.New("answer is not a token in JSON")
	}
	if len(b.Token) > maxToken || !bearerPattern.MatchString(b.Token) {
		return "", 0, fmt.Errorf("access_token of %d bytes is not a bearer token", len(b.Token))
	}
	seconds, err := strconv.ParseUint(string(b.Expires), 10, 31)
	if err != nil || seconds == 0 {
		return "", 0, errors.New("expires_in is not a number of seconds")
	}
	return b.Token, min(time.Duration(seconds)*time.Second, maxLife), nil
}
