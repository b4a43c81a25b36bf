package vipps

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// maxPicture is the largest picture taken, in bytes. Chosen by us: a code of
// 2000 pixels has a tenth of this.
const maxPicture = 512 << 10

// pngHead is what every PNG begins with.
const pngHead = "\x89PNG\r\n\x1a\n"

// Draw fetches the picture of a code, from wherever the service says it is. So
// no key goes there, no redirect is followed, and what comes back is a picture of
// the form asked for, or an error.
func (c *Client) Draw(ctx context.Context, code Code) ([]byte, error) {
	fail := func(status int, err error) error {
		return fmt.Errorf("vipps: %w", &failure{what: fmt.Sprintf("picture of code %q", code.ID), http: status, cause: err})
	}
	switch {
	case code.Picture != SVG && code.Picture != PNG:
		return nil, fail(0, errors.New("this code was asked for as text: get it as SVG or PNG first"))
	case !c.fitPictureURL(code.URL):
		return nil, fail(0, fmt.Errorf("address of %d characters: want an https address of at most %d", len(code.URL), maxReturn))
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, code.URL, nil)
	if err != nil {
		return nil, fail(0, err)
	}
	r.Header.Set("Accept", code.Picture.accept())
	got, err := roundTripUpTo(c.http, r, maxPicture)
	switch kind, _, _ := mime.ParseMediaType(got.header.Get("Content-Type")); {
	case err != nil:
		return nil, fail(got.status, err)
	case got.status != http.StatusOK:
		return nil, fail(got.status, errors.New("want HTTP 200"))
	case kind != code.Picture.accept():
		return nil, fail(got.status, fmt.Errorf("content type %q: want %s", kind, code.Picture.accept()))
	case code.Picture == PNG && !bytes.HasPrefix(got.body, []byte(pngHead)):
		return nil, fail(got.status, errors.New("this is no PNG"))
	case code.Picture == SVG:
		err = checkSVG(got.body)
	}
	if err != nil {
		return nil, fail(got.status, err)
	}
	return got.body, nil
}

// checkSVG takes a drawing that only draws: it goes onto stickers and may be
// opened in a browser.
func checkSVG(body []byte) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	elements := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && elements > 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("this is no SVG: %w", err)
		}
		switch t := token.(type) {
		case xml.Directive:
			if !strings.HasPrefix(string(t), "DOCTYPE svg") || bytes.ContainsRune(t, '[') {
				return errors.New("this SVG has declarations of its own")
			}
		case xml.StartElement:
			if elements++; elements == 1 && t.Name.Local != "svg" {
				return fmt.Errorf("this is %q, no SVG", t.Name.Local)
			}
			if err := checkElement(t); err != nil {
				return err
			}
		}
	}
}

func checkElement(t xml.StartElement) error {
	if name := strings.ToLower(t.Name.Local); name == "script" || name == "foreignobject" {
		return fmt.Errorf("this SVG has a %s in it", name)
	}
	for _, a := range t.Attr {
		name, value := strings.ToLower(a.Name.Local), strings.TrimSpace(a.Value)
		if strings.HasPrefix(name, "on") || name == "href" && !strings.HasPrefix(value, "#") && !strings.HasPrefix(value, "data:image/") {
			return fmt.Errorf("this SVG has a %s in it", name)
		}
	}
	return nil
}

// fitPictureURL says whether a picture, or the page behind a text, may be there:
// https, or http on this machine where the service itself is a simulator on it.
func (c *Client) fitPictureURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || len(s) > maxReturn {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) && loopback(c.base.Hostname())
}
