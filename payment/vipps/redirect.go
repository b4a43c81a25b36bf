package vipps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"stolpe/payment"
)

// Fixed by the QR API's description (1.0).
const (
	codesPath = "/qr/v1/merchant-redirect"
	maxCodeID = 128 // characters
)

// Chosen by us.
const (
	pictureSize = 1024    // pixels a side of a PNG; up to 2000 are to be had
	maxCodes    = 1 << 20 // bytes of the list of codes: some 4000
)

var (
	codeIDPattern = regexp.MustCompile(`^[-_+%æøåÆØÅ\w\s]*$`)
	targetPattern = regexp.MustCompile(`^https:\/\/[\w\.]+([\w#!:.?+=&%@\-\/]+)?$`)
)

// Picture is a form in which a code can be had.
type Picture uint8

// The forms.
const (
	Text Picture = iota // the text in the code, for whoever draws it elsewhere
	SVG
	PNG
	pictures
)

// accept is what asks for the form, and what a picture in it calls itself.
func (p Picture) accept() string {
	return [pictures]string{"text/targetUrl", "image/svg+xml", "image/png"}[p]
}

// ErrNoCode is what Code and Retarget wrap when the service has none with that id.
var ErrNoCode = errors.New("no such code")

// Code is a merchant redirect code: what is printed stays, where it leads can be
// changed. Only codes of the service open in the app's own scanner.
type Code struct {
	ID      string
	Target  string        // the page it leads to
	URL     string        // where the picture is, or with Text the text in the code; may change
	Picture Picture       // what URL is
	Expires time.Duration // how much longer it works; below 0: for ever
}

// codeBody is a code in the API's words.
type codeBody struct {
	ID      string `json:"id"`
	URL     string `json:"url"`
	Target  string `json:"redirectUrl"`
	Seconds *int64 `json:"expiresIn"`
}

// newCodeBody and targetBody are what we send.
type (
	newCodeBody struct {
		ID     string `json:"id"`
		Target string `json:"redirectUrl"`
	}
	targetBody struct {
		Target string `json:"redirectUrl"`
	}
)

// Codes lists the codes of the sales unit, with their texts.
func (c *Client) Codes(ctx context.Context) ([]Code, error) {
	var codes []Code
	err := c.alone(ctx, call{op: codeCall, path: codesPath, accept: Text.accept(), most: maxCodes, take: func(body []byte) error {
		var list []codeBody
		if err := json.Unmarshal(body, &list); err != nil {
			return err
		}
		if list == nil {
			return errors.New("null instead of a list")
		}
		for _, b := range list {
			codes = append(codes, b.code(Text))
		}
		return nil
	}})
	return codes, err
}

// Code gets one code. Ask for it again before drawing it: URL may have changed.
func (c *Client) Code(ctx context.Context, id string, p Picture) (Code, error) {
	code, err := c.code(ctx, id, "", p, call{path: codePath(id)})
	return code, gone(err)
}

// AddCode makes a code that leads to the target, for ever. If there is one with
// this id and target already, that is the one: adding may be repeated.
func (c *Client) AddCode(ctx context.Context, id, target string, p Picture) (Code, error) {
	code, err := c.code(ctx, id, target, p, call{path: codesPath, body: newCodeBody{id, target}})
	var fail *failure
	if !errors.As(err, &fail) || fail.http != http.StatusConflict {
		return code, err
	}
	there, err := c.Code(ctx, id, p)
	if err == nil && !samePage(there.Target, target) {
		return Code{}, fmt.Errorf("vipps: code %q exists and leads to %q: retarget it, or choose another id", id, there.Target)
	}
	return there, err
}

// Retarget makes a code lead to another page, on every print of it, at once.
func (c *Client) Retarget(ctx context.Context, id, target string) (Code, error) {
	code, err := c.code(ctx, id, target, Text, call{method: http.MethodPut, path: codePath(id), body: targetBody{target}})
	return code, gone(err)
}

