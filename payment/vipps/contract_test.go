package vipps

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/google/go-cmp/cmp"

	"stolpe/payment"
)

// The published descriptions, beside the repository.
const (
	published   = "../../../shared/vipps/openapi/"
	paymentSpec = published + "epayment-1.8.1_2026-04-21.yaml"
	tokenSpec   = published + "access-token-2.0.0_2026-04-21.yaml"
)

// contract loads a description and closes its requests: the API refuses fields
// it does not know, though the description does not say so.
func contract(t *testing.T, file string) *openapi3.T {
	t.Helper()
	if dir := os.Getenv("STOLPE_OPENAPI"); dir != "" {
		file = filepath.Join(dir, filepath.Base(file))
	}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the published description is not here: %s", file)
	}
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"CreatePaymentRequest", "CaptureModificationRequest", "CancelModificationRequest", "RefundModificationRequest",
		"Amount", "PaymentMethod", "ForceApprove", "CustomerPhoneNumber", "PersonalQrCode", "CustomerToken", "QrFormat"} {
		if schema := doc.Components.Schemas[name]; schema != nil {
			schema.Value.WithoutAdditionalProperties()
		}
	}
	return doc
}

// conforms checks a request against the description of its operation.
func conforms(t *testing.T, doc *openapi3.T, path string, c seen) error {
	t.Helper()
	item := doc.Paths.Value(path)
	if item == nil {
		t.Fatalf("no %s in the description", path)
	}
	r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
	r.Header = c.header.Clone()
	return openapi3filter.ValidateRequest(t.Context(), &openapi3filter.RequestValidationInput{
		Request:    r,
		PathParams: map[string]string{"Reference": string(ref)},
		Route:      &routers.Route{Spec: doc, Path: path, PathItem: item, Method: c.method, Operation: item.GetOperation(c.method)},
		Options: &openapi3filter.Options{MultiError: true, AuthenticationFunc: func(_ context.Context, in *openapi3filter.AuthenticationInput) error {
			if !strings.HasPrefix(in.RequestValidationInput.Request.Header.Get("Authorization"), "Bearer ") {
				return errors.New("no bearer token")
			}
			return nil
		}},
	})
}

// These are the requests, to the byte.
var bodies = map[string]string{
	"create": `{"amount":{"currency":"NOK","value":35000},"paymentMethod":{"type":"WALLET"},"reference":"A12-1-000042","userFlow":"WEB_REDIRECT",` +
		`"returnUrl":"https://lad.example.no/s/abc?x=1\u0026y=2","customerInteraction":"CUSTOMER_PRESENT",` + rest,
	"capture":  `{"modificationAmount":{"currency":"NOK","value":6808}}`,
	"cancel":   `{"cancelTransactionOnly":false}`,
	"withdraw": `{"cancelTransactionOnly":true}`,
	"get":      "",
	"token":    "",
	"refund":   `{"modificationAmount":{"currency":"NOK","value":100}}`,
	"events":   "",
	"approve":  `{"customer":{"phoneNumber":"4791234567"}}`,
	"code": `{"amount":{"currency":"NOK","value":35000},"paymentMethod":{"type":"WALLET"},"reference":"A12-1-000042","userFlow":"QR",` +
		`"returnUrl":"https://lad.example.no/s/abc?x=1\u0026y=2","qrFormat":{"format":"TEXT/TARGETURL"},"customerInteraction":"CUSTOMER_PRESENT",` + rest,
	"push": `{"amount":{"currency":"NOK","value":35000},"paymentMethod":{"type":"WALLET"},"reference":"A12-1-000042","userFlow":"PUSH_MESSAGE",` +
		`"returnUrl":"https://lad.example.no/s/abc?x=1\u0026y=2","customer":{"phoneNumber":"4791234567"},"customerInteraction":"CUSTOMER_PRESENT",` + rest,
}

const rest = `"paymentDescription":"Charging at A12/1. Temporary hold of a maximum; you only pay for what you use.",` +
	`"metadata":{"evse":"A12/1 #0","holder":"ab0000000000000000000000000000cd","meter":"22110345","price":"NOK 2500 549 0 0 0 0 0","start_wh":"123456"}}`

var keys = map[string]string{"create": "A12-1-000042-r", "code": "A12-1-000042-r", "push": "A12-1-000042-r", "refund": "rf-A12-1-000042-1", "capture": "A12-1-000042-c1"}

