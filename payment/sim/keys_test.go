package sim

import (
	"testing"
	"time"

	"stolpe/payment"
)

func TestKeyHasOneEffect(t *testing.T) {
	const held = "unit busy-shop; create 1000; approve; "
	const other = "A12-1-000002"
	rows(t, []row{
		{"create again", "create 1000 k; create 1000 k", "CREATED 0 0 0 0"},
		{"create again, when all is over", "create 1000 k; approve; capture 400 a; create 1000 k", "AUTHORIZED 1000 400 0 0"},
		{"create with another amount", "create 1000 k; create 2000 k =4020", "CREATED 0 0 0 0"},
		{"create with another reference", "create 1000 k; create 1000 k " + other + " =4020", "CREATED 0 0 0 0"},
		{"create with a key of a capture", held + "capture 400 a; create 1000 a =4020", "AUTHORIZED 1000 400 0 0"},
		{"a refused create stays refused", "create 99 k =4040; create 99 k =4040; create 1000 k =4040; create 1000 k2", "CREATED 0 0 0 0"},
		{"a conflict does not harm the key", "create 1000 k; create 2000 k =4020; create 1000 k", "CREATED 0 0 0 0"},
		{"a used reference stays refused", "create 1000 k1; create 1000 k2 =4150; create 1000 k2 =4150; create 1000 k1", "CREATED 0 0 0 0"},

		{"capture again", held + "capture 400 a; capture 400 a; capture 400 a", "AUTHORIZED 1000 400 0 0"},
		{"capture again after the cancel", held + "capture 400 a; cancel; capture 400 a", "AUTHORIZED 1000 400 600 0"},
		{"capture with another amount", held + "capture 400 a; capture 500 a =4010; capture 400 a", "AUTHORIZED 1000 400 0 0"},
		{"capture with another currency", held + "capture 400 a; capture 400 a " + string(ref) + " DKK =4010", "AUTHORIZED 1000 400 0 0"},
		{"capture with another reference", held + "capture 400 a; create 1000 k2 " + other + "; capture 400 a " + other + " =4010", "AUTHORIZED 1000 400 0 0"},
		{"capture with a key of create", held + "capture 1000 r =4010", "AUTHORIZED 1000 0 0 0"},
		{"capture with a key of refund", held + "capture 400 a; refund 100 b; capture 100 b =4010", "AUTHORIZED 1000 400 0 100"},
		{"a refused capture stays refused", "create 1000; capture 400 a =6080; approve; capture 400 a =6080; capture 400 b", "AUTHORIZED 1000 400 0 0"},
		{"and with another amount too", held + "capture 2000 a =6090; capture 400 a =6090; capture 400 b", "AUTHORIZED 1000 400 0 0"},
		{"even when the payment was not there", "capture 400 a =5090; create 1000; approve; capture 400 a =5090; capture 400 b", "AUTHORIZED 1000 400 0 0"},
		{"a refused key is no other call's", held + "capture 2000 a =6090; refund 2000 a =4150", "AUTHORIZED 1000 0 0 0"},

		{"refund again", held + "capture 400 a; refund 100 b; refund 100 b", "AUTHORIZED 1000 400 0 100"},
		{"refund with another amount", held + "capture 400 a; refund 100 b; refund 200 b =4150", "AUTHORIZED 1000 400 0 100"},
		{"refund with a key of capture", held + "capture 400 a; refund 400 a =4150", "AUTHORIZED 1000 400 0 0"},

		{"a busy capture is not remembered", held + "busy 5s; capture 400 a =6280; wait 5s; capture 400 a", "AUTHORIZED 1000 400 0 0"},
		{"a busy refund is not remembered", held + "capture 400 a; busy 5s; refund 1 b =6160; wait 5s; refund 1 b", "AUTHORIZED 1000 400 0 1"},
		{"a busy cancel comes later", "create 1000; busy 5s; cancel =6250; wait 5s; cancel", "TERMINATED 0 0 1000 0"},
		{"a busy create is not remembered", "create 1000 k; busy 5s; create 1000 k =423; wait 5s; create 1000 k", "CREATED 0 0 0 0"},
		{"one too many is not remembered", "create 1000; approve; capture 1 a; capture 1 b; capture 1 c; capture 1 d; capture 1 e =429; wait 1m; capture 1 e", "AUTHORIZED 1000 5 0 0"},
	})
}

func TestSameKeyWithOtherTermsIsAConflict(t *testing.T) {
	first := Request{Key: "r", Ref: ref, Amount: 1000, Currency: payment.NOK, URL: "/app/1"}
	for name, change := range map[string]func(*Request){
		"terms":  func(r *Request) { r.Terms.Start++ },
		"digest": func(r *Request) { r.Digest[0]++ },
	} {
		b := NewBook()
		b.Create(0, first)
		other := first
		change(&other)
		if _, p := b.Create(0, other); p == nil || p.Code != "4020" || p.Status != 409 {
			t.Errorf("other %s: %+v, want 409 and 4020", name, p)
		}
	}
	b := NewBook()
	b.Create(0, first)
	again := first
	again.URL = "/app/2" // not part of what was asked
	if f, p := b.Create(0, again); p != nil || f.URL != first.URL {
		t.Errorf("again: %+v %+v, want the first link", f, p)
	}
}