// DropCode deletes a code. Its prints lead nowhere from then on.
func (c *Client) DropCode(ctx context.Context, id string) error {
	if err := fitCode(id); err != nil {
		return fmt.Errorf("vipps: %w", err)
	}
	return c.alone(ctx, call{op: codeCall, what: strconv.Quote(id), method: http.MethodDelete, path: codePath(id)})
}

// code makes a call that is answered with a code: this one, and leading to the
// target if there is one.
func (c *Client) code(ctx context.Context, id, target string, p Picture, q call) (Code, error) {
	if err := errors.Join(fitCode(id), fitTarget(target, q.body != nil), fitPicture(p)); err != nil {
		return Code{}, fmt.Errorf("vipps: %w", err)
	}
	var code Code
	q.op, q.what, q.accept = codeCall, strconv.Quote(id), p.accept()
	if p == PNG {
		q.header = map[string]string{"Size": strconv.Itoa(pictureSize)}
	}
	q.take = func(body []byte) error {
		var b codeBody
		err := json.Unmarshal(body, &b)
		switch {
		case err != nil:
			return err
		case b.ID != id:
			return errors.New("answer is about another code")
		case target != "" && !samePage(b.Target, target):
			return errors.New("the code leads elsewhere")
		case !c.fitPictureURL(b.URL):
			return errors.New("no https address of the code")
		}
		code = b.code(p)
		return nil
	}
	err := c.alone(ctx, q)
	return code, err
}

// gone says of an error that there is no such code, if the service said so: the
// page of a proxy, or a token that was not found, says nothing about a code.
func gone(err error) error {
	var fail *failure
	if errors.As(err, &fail) && fail.http == http.StatusNotFound && fail.status == payment.Refused {
		return fmt.Errorf("%w: %w", err, ErrNoCode)
	}
	return err
}

func (b codeBody) code(p Picture) Code {
	code := Code{ID: b.ID, Target: b.Target, URL: b.URL, Picture: p, Expires: -1}
	if b.Seconds != nil && *b.Seconds >= 0 {
		code.Expires = time.Duration(min(*b.Seconds, 1<<31)) * time.Second // ttl has 31 bits
	}
	return code
}

// samePage says whether two targets are one: a slash at the end may come or go.
func samePage(a, b string) bool { return strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/") }

// codePath is where a code is. It is escaped: an id may have spaces and percent
// signs.
func codePath(id string) string { return codesPath + "/" + url.PathEscape(id) }

func fitCode(id string) error {
	n := utf8.RuneCountInString(id)
	if n < 1 || n > maxCodeID || !utf8.ValidString(id) || !codeIDPattern.MatchString(id) || strings.TrimSpace(id) == "" {
		return fmt.Errorf("code %q: has %d characters: want 1 to %d letters, digits, spaces, and - _ + %%", id, n, maxCodeID)
	}
	return nil
}

// fitTarget says why a code cannot lead there. The API takes fewer characters
// than addresses have, and no host that begins with a hyphen.
func fitTarget(target string, due bool) error {
	if !due {
		return nil
	}
	u, err := url.Parse(target)
	switch {
	case len(target) > maxReturn:
		return fmt.Errorf("target of %d characters: want at most %d", len(target), maxReturn)
	case !strings.HasPrefix(target, "https://"):
		return fmt.Errorf("target %q: want an address that begins with https://", target)
	case !targetPattern.MatchString(target):
		return fmt.Errorf("target %q: want only letters, digits, and . # ! : ? + = & %% @ - / in it", target)
	case err != nil || u.User != nil:
		return fmt.Errorf("target %q: want the address of a page, as in https://lad.example.no/A12-1", target)
	}
	return nil
}

func fitPicture(p Picture) error {
	if p >= pictures {
		return fmt.Errorf("picture %d is not known", p)
	}
	return nil
}
