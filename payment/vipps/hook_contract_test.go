package vipps

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const (
	hookID      = "497f6eca-6276-4993-bfeb-53cbbbba6f08" // the description's example
	hookURL     = "https://lad.example.no/webhooks/vipps"
	hookCreated = `{"id":"` + hookID + `","secret":"SECRET-of-the-hook=="}`
	hookBody    = `{"url":"` + hookURL + `","events":["epayments.payment.created.v1","epayments.payment.aborted.v1","epayments.payment.expired.v1",` +
		`"epayments.payment.cancelled.v1","epayments.payment.captured.v1","epayments.payment.refunded.v1","epayments.payment.authorized.v1",` +
		`"epayments.payment.terminated.v1"]}`
)

// Every event of the published list is registered for, and each of them comes in
// the form that is read here.
func TestEventsHaveThePublishedForm(t *testing.T) {
	doc := contract(t, paymentSpec)
	publishedForm(t, doc, "WebhookEvent", captured("p-1"))
	names := doc.Components.Schemas["PaymentEventName"].Value.Enum
	if len(names) != len(hookEvents) {
		t.Errorf("%d names published, %d events registered for", len(names), len(hookEvents))
	}
	var bodies []string
	for _, name := range names {
		event := fmt.Sprintf("epayments.payment.%s.v1", strings.ToLower(name.(string)))
		if !strings.Contains(hookBody, `"`+event+`"`) {
			t.Errorf("%s is not registered for", event)
		}
		bodies = append(bodies, strings.Replace(captured("p-1"), "CAPTURED", name.(string), 1))
	}
	if hints, _ := receive(t, bodies...); len(hints) != len(names) {
		t.Errorf("%d hints of %d events", len(hints), len(names))
	}
}

// In a list, behind a pointer, in JSON: a secret is never printed.
func TestHooksPrintWithoutTheirSecretWhereverTheyAre(t *testing.T) {
	h := Hook{ID: hookID, URL: hookURL, Secret: "SECRET-of-the-hook=="}
	inside := struct{ Hook Hook }{h}
	body, err := json.Marshal([]any{h, &h, []Hook{h}, inside})
	if err != nil {
		t.Fatal(err)
	}
	log := bytes.NewBuffer(body)
	for _, logger := range []*slog.Logger{slog.New(slog.NewTextHandler(log, nil)), slog.New(slog.NewJSONHandler(log, nil))} {
		logger.Info("made", "one", h, "pointer", &h, "list", []Hook{h}, "inside", inside)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(log, verb+verb+verb+verb, h, &h, []Hook{h}, inside)
	}
	if told := log.String(); strings.Contains(told, "SECRET") || strings.Contains(told, fmt.Sprintf("%x", "SECRET")) || !strings.Contains(told, hookID) {
		t.Error(told)
	}
}

// Towards the service only https will do; towards a simulator on this machine, an
// address on this machine will do, too.
func TestHooksGoToThisMachineOnlyFromASimulator(t *testing.T) {
	w := newOthers(t).at("POST "+hooksPath, says(201, hookCreated))
	near := w.client(t)
	config := w.config()
	config.BaseURL = "https://apitest.vipps.no"
	far, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string][2]bool{ // near, far
		"https://lad.example.no/x":      {true, true},
		"https://lad.example.no:443/x":  {true, true},
		"https://lad.example.no:8080/x": {true, true},
		"https://lad.example.no:80/x":   {false, false}, // no https there
		"https://lad.example.no/x#y":    {false, false},
		"https://a:b@lad.example.no/x":  {false, false},
		"http://lad.example.no/x":       {false, false},
		"http://127.0.0.1:9/x":          {true, false},
		"http://[::1]/x":                {true, false},
		"ftp://lad.example.no/x":        {false, false},
		"lad.example.no/x":              {false, false},
	} {
		if got := [2]bool{near.fitHook(address) == nil, far.fitHook(address) == nil}; got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
	if _, err := near.AddHook(t.Context(), "http://lad.example.no/x"); err == nil || w.asked() != "" {
		t.Errorf("%v, asked %q", err, w.asked())
	}
	// A secret that no header could have come from is none.
	w.at("POST "+hooksPath, says(201, strings.Replace(hookCreated, "==", strings.Repeat("=", maxSecret), 1)))
	if h, err := near.AddHook(t.Context(), hookURL); err == nil || h.Secret != "" || strings.Contains(err.Error(), "SECRET") {
		t.Error("a secret of any length is taken: ", err)
	}
}
