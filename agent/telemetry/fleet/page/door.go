package page

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"time"
)

// Login is somebody who may see the pages.
type Login struct {
	Name    string   // the certificate's common name, or what the proxy says
	Tenants []string // whose posts; nil for all
}

// sees says whether the login may see a tenant's posts.
func (l Login) sees(tenant string) bool {
	return l.Tenants == nil || slices.Contains(l.Tenants, tenant)
}

// Proxy is a reverse proxy that asks who somebody is. It proves that it is the proxy by
// a secret; the zero value is none.
type Proxy struct {
	Secret string // in SecretHeader, with each request
	User   string // name of the header that says who it is
}

// SecretHeader is where the proxy says its secret.
const SecretHeader = "Stolpe-Proxy-Secret"

// tellEvery is how often strangers are told of in the log. Chosen by us: they could fill
// it.
const tellEvery = time.Minute

// Admit says who may come from now on, in the place of who might before. Live pages of
// those who may no more end.
func (p *Pages) Admit(logins []Login) {
	all := map[string]Login{}
	for _, l := range logins {
		all[l.Name] = l
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.logins = all
}

// login finds a login by its name.
func (p *Pages) login(name string) (Login, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, ok := p.logins[name]
	return l, ok && name != ""
}

// who says who a request is from: a certificate that has been verified comes first, and
// headers count only with the secret.
func (p *Pages) who(r *http.Request) string {
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		return r.TLS.VerifiedChains[0][0].Subject.CommonName
	}
	secrets, users := r.Header.Values(SecretHeader), r.Header.Values(p.o.Proxy.User)
	if p.o.Proxy.Secret == "" || len(secrets) != 1 || len(users) != 1 {
		return ""
	}
	said, want := sha256.Sum256([]byte(secrets[0])), sha256.Sum256([]byte(p.o.Proxy.Secret)) // of one length, so that none shows
	if subtle.ConstantTimeCompare(said[:], want[:]) != 1 {
		return ""
	}
	return users[0]
}

// signed lets only those in who may see something.
func (p *Pages) signed(answer func(http.ResponseWriter, *http.Request, Login)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := p.who(r)
		l, ok := p.login(name)
		switch {
		case name == "":
			p.stranger(r, name)
			http.Error(w, "Who are you? These pages take a client certificate, or a proxy that has asked.", http.StatusUnauthorized)
		case !ok:
			p.stranger(r, name)
			http.Error(w, "This name is not in the list of logins.", http.StatusForbidden)
		default:
			answer(w, r, l)
		}
	}
}

// stranger tells of somebody who was not let in.
func (p *Pages) stranger(r *http.Request, name string) {
	now := p.o.Now()
	p.mu.Lock()
	tell := now.Sub(p.warned) >= tellEvery
	if tell {
		p.warned = now
	}
	p.mu.Unlock()
	if tell {
		p.o.Log.Warn("somebody who is in no list of logins asked for the fleet's pages", "name", name[:min(len(name), 64)], "from", r.RemoteAddr)
	}
}
