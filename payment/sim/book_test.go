package sim

import (
	"testing"
	"time"

	"stolpe/payment"
)

const held1000 = "create 1000; approve; "

// row is a play and how the payment must stand after it.
type row struct{ name, steps, want string }

func rows(t *testing.T, list []row) {
	t.Helper()
	for _, r := range list {
		t.Run(r.name, func(t *testing.T) {
			if got := play(t, r.steps).sums(); got != r.want {
				t.Errorf("after %q: %s, want %s", r.steps, got, r.want)
			}
		})
	}
}

func TestCreateKeepsTheRules(t *testing.T) {
	rows(t, []row{
		{"nothing asked, nothing there", "get =5090", "none"},
		{"a new payment waits", "create 1000", "CREATED 0 0 0 0"},
		{"too little for the currency", "create 99 =4040", "none"},
		{"the smallest amount", "create 100", "CREATED 0 0 0 0"},
		{"other currencies have no such floor", "create 1 k " + string(ref) + " DKK", "CREATED 0 0 0 0"},
		{"the largest amount", "create 65000000", "CREATED 0 0 0 0"},
		{"too much", "create 65000001 =4040", "none"},
		{"a currency of cards only", "create 1000 k " + string(ref) + " SEK =5040", "none"},
		{"another market's currency", "unit DKK; create 1000 =5040", "none"},
		{"no key", "capture 1 =4140; create 1000 k; capture 400 =4140", "CREATED 0 0 0 0"},
		{"used reference", "create 1000 k1; create 1000 k2 =4150", "CREATED 0 0 0 0"},
	})
}

func TestPayerKeepsTheRules(t *testing.T) {
	rows(t, []row{
		{"the payer approves", held1000 + "approve =no; decline =no", "AUTHORIZED 1000 0 0 0"},
		{"the payer declines", "create 1000; decline; approve =no", "ABORTED 0 0 0 0"},
		{"nobody to approve for", "approve =no; decline =no; kill =no", "none"},
		{"just in time", "create 1000; wait 9m59s; approve", "AUTHORIZED 1000 0 0 0"},
		{"too late", "create 1000; wait 10m; approve =no; decline =no", "EXPIRED 0 0 0 0"},
		{"an approved payment does not expire", held1000 + "wait 240h", "AUTHORIZED 1000 0 0 0"},
	})
}

func TestCaptureKeepsTheRules(t *testing.T) {
	rows(t, []row{
		{"captured in parts", held1000 + "capture 400 a; capture 600 b", "AUTHORIZED 1000 1000 0 0"},
		{"captured before approval", "create 1000; capture 400 a =6080", "CREATED 0 0 0 0"},
		{"captured after refusal", "create 1000; decline; capture 400 a =6200", "ABORTED 0 0 0 0"},
		{"captured after expiry", "create 1000; wait 1h; capture 400 a =6200", "EXPIRED 0 0 0 0"},
		{"captured too much", held1000 + "capture 400 a; capture 601 b =6090", "AUTHORIZED 1000 400 0 0"},
		{"nothing left to capture", held1000 + "capture 1000 a; capture 1 b =6170", "AUTHORIZED 1000 1000 0 0"},
		{"captured after a cancel", held1000 + "cancel; capture 400 a =6070", "AUTHORIZED 1000 0 1000 0"},
		{"captured after the rest was cancelled", held1000 + "capture 400 a; cancel; capture 1 b =6070", "AUTHORIZED 1000 400 600 0"},
		{"captured after the portal released", held1000 + "kill; capture 400 a =6070; kill =no", "AUTHORIZED 1000 0 1000 0"},
		{"captured nothing", held1000 + "capture 0 a =6010; capture -5 b =6010", "AUTHORIZED 1000 0 0 0"},
		{"captured little", held1000 + "capture 1 a", "AUTHORIZED 1000 1 0 0"},
		{"captured too little", "unit min-capture-100; " + held1000 + "capture 99 a =6010; capture 100 b", "AUTHORIZED 1000 100 0 0"},
		{"captured in another currency", held1000 + "capture 400 a " + string(ref) + " DKK =5040", "AUTHORIZED 1000 0 0 0"},
		{"captured in part where that is off", "unit whole-only; " + held1000 + "capture 400 a =6140; capture 1000 b", "AUTHORIZED 1000 1000 0 0"},
		{"captured what the bank let go", held1000 + "bank let-go; capture 400 a =6260; bank has-it; capture 400 a =6260; capture 400 b", "AUTHORIZED 1000 400 0 0"},
		{"captured on the last day", held1000 + "wait 4319h59m; capture 400 a", "AUTHORIZED 1000 400 0 0"},
		{"captured too late", held1000 + "wait 4320h; capture 400 a =6100", "AUTHORIZED 1000 0 1000 0"},
		{"the rest goes back by itself", "unit 14-days; " + held1000 + "capture 400 a; wait 336h; cancel =6030", "AUTHORIZED 1000 400 600 0"},
		{"captured an unknown payment", "capture 400 a =5090", "none"},
	})
}

