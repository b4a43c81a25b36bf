package sim

import (
	"bytes"
	"cmp"
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

// description is the published descriptions of the APIs that the Till plays.
type description struct {
	routers map[string]routers.Router // by the beginning of a path; the longest that fits counts
	problem map[string]*openapi3.Schema
}

// descriptions lie beside the repository, not in it.
func descriptions() string {
	return cmp.Or(os.Getenv("STOLPE_OPENAPI"), "../../../shared/vipps/openapi")
}

// published are the files, by what the paths of each begin with.
func published() map[string]string {
	return map[string]string{
		base:                "epayment-1.8.1_2026-04-21.yaml",
		"/accesstoken":      "access-token-2.0.0_2026-04-21.yaml",
		"/order-management": "order-management-2.1_2025-06-30.yaml",
		"/qr":               "qr-1.0_2024-10-16.yaml",
		"/webhooks":         "webhooks-v1_2026-04-21.yaml",
		"/report":           "report-2.0_2023-12-07.yaml",
		"/settlement":       "report-2.0_2023-12-07.yaml",
	}
}

// load reads them once; the routers are safe for concurrent use.
var load = sync.OnceValues(func() (*description, error) {
	// The library checks this format only where it is told how.
	openapi3.DefineStringFormatValidator("uuid", openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForUUIDOfRFC4122))
	d := &description{routers: map[string]routers.Router{}, problem: map[string]*openapi3.Schema{}}
	for begin, name := range published() {
		doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(descriptions(), name))
		if err != nil {
			return nil, err
		}
		doc.Servers = nil // or only the provider's own hosts would match
		if d.routers[begin], err = legacy.NewRouter(doc, openapi3.DisableExamplesValidation()); err != nil {
			return nil, err
		}
		for _, schema := range []string{"Problem", "ProblemDetails", "ErrorResponse", "QrErrorResponse"} {
			if found := doc.Components.Schemas[schema]; found != nil {
				d.problem[begin] = found.Value
			}
		}
	}
	return d, nil
})

// begin is what the path of a described operation begins with; empty for others.
func begin(path string) string {
	for begin := range published() {
		if strings.HasPrefix(path, begin+"/") {
			return begin
		}
	}
	return ""
}

// loadDescription gives nil where the files are absent: what is tested besides
// does not need them.
func loadDescription(t *testing.T) *description {
	t.Helper()
	if _, err := os.Stat(descriptions()); err != nil {
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
	begin := begin(r.URL.Path)
	router := d.routers[begin]
	if router == nil {
		return nil
	}
	r = r.Clone(r.Context())
	switch begin {
	case base, "/order-management", "/qr", "/webhooks": // the others have it in their paths
		r.URL.Path = strings.TrimPrefix(r.URL.Path, begin)
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
		if begin(r.URL.Path) != "" && a.status != http.StatusNotFound {
			t.Errorf("%s %s is not described, and yet answered: %d", r.Method, r.URL.Path, a.status)
		}
		return
	}
	kind, body := a.header.Get("Content-Type"), []byte(a.raw)
	if kind == "text/html" {
		return // from some proxy, which has read no description
	}
	if _, gateways := a.body["statusCode"]; a.status >= 400 && kind == plainJSON && gateways {
		if a.at("statusCode") != float64(a.status) || a.text("message") == "" {
			t.Errorf("%s %s: not what a gateway says: %s", r.Method, r.URL.Path, a.raw)
		}
		return
	}
	err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(body)),
	})
	used := a.status == http.StatusConflict && strings.HasPrefix(r.URL.Path, "/qr/") // a shape of its own, checked above
	if schema := d.problem[begin(r.URL.Path)]; err == nil && a.status >= 400 && !used && schema != nil && a.body["errorCode"] == nil {
		err = schema.VisitJSON(a.body)
	}
	if err != nil {
		t.Errorf("%s %s: answer %d is not as described: %v\n%s", r.Method, r.URL.Path, a.status, err, a.raw)
	}
}