func TestRefusalFromOutsideSticksToTheKey(t *testing.T) {
	b := NewBook()
	r := Request{Key: "r", Ref: ref, Amount: 1000, Currency: payment.NOK, Refused: "5050"}
	if _, p := b.Create(0, r); p == nil || p.Code != "5050" {
		t.Fatalf("%+v, want 5050", p)
	}
	r.Refused = ""
	if _, p := b.Create(0, r); p == nil || p.Code != "5050" {
		t.Errorf("mended, same key: %+v, want 5050", p)
	}
	r.Key = "r2"
	if _, p := b.Create(0, r); p != nil {
		t.Errorf("mended, new key: %+v", p)
	}
}

func TestFiveWritesAMinute(t *testing.T) {
	for name, steps := range map[string]string{
		"all four share one count":      "create 1000; approve; capture 400 a; refund 1 b; cancel; cancel =6050; refund 1 c =429",
		"refused writes count":          "create 99 k1 =4040; create 99 k2 =4040; create 99 k3 =4040; create 99 k4 =4040; create 99 k5 =4040; create 1000 =429",
		"repeated writes count":         "create 1000; create 1000; create 1000; create 1000; create 1000; create 1000 =429",
		"the window slides":             "create 1000; wait 30s; create 1000; create 1000; create 1000; create 1000; wait 29s; create 1000 =429; wait 1s; create 1000; create 1000 =429; wait 29s; create 1000 =429; wait 1s; create 1000",
		"what was limited counts not":   "create 1000; create 1000; create 1000; create 1000; create 1000; wait 59s; create 1000 =429; wait 1s; create 1000",
		"another reference has its own": "create 1000; create 1000; create 1000; create 1000; create 1000; create 1000 =429; create 1000 x A12-1-000002",
		"reads are not writes":          "create 1000; get; get; get; get; get; get; approve; capture 400 a",
		"unknown payments keep nothing": "cancel =5090; cancel =5090; cancel =5090; cancel =5090; cancel =5090; cancel =5090",
	} {
		t.Run(name, func(t *testing.T) { play(t, steps) })
	}
}

func TestLimitSaysWhenToComeBack(t *testing.T) {
	s := play(t, "create 1000; wait 10s; create 1000; create 1000; create 1000; create 1000; wait 20s")
	_, p := s.b.Cancel(s.now, ref, false)
	if p == nil || p.Status != 429 || p.After != 30*time.Second {
		t.Fatalf("%+v, want 429 and 30s", p)
	}
	if _, p := s.b.Cancel(s.now+p.After, ref, false); p != nil {
		t.Errorf("then: %+v", p)
	}
	s.b.Rules.WritesPerMinute = 0
	if _, p := s.b.Cancel(s.now+time.Hour, ref, false); p == nil || p.Status != 429 || p.After != time.Minute {
		t.Errorf("no writes allowed at all: %+v", p)
	}
}

func TestReadsAreLimitedToo(t *testing.T) {
	s := play(t, "create 1000")
	for range 120 {
		s.play("get")
	}
	s.now += 40 * time.Second
	if _, p := s.b.Get(s.now, ref); p == nil || p.Status != 429 || p.After != 20*time.Second {
		t.Fatalf("read 121: %+v, want 429 and 20s", p)
	}
	s.play("wait 20s; get")
	if n := len(s.b.Events(s.now, ref)); n != 1 {
		t.Errorf("%d events", n)
	}
}

func TestBookIsNeverOverfull(t *testing.T) {
	const most = 3
	b := NewBook()
	b.Rules.MaxKept = most
	for n := range uint64(2 * most) {
		b.Cancel(0, payment.NewRef("A12", 1, n), false)
	}
	if len(b.entries) != 0 {
		t.Fatalf("asking kept %d entries", len(b.entries))
	}
	for n := range uint64(most) {
		r := payment.NewRef("A12", 1, n)
		if _, p := b.Create(0, Request{Key: string(r), Ref: r, Amount: 1000, Currency: payment.NOK}); p != nil {
			t.Fatalf("payment %d: %+v", n, p)
		}
	}
	if _, p := b.Create(0, Request{Key: "more", Ref: ref + "-x", Amount: 1000, Currency: payment.NOK}); p == nil || p.Code != "5070" {
		t.Errorf("one more payment: %+v, want 5070", p)
	}
	b.Approve(0, ref)
	if _, p := b.Capture(0, Change{"more", ref, 1, payment.NOK}); p == nil || p.Code != "5070" {
		t.Errorf("one more key: %+v, want 5070", p)
	}
	if len(b.entries) != most || len(b.keys) != most {
		t.Errorf("keeps %d references and %d keys", len(b.entries), len(b.keys))
	}
}
