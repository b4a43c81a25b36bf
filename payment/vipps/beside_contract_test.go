package vipps

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	gocmp "github.com/google/go-cmp/cmp"
)

// The descriptions of the APIs beside ePayment.
const (
	ordersSpec = "order-management-2.1_2025-06-30.yaml"
	codesSpec  = "qr-1.0_2024-10-16.yaml"
	reportSpec = "report-2.0_2023-12-07.yaml"
	hooksSpec  = "webhooks-v1_2026-04-21.yaml"
)

// describedBy loads a description and closes what these schemas allow: our
// requests must hold nothing that is not in it.
func describedBy(t *testing.T, file string, closed ...string) *openapi3.T {
	t.Helper()
	file = filepath.Join(cmp.Or(os.Getenv("STOLPE_OPENAPI"), published), file)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the published description is not here: %s", file)
	}
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range closed {
		doc.Components.Schemas[name].Value.WithoutAdditionalProperties()
	}
	return doc
}

// allowed checks a request against the description of its operation.
func allowed(t *testing.T, doc *openapi3.T, path string, params map[string]string, c seen) error {
	t.Helper()
	item := doc.Paths.Value(path)
	if item == nil || item.GetOperation(c.method) == nil {
		t.Fatalf("no %s %s in the description", c.method, path)
	}
	r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
	r.Header = c.header.Clone()
	return openapi3filter.ValidateRequest(t.Context(), &openapi3filter.RequestValidationInput{
		Request:    r,
		PathParams: params,
		Route:      &routers.Route{Spec: doc, Path: path, PathItem: item, Method: c.method, Operation: item.GetOperation(c.method)},
		Options: &openapi3filter.Options{MultiError: true, AuthenticationFunc: func(_ context.Context, in *openapi3filter.AuthenticationInput) error {
			if !strings.HasPrefix(in.RequestValidationInput.Request.Header.Get("Authorization"), "Bearer ") {
				return errors.New("no bearer token")
			}
			return nil
		}},
	})
}

// held is a request as it was made, and where the description has it.
type held struct {
	name, path string
	params     map[string]string
	made       seen
	body       string   // to the byte
	need       []string // headers the description requires
}

// holds checks requests, and that the check can fail.
func holds(t *testing.T, doc *openapi3.T, list []held) {
	t.Helper()
	for _, h := range list {
		if diff := gocmp.Diff(h.body, h.made.body); diff != "" {
			t.Errorf("%s: %s", h.name, diff)
		}
		if err := allowed(t, doc, h.path, h.params, h.made); err != nil {
			t.Errorf("%s: %v", h.name, err)
		}
		if h.body != "" {
			spoiled := h.made
			spoiled.body = strings.Replace(h.body, "{", `{"more":1,`, 1)
			if allowed(t, doc, h.path, h.params, spoiled) == nil {
				t.Errorf("%s: a field the API does not know was let through", h.name)
			}
		}
		for _, header := range h.need {
			spoiled := h.made
			spoiled.header = h.made.header.Clone()
			spoiled.header.Del(header)
			if allowed(t, doc, h.path, h.params, spoiled) == nil {
				t.Errorf("%s: without %s it was let through", h.name, header)
			}
		}
		for _, header := range []string{"Merchant-Serial-Number", "Ocp-Apim-Subscription-Key", "Vipps-System-Name", "Vipps-System-Plugin-Version"} {
			if h.made.header.Get(header) == "" {
				t.Errorf("%s: no %s", h.name, header)
			}
		}
		if h.made.header.Get("Idempotency-Key") != "" || h.made.header.Get("client_secret") != "" {
			t.Errorf("%s: keys are sent where they do not belong", h.name)
		}
	}
}