// requests makes every request there is.
func requests(t *testing.T) map[string]seen {
	t.Helper()
	s := start(t, payment.Found{})
	c := s.client(t)
	made := map[string]seen{}
	ask := func(name, op string, o payment.Order) {
		if _, err := c.Ask(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		made[name] = s.last(t, op)
	}
	release := order(payment.Settle)
	release.Amount = 0
	ask("create", "create", order(payment.Reserve))
	ask("get", "get", order(payment.Look))
	ask("withdraw", "cancel", release)
	s.there = approved()
	ask("capture", "capture", order(payment.Settle))
	ask("cancel", "cancel", order(payment.Settle))
	made["token"] = s.last(t, "token")
	if _, err := c.Refund(t.Context(), ref, 100, payment.NOK, "rf-A12-1-000042-1"); err != nil {
		t.Fatal(err)
	}
	made["refund"] = s.last(t, "refund")
	if _, err := c.Events(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	made["events"] = s.last(t, "events")
	if err := c.Approve(t.Context(), ref, "4791234567"); err != nil {
		t.Fatal(err)
	}
	made["approve"] = s.last(t, "approve")
	byCode, byPush := order(payment.Reserve), order(payment.Reserve)
	byCode.Way, byPush.Way, byPush.Phone = payment.ByCode, payment.ByPush, "4791234567"
	c.config.Push = true
	ask("code", "create", byCode)
	ask("push", "create", byPush)
	return made
}

func TestRequestsAreExactlyThese(t *testing.T) {
	for name, c := range requests(t) {
		if diff := cmp.Diff(bodies[name], c.body); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		want := map[string]string{
			"Ocp-Apim-Subscription-Key": "SECRETsubscription", "Merchant-Serial-Number": "123456",
			"Vipps-System-Name": "stolpe", "Vipps-System-Version": "1.2.3",
			"Vipps-System-Plugin-Name": "stolpe", "Vipps-System-Plugin-Version": "1.2.3",
			"Authorization": "Bearer SECRET.token-1", "Idempotency-Key": keys[name], "Content-Type": "application/json",
		}
		if name == "token" {
			want["Client_id"], want["Client_secret"], want["Authorization"] = "5ec2e7a0-id", "SECRET-client==", ""
		}
		if c.body == "" {
			want["Content-Type"] = ""
		}
		for field, value := range want {
			if got := strings.Join(c.header.Values(field), ","); got != value {
				t.Errorf("%s: %s: %q, want %q", name, field, got, value)
			}
		}
		if name != "token" && (c.header.Get("client_id") != "" || c.header.Get("client_secret") != "") {
			t.Errorf("%s: keys are sent where they do not belong", name)
		}
	}
}

func TestRequestsConformToThePublishedDescription(t *testing.T) {
	doc, tokenDoc := contract(t, paymentSpec), contract(t, tokenSpec)
	paths := map[string]string{
		"create": "/v1/payments", "get": "/v1/payments/{Reference}", "capture": "/v1/payments/{Reference}/capture",
		"refund": "/v1/payments/{Reference}/refund", "events": "/v1/payments/{Reference}/events", "approve": "/v1/test/payments/{Reference}/approve",
		"code": "/v1/payments", "push": "/v1/payments",
		"cancel": "/v1/payments/{Reference}/cancel", "withdraw": "/v1/payments/{Reference}/cancel",
	}
	for name, c := range requests(t) {
		if name == "token" {
			if err := conforms(t, tokenDoc, "/accesstoken/get", c); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if want := "/epayment" + strings.ReplaceAll(paths[name], "{Reference}", string(ref)); c.path != want {
			t.Errorf("%s: path %q, want %q", name, c.path, want)
		}
		if err := conforms(t, doc, paths[name], c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		// The check can fail: one field more, one header less.
		spoiled := c
		if c.body != "" {
			spoiled.body = strings.Replace(c.body, "{", `{"more":1,`, 1)
			if conforms(t, doc, paths[name], spoiled) == nil {
				t.Errorf("%s: a field the API does not know was let through", name)
			}
		}
		for _, header := range []string{"Merchant-Serial-Number", "Authorization", "Idempotency-Key"} {
			spoiled, required := c, header != "Idempotency-Key" || keys[name] != ""
			spoiled.header = c.header.Clone()
			spoiled.header.Del(header)
			if (conforms(t, doc, paths[name], spoiled) == nil) == required {
				t.Errorf("%s: without %s: required is %v", name, header, required)
			}
		}
	}
}

// The answers in these tests have the published form, so what is read here is
// what is sent there.
func TestAnswersInTheseTestsHaveThePublishedForm(t *testing.T) {
	doc, tokenDoc := contract(t, paymentSpec), contract(t, tokenSpec)
	s := &api{}
	_, created := s.answer("create", nil)
	for _, row := range []struct {
		doc          *openapi3.T
		schema, body string
	}{
		{doc, "GetPaymentResponse", getBody(approved(), payment.NOK, terms().Metadata())},
		{doc, "GetPaymentResponse", getBody(s.there, payment.NOK, nil)},
		{doc, "ModificationResponse", adjustBody(approved(), payment.NOK)},
		{doc, "CreatePaymentResponse", created},
		{doc, "Problem", problemOf(http.StatusConflict, "4150")},
		{doc, "Problem", problemOf(http.StatusBadRequest, "")},
		{tokenDoc, "AuthorizationTokenResponse", tokenBody("a.b.c", 3600)},
	} {
		var v any
		if err := json.Unmarshal([]byte(row.body), &v); err != nil {
			t.Fatal(err)
		}
		if err := row.doc.Components.Schemas[row.schema].Value.VisitJSON(v); err != nil {
			t.Errorf("%s: %s: %v", row.schema, row.body, err)
		}
	}
}
