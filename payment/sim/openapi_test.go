package sim

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// description is the published descriptions of the two APIs that the Till plays.
type description struct {
	epayment, token routers.Router
	problem         *openapi3.Schema
}

// descriptions lie beside the repository, not in it.
const descriptions = "../../../shared/vipps/openapi"

// load reads them once; the router is safe for concurrent use.
var load = sync.OnceValues(func() (*description, error) {
	d := &description{}
	doc, err := loadOne("epayment-1.8.1_2026-04-21.yaml")
	if err != nil {
		return nil, err
	}
	d.problem = doc.Components.Schemas["Problem"].Value
	if d.epayment, err = legacy.NewRouter(doc, openapi3.DisableExamplesValidation()); err != nil {
		return nil, err
	}
	if doc, err = loadOne("access-token-2.0.0_2026-04-21.yaml"); err != nil {
		return nil, err
	}
	d.token, err = legacy.NewRouter(doc, openapi3.DisableExamplesValidation())
	return d, err
})

func loadOne(name string) (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(descriptions, name))
	if err == nil {
		doc.Servers = nil // or only the provider's own hosts would match
	}
	return doc, err
}

// loadDescription gives nil where the files are absent: what is tested besides
// does not need them.
func loadDescription(t *testing.T) *description {
	t.Helper()
	if _, err := os.Stat(descriptions); err != nil {
		t.Logf("answers are not held against the API's description: %v", err)
		return nil
	}
	d, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// input finds the described operation of a request; nil when there is none.
func (d *description) input(r *http.Request) *openapi3filter.RequestValidationInput {
	router := d.token
	if path, found := strings.CutPrefix(r.URL.Path, base); found {
		router = d.epayment
		r = r.Clone(r.Context())
		r.URL.Path = path
	}
	route, params, err := router.FindRoute(r)
	if err != nil {
		return nil
	}
	return &openapi3filter.RequestValidationInput{
		Request: r, Route: route, PathParams: params,
		Options: &openapi3filter.Options{
			AuthenticationFunc:  openapi3filter.NoopAuthenticationFunc,
			SkipSettingDefaults: true, // a default would hide that a required member is missing
		},
	}
}

// checkRequest says what the description has against a request.
func (d *description) checkRequest(t *testing.T, r *http.Request, body string) error {
	t.Helper()
	r = r.Clone(t.Context())
	r.Body = io.NopCloser(strings.NewReader(body))
	in := d.input(r)
	if in == nil {
		t.Fatalf("%s %s is not described", r.Method, r.URL.Path)
	}
	return openapi3filter.ValidateRequest(context.Background(), in)
}

// checkAnswer holds an answer against the description. Statuses it does not list
// must still carry a problem as described, or be the gateway's.
func (d *description) checkAnswer(t *testing.T, r *http.Request, a answer) {
	t.Helper()
	in := d.input(r)
	if in == nil {
		if strings.HasPrefix(r.URL.Path, base) && a.status != http.StatusNotFound {
			t.Errorf("%s %s is not described, and yet answered: %d", r.Method, r.URL.Path, a.status)
		}
		return
	}
	kind := a.header.Get("Content-Type")
	err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader([]byte(a.raw))),
	})
	if err == nil && a.status >= 400 && kind == problemJSON {
		err = d.problem.VisitJSON(a.body)
	}
	if err == nil && a.status >= 400 && kind == plainJSON && (a.at("statusCode") != float64(a.status) || a.text("message") == "") {
		t.Errorf("%s %s: not what a gateway says: %s", r.Method, r.URL.Path, a.raw)
	}
	if err != nil {
		t.Errorf("%s %s: answer %d is not as described: %v\n%s", r.Method, r.URL.Path, a.status, err, a.raw)
	}
}