const receiptJSON = `{"orderLines":[` +
	`{"name":"Energi 1234,567–1240,056 kWh","id":"energy","totalAmount":3013,"totalAmountExcludingTax":2410,"totalTaxAmount":603,"taxRate":2500,` +
	`"unitInfo":{"unitPrice":549,"quantity":"5.489","quantityUnit":"KWH"}},` +
	`{"name":"Tid","id":"time","totalAmount":600,"totalAmountExcludingTax":480,"totalTaxAmount":120,"taxRate":2500,"unitInfo":{"unitPrice":20,"quantity":"30","quantityUnit":"MINUTE"}},` +
	`{"name":"Start","id":"session","totalAmount":1000,"totalAmountExcludingTax":800,"totalTaxAmount":200,"taxRate":2500,"unitInfo":{"unitPrice":1000,"quantity":"1","quantityUnit":"PCS"}},` +
	`{"name":"Opptatt","id":"idle","totalAmount":1000,"totalAmountExcludingTax":800,"totalTaxAmount":200,"taxRate":2500,"unitInfo":{"unitPrice":100,"quantity":"12","quantityUnit":"MINUTE"}}` +
	`],"bottomLine":{"currency":"NOK","receiptNumber":"A12/1-000123"}}`

func TestInformConformsToThePublishedDescription(t *testing.T) {
	doc := describedBy(t, ordersSpec, "Receipt", "OrderLine", "UnitInfo", "BottomLine", "Order")
	w := newOthers(t).at(sendReceipt, says(201, `"1"`)).at(sendLink, says(200, `"1"`))
	c := w.client(t)
	tell := func() seen {
		if _, err := c.Ask(t.Context(), informOrder()); err != nil {
			t.Fatal(err)
		}
		return w.last(t, "?")
	}
	post := tell()
	w.at(readShown, says(200, "{"+oneLine+"}"))
	put := tell()
	w.at(readShown, says(200, "{"+oneLine+","+ourLink+"}"))
	need := []string{"Authorization", "Merchant-Serial-Number", "Ocp-Apim-Subscription-Key"}
	// The list of words has it in capitals, the guide in small letters. Both are taken.
	order := map[string]string{"paymentType": "ECOM", "orderId": string(ref)}
	holds(t, doc, []held{
		{"receipt", "/v2/{paymentType}/receipts/{orderId}", order, post, receiptJSON, need},
		{"link", "/v2/{paymentType}/categories/{orderId}", order, put, `{"category":"RECEIPT","orderDetailsUrl":"` + shownPage + `"}`, need},
		{"read", "/v2/{paymentType}/{orderId}", order, tell(), "", need},
	})
	publishedForm(t, doc, "OrderV2Response", "{"+oneLine+"}")
	publishedForm(t, doc, "OrderV2Response", "{"+ourLink+","+oneLine+"}")
	publishedForm(t, doc, "ErrorResponse", orderNo)
}

func TestCodesConformToThePublishedDescription(t *testing.T) {
	doc := describedBy(t, codesSpec, "MerchantRedirectQrRequest", "MerchantRedirectQrUpdateRequest")
	code := codeJSON("A12-1", codeTarget, "https://qr.vipps.no/x")
	w := newOthers(t).at("GET "+allCodes, says(200, "["+code+"]")).at("POST "+allCodes, says(200, code)).
		at("GET "+oneCode, says(200, code)).at("PUT "+oneCode, says(200, code)).at("DELETE "+oneCode, says(200, ""))
	c := w.client(t)
	made := func(_ any, err error) seen {
		if err != nil {
			t.Fatal(err)
		}
		return w.last(t, "?")
	}
	id := map[string]string{"id": "A12-1"}
	drop := []string{"Authorization", "Ocp-Apim-Subscription-Key"}
	need := append(drop, "Accept")
	holds(t, doc, []held{
		{"list", "/v1/merchant-redirect", nil, made(c.Codes(t.Context())), "", need},
		{"add", "/v1/merchant-redirect", nil, made(c.AddCode(t.Context(), "A12-1", codeTarget, PNG)), `{"id":"A12-1","redirectUrl":"` + codeTarget + `"}`, need},
		{"get", "/v1/merchant-redirect/{id}", id, made(c.Code(t.Context(), "A12-1", SVG)), "", need},
		{"retarget", "/v1/merchant-redirect/{id}", id, made(c.Retarget(t.Context(), "A12-1", codeTarget)), `{"redirectUrl":"` + codeTarget + `"}`, need},
		{"drop", "/v1/merchant-redirect/{id}", id, made(nil, c.DropCode(t.Context(), "A12-1")), "", drop},
	})
	publishedForm(t, doc, "MerchantRedirectQrResponse", code)
	publishedForm(t, doc, "QrErrorResponse", orderNo)
}

