package sim

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"stolpe/payment"
)

// created answers create.
type created struct {
	RedirectURL string      `json:"redirectUrl,omitempty"`
	Reference   payment.Ref `json:"reference"`
}

// The user flows that this file tells apart.
const (
	webRedirect = "WEB_REDIRECT"
	pushMessage = "PUSH_MESSAGE"
	byQR        = "QR"
	targetURL   = "TEXT/TARGETURL"
	asPNG       = "IMAGE/PNG" // the third format, IMAGE/SVG+XML, is the default
)

func (t *Till) create(now time.Duration, in inbound) reply {
	body := in.said
	terms, _ := payment.ParseTerms(body.Metadata) // none when the payment is not a charge of ours
	r := Request{
		Key: in.header.Get("Idempotency-Key"), Ref: body.Reference, Amount: body.Amount.Value,
		Currency: body.Amount.Currency, Terms: terms, Digest: body.digest, Refused: body.refused(t.noPush),
	}
	token := t.pageToken(string(r.Ref))
	r.URL = body.way(token)
	f, p := t.book.Create(now, r)
	if p != nil {
		return t.problem(in, p)
	}
	if _, replayed := t.orders[r.Ref]; !replayed {
		t.orders[r.Ref] = order{token, body}
		t.pages[token] = r.Ref
		t.receiptWith(body)
		t.act(now, r.Ref)
	}
	return reply{status: http.StatusCreated, kind: plainJSON, body: created{link(in, f), r.Ref}}
}

// way is where create sends the payer: nowhere with a message to the app, and to
// a picture where the merchant wants one to show.
func (b said) way(token string) string {
	format, size := "", defaultSize
	if b.QRFormat != nil {
		format, size = b.QRFormat.Format, cmp.Or(b.QRFormat.Size, defaultSize)
	}
	switch {
	case b.UserFlow == pushMessage:
		return ""
	case b.UserFlow != byQR || format == targetURL:
		return "/app/" + token
	case format == asPNG:
		return pictureOf(token, ".png", size)
	}
	return pictureOf(token, ".svg", size)
}

// link is where the payer approves, as a full address; empty when there is none.
func link(in inbound, f payment.Found) string {
	if f.URL == "" {
		return ""
	}
	return in.host + f.URL
}

// Limits of metadata, from the description.
const (
	maxPairs = 5
	maxName  = 100 // characters
	maxValue = 500 // characters
)

// refused is the code for what is described, but not for this sales unit or not
// in this combination; noPush says that the sales unit may not send messages.
// Empty for a request that may be granted.
func (b said) refused(noPush bool) string {
	switch {
	case b.PaymentMethod.Type != "WALLET":
		return "4160" // free-standing cards need more than an app
	case len(b.PaymentMethod.BlockedSources) > 0 && b.Amount.Currency == payment.NOK:
		return "5010" // Denmark and Finland only
	case b.UserFlow == webRedirect && b.ReturnURL == "", b.UserFlow == pushMessage && b.Customer == nil:
		return "4140"
	case b.UserFlow == pushMessage && noPush:
		return pushOff
	case b.ReturnURL != "" && !usable(b.ReturnURL), b.ReceiptURL != nil && !usable(*b.ReceiptURL):
		return "4090"
	case b.ExpiresAt != nil && b.Receipt == nil:
		return "6130" // a long-living payment needs a receipt
	case b.ExpiresAt != nil:
		return "5050"
	case b.Profile.Scope != "":
		return "5030"
	case b.Shipping != nil:
		return "5020" // Express
	case len(b.Metadata) > maxPairs:
		return "4100"
	}
	for name, value := range b.Metadata {
		if utf8.RuneCountInString(name) > maxName {
			return "4120"
		}
		if utf8.RuneCountInString(value) > maxValue {
			return "4130"
		}
	}
	return ""
}

// usable says whether the service would send a browser to a URL. The description
// wants https or the scheme of an app. The demonstration's own page is served
// over plain http on loopback, so here http is taken too, but only towards
// loopback. Schemes that mean something to a browser itself are none of an app's.
func usable(address string) bool {
	u, err := url.Parse(address)
	// No user names, and nothing that would end the host in a policy header.
	if err != nil || !u.IsAbs() || u.User != nil || strings.ContainsAny(u.Host, ";,'\"<>*") {
		return false
	}
	switch strings.ToLower(u.Scheme) {
	case "https":
		return u.Host != ""
	case "http":
		host := u.Hostname()
		return host == "localhost" || net.ParseIP(host).IsLoopback()
	}
	return !slices.Contains([]string{"javascript", "data", "vbscript", "file", "blob", "about"}, strings.ToLower(u.Scheme))
}