func TestCancelKeepsTheRules(t *testing.T) {
	rows(t, []row{
		{"cancelled before approval", "create 1000; cancel; cancel =6050; approve =no", "TERMINATED 0 0 1000 0"},
		{"cancelled if unapproved", "create 1000; cancel-unapproved", "TERMINATED 0 0 1000 0"},
		{"the payer was faster", held1000 + "cancel-unapproved =6060", "AUTHORIZED 1000 0 0 0"},
		{"cancelled whole", held1000 + "cancel", "AUTHORIZED 1000 0 1000 0"},
		{"cancelled the rest", held1000 + "capture 400 a; cancel", "AUTHORIZED 1000 400 600 0"},
		{"cancelled twice", held1000 + "cancel; cancel =6050", "AUTHORIZED 1000 0 1000 0"},
		{"cancelled twice where that is fine", "unit cancel-again-ok; " + held1000 + "cancel; cancel", "AUTHORIZED 1000 0 1000 0"},
		{"cancelled what is captured", held1000 + "capture 1000 a; cancel =6040", "AUTHORIZED 1000 1000 0 0"},
		{"cancelled what was declined", "create 1000; decline; cancel =6050", "ABORTED 0 0 0 0"},
		{"cancelled what expired", "create 1000; wait 10m; cancel =6050", "EXPIRED 0 0 0 0"},
		{"cancelled an unknown payment", "cancel =5090", "none"},
		{"cancelled a payment that was never granted", "create 99 =4040; cancel =5090; capture 1 a =5090; refund 1 b =5090", "none"},
	})
}

func TestRefundKeepsTheRules(t *testing.T) {
	rows(t, []row{
		{"refunded in parts", held1000 + "capture 400 a; refund 100 b; refund 300 c", "AUTHORIZED 1000 400 0 400"},
		{"refunded all and more", held1000 + "capture 400 a; refund 400 b; refund 1 c =6180", "AUTHORIZED 1000 400 0 400"},
		{"refunded too much", held1000 + "capture 400 a; refund 401 b =6150", "AUTHORIZED 1000 400 0 0"},
		{"refunded too much in parts", held1000 + "capture 400 a; refund 100 b; refund 301 c =6150; refund 300 d", "AUTHORIZED 1000 400 0 400"},
		{"refunded before capture", held1000 + "refund 1 a =6150", "AUTHORIZED 1000 0 0 0"},
		{"refunded before approval", "create 1000; refund 1 a =6020", "CREATED 0 0 0 0"},
		{"refunded after refusal", "create 1000; decline; refund 1 a =6210", "ABORTED 0 0 0 0"},
		{"refunded nothing", held1000 + "capture 400 a; refund 0 b =6010", "AUTHORIZED 1000 400 0 0"},
		{"refunded in another currency", held1000 + "capture 400 a; refund 1 b " + string(ref) + " EUR =5040", "AUTHORIZED 1000 400 0 0"},
		{"refunded on the last day", held1000 + "wait 24h; capture 400 a; cancel; wait 8759h; refund 1 b", "AUTHORIZED 1000 400 600 1"},
		{"refunded too late", held1000 + "capture 400 a; wait 8760h; refund 1 b =6220", "AUTHORIZED 1000 400 600 0"},
		{"refunded an unknown payment", "refund 1 a =5090", "none"},
	})
}