func TestReportsConformToThePublishedDescription(t *testing.T) {
	doc := describedBy(t, reportSpec)
	w := books(t, func(_, cursor string) (int, string) {
		if cursor == "" {
			return 200, `{"hasMore":true,"cursor":"c","items":[]}`
		}
		return 200, `{"hasMore":false,"items":[]}`
	})
	if _, err := w.client(t).Movements(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	var list []held
	for _, made := range w.calls {
		h := held{name: made.path, path: allLedgers, made: made, need: []string{"Authorization"}}
		if made.op == "token" {
			continue
		}
		if !strings.HasPrefix(made.path, allLedgers) {
			date, _, _ := strings.Cut(made.path[strings.LastIndexByte(made.path, '/')+1:], "?")
			h.path, h.params, h.need = "/report/v2/ledgers/{ledgerId}/{topic}/dates/{ledgerDate}", map[string]string{"ledgerId": "302321", "topic": "funds", "ledgerDate": date}, nil
		}
		list = append(list, h)
	}
	if len(list) != 7 {
		t.Errorf("%d requests, want one for ledgers and six for days", len(list))
	}
	holds(t, doc, list)
	publishedForm(t, doc, "Ledger", ledgerJSON("302321", "api:123456"))
	publishedForm(t, doc, "Transaction", entryJSON("capture", "1", "api:123456", 6808, time.Now()))
}

func TestHooksConformToThePublishedDescription(t *testing.T) {
	doc := describedBy(t, hooksSpec, "RegisterRequest")
	const all, one = "/webhooks/v1/webhooks", "/webhooks/v1/webhooks/1a2b-3c"
	list := `{"webhooks":[{"id":"1a2b-3c","url":"https://lad.example.no/webhooks/vipps","events":["epayments.payment.captured.v1"]}]}`
	w := newOthers(t).at("GET "+all, says(200, list)).at("POST "+all, says(201, `{"id":"1a2b-3c","secret":"s"}`)).at("DELETE "+one, says(204, ""))
	c := w.client(t)
	made := func(_ any, err error) seen {
		if err != nil {
			t.Fatal(err)
		}
		return w.last(t, "?")
	}
	const events = `"epayments.payment.created.v1","epayments.payment.aborted.v1","epayments.payment.expired.v1","epayments.payment.cancelled.v1",` +
		`"epayments.payment.captured.v1","epayments.payment.refunded.v1","epayments.payment.authorized.v1","epayments.payment.terminated.v1"`
	need := []string{"Authorization"}
	holds(t, doc, []held{
		{"list", "/v1/webhooks", nil, made(c.Hooks(t.Context())), "", need},
		{"add", "/v1/webhooks", nil, made(c.AddHook(t.Context(), "https://lad.example.no/webhooks/vipps")), `{"url":"https://lad.example.no/webhooks/vipps","events":[` + events + `]}`, need},
		{"drop", "/v1/webhooks/{id}", map[string]string{"id": "1a2b-3c"}, made(nil, c.DropHook(t.Context(), "1a2b-3c")), "", need},
	})
	publishedForm(t, doc, "QueryResponse", list)
	publishedForm(t, doc, "ProblemDetails", problemOf(400, "3010"))
}

// publishedForm checks that an answer of these tests has the published form, so that
// what is read here is what is sent there.
func publishedForm(t *testing.T, doc *openapi3.T, schema, body string) {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	if err := doc.Components.Schemas[schema].Value.VisitJSON(v); err != nil {
		t.Errorf("%s: %s: %v", schema, body, err)
	}
}
