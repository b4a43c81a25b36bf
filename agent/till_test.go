package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"stolpe/payment"
	"stolpe/payment/sim"
	"stolpe/payment/vipps"
)

func TestSimulatedServiceHasKeysOfItsOwn(t *testing.T) {
	first, err := serveTill(t.Context(), sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := serveTill(t.Context(), sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	look := func(at, keys *simulated) (payment.Answer, error) {
		access := vipps.Config{}
		keys.into(&access)
		access.BaseURL = at.url
		client, err := vipps.New(access)
		if err != nil {
			t.Fatal(err)
		}
		return client.Ask(t.Context(), payment.Order{Ref: "A12-1-000001", Currency: payment.NOK})
	}
	if a, err := look(first, first); err != nil || a.Status != payment.Missing {
		t.Errorf("with its keys: %+v, %v", a, err)
	}
	if a, err := look(first, second); err == nil || a.Status == payment.Missing {
		t.Errorf("with the keys of another: %+v, %v", a, err)
	}
	for _, s := range []*simulated{first, second} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if a, err := look(first, first); err == nil || a.Status == payment.Missing {
		t.Errorf("after its end: %+v, %v", a, err)
	}
}

func TestSimulatedServiceEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := serveTill(ctx, sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestServiceAgreesWithWhatItsBooksSay(t *testing.T) {
	s := &simulated{Till: sim.NewTill(sim.Options{})}
	s.Do(func(now time.Duration, b *sim.Book) {
		for _, ref := range []payment.Ref{"A12-1-000001", "A12-1-000002"} {
			b.Create(now, sim.Request{Key: string(ref), Ref: ref, Amount: 35000, Currency: payment.NOK})
			b.Approve(now, ref)
		}
		b.Capture(now, sim.Change{Key: "c", Ref: "A12-1-000001", Amount: 1500, Currency: payment.NOK})
		b.Cancel(now, "A12-1-000001", false)
	})
	for _, row := range []struct {
		ref                payment.Ref
		captured, released payment.Amount
		want               string
	}{
		{"A12-1-000001", 1500, 33500, ""},
		{"A12-1-000001", 1501, 33500, "captured 15.00 and released 335.00, the post says 15.01 and 335.00"},
		{"A12-1-000001", 1500, 33499, "the post says 15.00 and 334.99"},
		{"A12-1-000002", 0, 0, ""},
		{"A12-1-000002", 0, 35000, "captured 0.00 and released 0.00"},
		{"A12-1-000003", 0, 0, "does not know it"},
	} {
		err := s.agrees(row.ref, row.captured, row.released)
		if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s %v %v: %v, want %q", row.ref, row.captured, row.released, err, row.want)
		}
	}
}
