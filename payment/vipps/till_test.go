package vipps_test

import (
	"bytes"
	"net/http/httptest"
	"testing"
	"time"

	"stolpe/payment"
	"stolpe/payment/sim"
	"stolpe/payment/vipps"
)

// The Till is as strict as the descriptions, and written by somebody else: what
// it takes and gives, the service should too.
func TestReceiptsCodesAndReportsAtTheTill(t *testing.T) {
	keys := sim.Credentials{ClientID: "id", ClientSecret: "secret", SubscriptionKey: "subscription", MSN: "123456"}
	s := httptest.NewServer(sim.NewTill(sim.Options{Accept: keys}))
	defer s.Close()
	c, err := vipps.New(vipps.Config{
		BaseURL: s.URL, MSN: keys.MSN, ClientID: keys.ClientID, ClientSecret: keys.ClientSecret, SubscriptionKey: keys.SubscriptionKey, SystemName: "stolpe",
	})
	if err != nil {
		t.Fatal(err)
	}
	o := payment.Order{Verb: payment.Inform, Ref: "A12-1-000042", Currency: payment.NOK, Return: "https://lad.example.no/A12-1/abc", Receipt: &payment.Receipt{
		Number: "A12/1-000123", Currency: payment.NOK, VAT: 2500, Lines: []payment.ReceiptLine{
			{Line: payment.Line{Kind: payment.EnergyLine, Quantity: 5489, Each: 549, Amount: 3013, VAT: 603}, Name: "Energi"},
		},
	}}
	for i, want := range []payment.Status{payment.Pending, payment.Settled, payment.Settled} {
		if a, err := c.Ask(t.Context(), o); a.Status != want || err != nil {
			t.Errorf("asking %d: %v, %v, want %v", i+1, a.Status, err, want)
		}
	}
	codesAtTheTill(t, c)
	if moves, err := c.Movements(t.Context(), time.Now().Add(-time.Hour)); err != nil || len(moves) != 0 {
		t.Errorf("%v, %v", moves, err)
	}
}

func codesAtTheTill(t *testing.T, c *vipps.Client) {
	t.Helper()
	const id, target, moved = "Ladeplass 7 æ%", "https://lad.example.no/A12-1", "https://my-site.no/A12-1"
	for p, head := range map[vipps.Picture]string{vipps.PNG: "\x89PNG", vipps.SVG: "<"} {
		code, err := c.AddCode(t.Context(), id, target, p) // the second finds the first
		if err != nil {
			t.Fatal(err)
		}
		picture, err := c.Draw(t.Context(), code)
		if err != nil || !bytes.HasPrefix(picture, []byte(head)) {
			t.Errorf("picture of %d bytes, %v", len(picture), err)
		}
	}
	if code, err := c.Retarget(t.Context(), id, moved); err != nil || code.Target != moved {
		t.Errorf("%+v, %v", code, err)
	}
	if codes, err := c.Codes(t.Context()); err != nil || len(codes) != 1 || codes[0].Target != moved {
		t.Errorf("%+v, %v", codes, err)
	}
	if err := c.DropCode(t.Context(), id); err != nil {
		t.Error(err)
	}
	if _, err := c.Code(t.Context(), id, vipps.Text); err == nil {
		t.Error("a code that was dropped is there")
	}
}