func TestEventsTellWhatHappened(t *testing.T) {
	for steps, want := range map[string]string{
		"create 1000; approve; capture 400 a; cancel; refund 100 b": "CREATED 1000 r, AUTHORIZED 1000, CAPTURED 400 a, CANCELLED 600, REFUNDED 100 b",
		"create 1000; cancel":                            "CREATED 1000 r, TERMINATED 1000",
		"create 1000; decline":                           "CREATED 1000 r, ABORTED 1000",
		"create 1000; wait 24h":                          "CREATED 1000 r, EXPIRED 1000",
		"unit 14-days; create 1000; approve; wait 8760h": "CREATED 1000 r, AUTHORIZED 1000, CANCELLED 1000",
		"create 1000; approve; kill":                     "CREATED 1000 r, AUTHORIZED 1000, CANCELLED 1000",
		"create 1000; approve; bank let-go; capture 400 a =6260; capture 400 a =6260": "CREATED 1000 r, AUTHORIZED 1000, CAPTURED 400 a!",
		"create 1000; approve; capture 2000 a =6090":                                  "CREATED 1000 r, AUTHORIZED 1000",
		"create 99 =4040": "",
	} {
		if got := play(t, steps).log(); got != want {
			t.Errorf("%s:\n got %s\nwant %s", steps, got, want)
		}
	}
}

func TestWhatTimeDoesIsDatedWhenItHappened(t *testing.T) {
	s := play(t, "create 1000; wait 48h")
	events := s.b.Events(s.now, ref)
	if at, want := events[1].At, time.Hour+10*time.Minute; at != want {
		t.Errorf("expired at %v, want %v", at, want)
	}
	s = play(t, "unit 14-days; create 1000; approve; wait 8760h")
	events = s.b.Events(s.now, ref)
	if at, want := events[2].At, time.Hour+14*day; at != want {
		t.Errorf("released at %v, want %v", at, want)
	}
	if events[0].PSP == events[1].PSP || events[1].PSP == events[2].PSP {
		t.Errorf("events share a pspReference: %+v", events)
	}
}

func TestLinkIsToldWhileThereIsSomethingToApprove(t *testing.T) {
	r := Request{Key: "r", Ref: ref, Amount: 1000, Currency: payment.NOK, URL: "/app/x"}
	for _, hidden := range []bool{false, true} {
		b := NewBook()
		b.Rules.HideURL = hidden
		urls := [4]string{}
		for i, ask := range []func() (payment.Found, *Problem){
			func() (payment.Found, *Problem) { return b.Create(1, r) },
			func() (payment.Found, *Problem) { return b.Create(2, r) },
			func() (payment.Found, *Problem) { return b.Get(3, ref) },
			func() (payment.Found, *Problem) { b.Approve(4, ref); return b.Get(4, ref) },
		} {
			f, p := ask()
			if p != nil {
				t.Fatalf("%+v", p)
			}
			urls[i] = f.URL
		}
		want := [4]string{"/app/x", "/app/x", "/app/x", ""}
		if hidden {
			want = [4]string{"/app/x", "", "", ""}
		}
		if urls != want {
			t.Errorf("hidden %v: %q, want %q", hidden, urls, want)
		}
	}
}

func TestTermsComeBack(t *testing.T) {
	b := NewBook()
	terms := payment.Terms{EVSE: "A12/1", Start: 4711}
	b.Create(0, Request{Key: "r", Ref: ref, Amount: 1000, Currency: payment.NOK, Terms: terms})
	if f, p := b.Get(0, ref); p != nil || f.Terms != terms {
		t.Errorf("%+v %+v", f, p)
	}
}

func TestPaymentsComeInOrderOfCreation(t *testing.T) {
	b := NewBook()
	want := []payment.Ref{"B12-1-000001", "A12-1-000002", "A12-1-000001"}
	for _, r := range want {
		b.Create(0, Request{Key: string(r), Ref: r, Amount: 1000, Currency: payment.NOK})
	}
	b.Create(0, Request{Key: "never", Ref: "A12-1-000003", Amount: 1, Currency: payment.NOK})
	var got []payment.Ref
	for p := range b.Payments(0) {
		got = append(got, p.Ref)
	}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("%v, want %v", got, want)
	}
	for p := range b.Payments(0) {
		if p.Ref != want[0] {
			t.Errorf("%v after the caller had enough", p.Ref)
		}
		break
	}
}
