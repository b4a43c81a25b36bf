package sim

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// maxCodes limits the codes of the sales unit. Chosen by us: a code a post.
const maxCodes = 1 << 14

// code is a merchant redirect code: what is printed leads to the target, wherever
// that is today.
type code struct {
	id     string
	target string
	name   string        // of its picture and of its text, which nobody can guess
	ends   time.Duration // 0: never
	age    uint64        // which code this was, so that lists have an order
}

// The values of Accept, and the pictures behind them.
const (
	acceptAny    = "image/*" // the description does not say which; PNG, as its examples show
	acceptPNG    = "image/png"
	acceptSVG    = "image/svg+xml"
	acceptTarget = "text/targetUrl"

	minSize     = 100  // pixels, description
	maxSize     = 2000 // pixels, description
	defaultSize = 1024 // pixels, the default of one-time codes in ePayment; here none is published
)

// codeBody is how the API tells a code.
type codeBody struct {
	ID        string `json:"id"`
	URL       string `json:"url"` // of its picture, or its text
	Target    string `json:"redirectUrl"`
	ExpiresIn int    `json:"expiresIn"` // seconds; -1 is never
}

// qr answers for merchant redirect codes.
func (t *Till) qr(now time.Duration, in inbound) reply {
	if out, ok := t.drawable(in); !ok {
		return out
	}
	maps.DeleteFunc(t.codes, func(_ string, c *code) bool { return c.ends > 0 && now >= c.ends })
	c := t.codes[in.ref]
	if in.ref != "" && c == nil {
		return t.problem(in, &Problem{Status: http.StatusNotFound, Title: "No code with this id"})
	}
	switch in.method {
	case http.MethodPost:
		return t.addCode(now, in)
	case http.MethodPut:
		return t.retarget(now, in, c)
	case http.MethodDelete:
		delete(t.codes, in.ref)
		return reply{status: http.StatusOK}
	}
	if c != nil {
		return reply{status: http.StatusOK, kind: plainJSON, body: c.told(now, in)}
	}
	list := []codeBody{}
	for _, c := range slices.SortedFunc(maps.Values(t.codes), func(a, b *code) int { return cmp.Compare(a.age, b.age) }) {
		list = append(list, c.told(now, in))
	}
	return reply{status: http.StatusOK, kind: plainJSON, body: list}
}

// drawable checks what sort of picture is wanted; ok is false when the reply
// refuses. A deletion wants none.
func (t *Till) drawable(in inbound) (out reply, ok bool) {
	switch in.header.Get("Accept") {
	case acceptAny, acceptPNG, acceptSVG, acceptTarget:
	case "":
		if in.method != http.MethodDelete {
			return t.invalid(in, "Accept", "required"), false
		}
	default:
		if in.method != http.MethodDelete {
			return t.refusal(in, http.StatusUnsupportedMediaType, "Unsupported media type",
				"Accept: want image/*, image/png, image/svg+xml or text/targetUrl", nil), false
		}
	}
	if text := in.header.Get("Size"); text != "" {
		if n, err := strconv.Atoi(text); err != nil || n < minSize || n > maxSize {
			return t.invalid(in, "Size", "must be 100 to 2000"), false
		}
	}
	return reply{}, true
}

func (t *Till) addCode(now time.Duration, in inbound) reply {
	var b struct {
		ID     *string `json:"id"`
		Target *string `json:"redirectUrl"`
		TTL    *int64  `json:"ttl"` // s
	}
	if out, ok := t.codeSaid(in, t.shapes.code, &b); !ok {
		return out
	}
	switch {
	case b.ID == nil:
		return t.invalid(in, "id", "must not be null")
	case b.Target == nil:
		return t.invalid(in, "redirectUrl", "must not be null")
	case t.codes[*b.ID] != nil:
		return reply{status: http.StatusConflict, kind: plainJSON, body: map[string]string{"id": *b.ID}}
	case len(t.codes) >= maxCodes:
		t.log.Warn("till: too many codes; refused", "limit", maxCodes)
		return t.failed(in)
	}
	t.made++
	c := &code{id: *b.ID, target: *b.Target, name: t.pageToken("code " + strconv.FormatUint(t.made, 10)), age: t.made}
	if b.TTL != nil {
		c.ends = now + time.Duration(*b.TTL)*time.Second
	}
	t.codes[c.id] = c
	return reply{status: http.StatusOK, kind: plainJSON, body: c.told(now, in)}
}

func (t *Till) retarget(now time.Duration, in inbound, c *code) reply {
	var b struct {
		Target string `json:"redirectUrl"`
	}
	if out, ok := t.codeSaid(in, t.shapes.target, &b); !ok {
		return out
	}
	c.target = b.Target
	return reply{status: http.StatusOK, kind: plainJSON, body: c.told(now, in)}
}

// codeSaid reads a body into v; ok is false when the reply refuses it.
func (t *Till) codeSaid(in inbound, want shape, v any) (out reply, ok bool) {
	if !isJSON(in.header) {
		return t.refusal(in, http.StatusUnsupportedMediaType, "Unsupported media type", "Content-Type: must be application/json", nil), false
	}
	if _, field, reason := want.read(in); reason != "" {
		return t.invalid(in, field, reason), false
	}
	if err := json.Unmarshal(in.body, v); err != nil {
		return t.invalid(in, "body", err.Error()), false
	}
	return reply{}, true
}

// told is a code as a request wants it: with a picture, or the text of one.
func (c *code) told(now time.Duration, in inbound) codeBody {
	b := codeBody{ID: c.id, Target: c.target, ExpiresIn: -1}
	if c.ends > 0 {
		b.ExpiresIn = seconds(c.ends - now)
	}
	size, err := strconv.Atoi(in.header.Get("Size"))
	if err != nil {
		size = defaultSize // what is no size was refused
	}
	switch in.header.Get("Accept") {
	case acceptTarget:
		b.URL = in.host + "/scan/" + c.name
	case acceptSVG:
		b.URL = in.host + pictureOf(c.name, ".svg", size)
	default:
		b.URL = in.host + pictureOf(c.name, ".png", size)
	}
	return b
}

// pictureOf is where the picture of a code is.
func pictureOf(name, ending string, size int) string {
	return "/code/" + name + ending + "?size=" + strconv.Itoa(size)
}

// named finds a code by the name in its addresses, as it stands at now; nil for
// none.
func (t *Till) named(now time.Duration, name string) *code {
	for _, c := range t.codes {
		if is(name, c.name) && (c.ends == 0 || now < c.ends) {
			return c
		}
	}
	return nil
}
