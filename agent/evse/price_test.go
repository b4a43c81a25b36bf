package evse

import (
	"context"
	"errors"
	"testing"
	"time"

	"stolpe/display"
	"stolpe/payment"
)

// A price holds for the charges to come. Whoever has seen the old one is told, and
// whoever charges pays what was promised.
func TestAnotherPriceIsForTheNextDriver(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.charging()
		old, dear := w.rules.Price, w.rules.Price
		dear.KWh = 5_000
		_, _, changed := w.evse.Snapshot()
		if err := w.evse.Reprice(t.Context(), dear); err != nil {
			t.Fatal(err)
		}
		select {
		case <-changed:
		default:
			t.Error("nobody is told to look at the price again")
		}
		if got := w.evse.Rules().Price; got != dear {
			t.Errorf("price %+v, want %+v", got, dear)
		}
		if s := w.newest(); s.Charge.Price != old {
			t.Errorf("the charge under way costs %+v, want %+v", s.Charge.Price, old)
		}
		w.sleep(time.Hour)
		w.driverStops()
		w.until("settled", time.Minute, settled)
		w.paid(1, w.truth().Energy)
		q := w.wish("ola")
		if err := w.evse.Request(t.Context(), q); !errors.Is(err, display.ErrPrice) {
			t.Errorf("at the old price: %v, want %v", err, display.ErrPrice)
		}
		q.Seen = dear
		w.sleep(20 * time.Second)
		if err := w.evse.Request(t.Context(), q); err != nil {
			t.Errorf("at the new one: %v", err)
		}
		if s := w.newest(); s.Charge.Price != dear {
			t.Errorf("the next charge costs %+v", s.Charge.Price)
		}
	})
}

func TestAPriceThatNobodyTakes(t *testing.T) {
	bubble(t, nil, func(t *testing.T, w *world) {
		w.stop()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.evse.Reprice(ctx, payment.Price{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want that nobody knows", err)
		}
	})
}
