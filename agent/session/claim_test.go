package session

import (
	"errors"
	"testing"
	"time"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// A driver who has lost the page comes back with the stop code, and may do what the
// holder may; after the charge the page still tells what came of it.
func TestStopCodeGivesThePageBack(t *testing.T) {
	r, s := &Rules{Post: "A12", EVSE: 1}, State{}
	owner, guest := payment.Holder{1}, payment.Holder{2}
	s.Phase, s.Charge.Holder, s.Charge.Number = Charging, owner, 12
	now := hal.Instant{Mono: time.Hour}
	if v, ok := r.Session(&s, now, owner); !ok || v.Charge.StopCode != stopCode(owner) || len(v.Charge.StopCode) != 4 {
		t.Fatalf("%v, code %q: want the holder to be told %q", ok, v.Charge.StopCode, stopCode(owner))
	}
	if v := r.View(&s, now); v.Charge.StopCode != "" {
		t.Error("the post's own screen tells the stop code to everybody")
	}
	r.notice(&s, now, Claimed{Digits: stopCode(owner), Holder: guest})
	if v, ok := r.Session(&s, now, guest); !ok || v.Charge.StopCode != stopCode(owner) || !s.HeldBy(guest) || !s.HeldBy(owner) || s.HeldBy(payment.Holder{3}) {
		t.Fatalf("%v %+v: want guest and owner to hold it, and nobody else", ok, v.Charge)
	}
	s.Done, s.Phase, s.Charge = []Debt{{Charge: s.Charge}}, Idle, Charge{}
	if v, ok := r.Session(&s, now, guest); !ok || v.Charge.Ref != "A12-1-000012" {
		t.Errorf("%v %q: want the guest to read how it ended", ok, v.Charge.Ref)
	}
	s.Phase, s.Charge.Holder, s.Charge.Number = Charging, payment.Holder{4}, 13
	if s.HeldBy(guest) {
		t.Error("the guest of the charge before holds the next one")
	}
}

func TestWrongStopCodesAreCounted(t *testing.T) {
	r, s := &Rules{}, State{}
	owner := payment.Holder{1}
	right := stopCode(owner)
	wrong := "0000"
	if right == wrong {
		wrong = "0001"
	}
	now := hal.Instant{Mono: time.Hour}
	say := func(digits string) error {
		c := Claimed{Digits: digits, Holder: payment.Holder{2}}
		err := r.Claims(&s, now, c)
		r.notice(&s, now, c)
		return err
	}
	if err := say(right); err != display.ErrOver {
		t.Fatalf("%v: want over, as nobody charges", err)
	}
	s.Phase, s.Charge.Holder = Approving, owner
	var code display.CodeError
	for left := 4; left > 0; left-- {
		if err := say(wrong); !errors.As(err, &code) || code.Left != left {
			t.Fatalf("%v: want %d tries left", err, left)
		}
	}
	if err := say(right); err != nil {
		t.Fatalf("%v: want the right one taken at the fifth try", err)
	}
	for range 4 {
		say(wrong) //nolint:errcheck // counted above
	}
	for _, digits := range []string{wrong, right, right} {
		if err := say(digits); err != display.ErrLocked {
			t.Fatalf("%v: want locked, the right code too", err)
		}
	}
	now.Mono += lockFor - 1
	if err := say(right); err != display.ErrLocked {
		t.Fatalf("%v: want locked for %v", err, lockFor)
	}
	now.Mono++
	for _, digits := range []string{"", "123", "12345", "١٢٣٤"} {
		if err := say(digits); !errors.As(err, &code) {
			t.Fatalf("%q: %v: want it wrong", digits, err)
		}
	}
	if err := say(right); err != nil {
		t.Errorf("%v: want it taken when the time is over", err)
	}
}

func TestStopCodesDiffer(t *testing.T) {
	seen := map[string]bool{}
	for i := range 1000 {
		seen[stopCode(payment.Holder{byte(i), byte(i >> 8)})] = true
	}
	if len(seen) < 900 {
		t.Errorf("%d codes for 1000 holders: want them spread", len(seen))
	}
}
