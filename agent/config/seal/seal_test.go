package seal

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestASealHoldsForOneTextOnly(t *testing.T) {
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	s, err := Make("korrekt hest", "kari", at, "a=1\n")
	if err != nil || !s.Holds("a=1\n") || s.At != "2026-11-20T10:00:00Z" {
		t.Fatalf("%+v, %v", s, err)
	}
	for name, other := range map[string]Seal{
		"who":   {s.At, "ola", s.Salt, s.Key, s.Sig},
		"when":  {"2026-11-20T10:00:01Z", s.By, s.Salt, s.Key, s.Sig},
		"key":   {s.At, s.By, s.Salt, "A" + s.Key[1:], s.Sig},
		"short": {s.At, s.By, s.Salt, s.Key[:8], s.Sig},
		"sig":   {s.At, s.By, s.Salt, s.Key, "x"},
	} {
		if other.Holds("a=1\n") {
			t.Errorf("it holds with another %s", name)
		}
	}
	if s.Holds("a=2\n") || (Seal{}).Holds("") {
		t.Error("it holds for another text")
	}
}

func TestOnlyThePINSealsAgain(t *testing.T) {
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	s, err := Make("481516", "kari", at, "a=1\n")
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Again("481516", at.Add(time.Hour), "a=2\n")
	if err != nil || again.Key != s.Key || again.By != s.By || !again.Holds("a=2\n") || again.Holds("a=1\n") {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := s.Again("481517", at, "a=2\n"); !errors.Is(err, ErrPIN) {
		t.Errorf("with another PIN: %v", err)
	}
	if err := s.Opens("481516"); err != nil {
		t.Error(err)
	}
	if err := (Seal{Salt: "!"}).Opens("481516"); err == nil || errors.Is(err, ErrPIN) {
		t.Errorf("without a salt: %v", err)
	}
}

func TestAPINHasALength(t *testing.T) {
	for _, pin := range []string{"", "12345", strings.Repeat("x", 129)} {
		if _, err := Make(pin, "kari", time.Time{}, ""); err == nil || !strings.Contains(err.Error(), "want 6 to 128") {
			t.Errorf("%q: %v", pin, err)
		}
	}
}
