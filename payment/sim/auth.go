package sim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of headers, from the description.
const (
	maxKey    = 50  // characters of Idempotency-Key
	maxSystem = 30  // characters of each Vipps-System header
	maxOrders = 100 // the same, of Order Management
)

// sign makes a string nobody else can make, for one purpose.
func (t *Till) sign(purpose, text string) []byte {
	mac := hmac.New(sha256.New, t.secret)
	mac.Write([]byte(purpose + " " + text))
	return mac.Sum(nil)
}

// pageToken is the unguessable part of a payment's page.
func (t *Till) pageToken(ref string) string { return hex.EncodeToString(t.sign("page", ref)[:16]) }

// is compares without telling by its time how much was right.
func is(given, want string) bool {
	return want != "" && hmac.Equal([]byte(given), []byte(want))
}

// tokenBody is an access token. All numbers are strings: so the API sends them.
type tokenBody struct {
	TokenType    string `json:"token_type"`
	ExpiresIn    string `json:"expires_in"`
	ExtExpiresIn string `json:"ext_expires_in"`
	ExpiresOn    string `json:"expires_on"`
	NotBefore    string `json:"not_before"`
	Resource     string `json:"resource"`
	AccessToken  string `json:"access_token"`
}

// tokenError is how the token endpoint refuses: neither RFC 7807 nor gateway.
type tokenError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

func (t *Till) token(now time.Duration, in inbound) reply {
	refuse := func(status int, word, text string) reply {
		return reply{status: status, kind: tokenJSON, body: tokenError{word, text}}
	}
	h := in.header
	for _, name := range []string{"client_id", "client_secret"} {
		if h.Get(name) == "" {
			return refuse(http.StatusBadRequest, "invalid_request", "the header "+name+" is missing")
		}
	}
	if out, ok := t.subscribed(in); !ok {
		return out
	}
	if !is(h.Get("client_id"), t.accept.ClientID) || !is(h.Get("client_secret"), t.accept.ClientSecret) {
		return refuse(http.StatusUnauthorized, "invalid_client", "client_id or client_secret is wrong")
	}
	if msn := h.Get("Merchant-Serial-Number"); msn != "" && !is(msn, t.accept.MSN) {
		return refuse(http.StatusUnauthorized, "unauthorized_client", "the merchant serial number is not this client's")
	}
	ends := strconv.FormatInt(int64(now+t.tokenLife), 10)
	life := strconv.Itoa(int(t.tokenLife / time.Second))
	return reply{status: http.StatusOK, kind: tokenJSON, body: tokenBody{
		TokenType: "Bearer", ExpiresIn: life, ExtExpiresIn: life,
		ExpiresOn:   strconv.FormatInt(t.wall(now+t.tokenLife).Unix(), 10),
		NotBefore:   strconv.FormatInt(t.wall(now).Unix(), 10),
		Resource:    "00000002-0000-0000-c000-000000000000",
		AccessToken: ends + "." + base64.RawURLEncoding.EncodeToString(t.sign("access", ends)),
	}}
}

// fresh says whether an access token is ours and not over.
func (t *Till) fresh(now time.Duration, token string) bool {
	ends, signature, _ := strings.Cut(token, ".")
	if !is(signature, base64.RawURLEncoding.EncodeToString(t.sign("access", ends))) {
		return false
	}
	n, err := strconv.ParseInt(ends, 10, 64)
	return err == nil && now < time.Duration(n)
}

// subscribed is the gateway's own check.
func (t *Till) subscribed(in inbound) (reply, bool) {
	switch key := in.header.Get("Ocp-Apim-Subscription-Key"); {
	case key == "":
		return gateway(http.StatusUnauthorized, "Access denied due to missing subscription key."), false
	case !is(key, t.accept.SubscriptionKey):
		return gateway(http.StatusUnauthorized, "Access denied due to invalid subscription key."), false
	}
	return reply{}, true
}

// admitted checks everything that stands in headers and path; ok is false when
// the reply refuses.
func (t *Till) admitted(now time.Duration, in inbound) (out reply, ok bool) {
	if out, ok := t.subscribed(in); !ok {
		return out, false
	}
	token, bearer := strings.CutPrefix(in.header.Get("Authorization"), "Bearer ")
	if !bearer || !t.fresh(now, token) {
		return gateway(http.StatusUnauthorized, "Unauthorized. Access token is missing or invalid."), false
	}
	if in.call.api() != paymentAPI {
		return t.admittedBeside(in)
	}
	if field, reason := t.badHeader(in); reason != "" {
		return t.invalid(in, field, reason), false
	}
	if !is(in.header.Get("Merchant-Serial-Number"), t.accept.MSN) {
		// Keys of one sales unit and the number of another: create is forbidden,
		// and under any other call there is nothing to be found.
		if in.call == CreateCall {
			return t.problem(in, &Problem{Status: http.StatusForbidden, Title: "Not allowed for this merchant serial number"}), false
		}
		return t.problem(in, refuse(noSuchPayment)), false
	}
	return reply{}, true
}

// admittedBeside is admitted for what is beside payments. There the merchant's
// number may be left out, but for Order Management.
func (t *Till) admittedBeside(in inbound) (out reply, ok bool) {
	const header = "Merchant-Serial-Number"
	msn, most := in.header.Get(header), maxSystem
	if in.call.api() == orderAPI {
		most = maxOrders
		if msn == "" {
			return t.invalid(in, header, "required"), false
		}
	}
	if field, reason := longSystem(in.header, most); reason != "" {
		return t.invalid(in, field, reason), false
	}
	if msn != "" && !is(msn, t.accept.MSN) {
		return gateway(http.StatusUnauthorized, "Unauthorized. The merchant serial number is not this client's."), false
	}
	return reply{}, true
}

// badHeader names the first header or path part that is not as described.
func (t *Till) badHeader(in inbound) (field, reason string) {
	const msn = "Merchant-Serial-Number"
	if why := t.shapes.msn.text(in.header.Get(msn)); why != "" {
		return msn, why
	}
	if in.call != CreateCall {
		if why := t.shapes.ref.text(in.ref); why != "" {
			return "reference", why
		}
	}
	switch in.call {
	case GetCall, EventsCall, ApproveCall:
		return "", ""
	case CreateCall, CaptureCall, RefundCall:
		const key = "Idempotency-Key"
		if n := utf8.RuneCountInString(in.header.Get(key)); n == 0 || n > maxKey {
			return key, "required, at most 50 characters"
		}
	}
	return longSystem(in.header, maxSystem)
}

// longSystem names the first header about the client's system that is too long.
func longSystem(h http.Header, most int) (field, reason string) {
	for _, part := range []string{"System", "System-Plugin"} {
		for _, what := range []string{"Name", "Version"} {
			name := "Vipps-" + part + "-" + what
			if utf8.RuneCountInString(h.Get(name)) > most {
				return name, "at most " + strconv.Itoa(most) + " characters"
			}
		}
	}
	return "", ""
}
