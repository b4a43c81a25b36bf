package vipps

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"stolpe/payment"
)

// fails asks for one operation that is answered like this, and says what came
// of it. Before a create that exists already, a payment of ours is there.
func fails(t *testing.T, op string, h http.HandlerFunc) (payment.Answer, *api, error) {
	t.Helper()
	return failsIn(t.Context(), t, op, h)
}

func failsIn(ctx context.Context, t *testing.T, op string, h http.HandlerFunc) (payment.Answer, *api, error) {
	t.Helper()
	s := start(t, approved()).on(op, h)
	o := order(payment.Settle)
	switch op {
	case "get", "token":
		o = order(payment.Look)
	case "create":
		o = order(payment.Reserve)
	case "cancel":
		o.Amount = 0
	}
	a, err := s.client(t).Ask(ctx, o)
	return a, s, err
}

// The columns say what a code means to a get, a create, a capture and a cancel.
// "held" to a create: the payment that exists was adopted.
func TestWhatEachCodeMeans(t *testing.T) {
	const all = "refused/rejected refused/rejected refused/rejected"
	const setup = "refused/setup refused/setup refused/setup"
	const later = "busy busy busy busy"
	const nobodyKnows = "unknown unknown unknown unknown"
	const tooLate = "unknown refused/too_late refused/too_late refused/too_late"
	for _, row := range []struct {
		codes string
		want  string
	}{
		{"3010", nobodyKnows},
		{"4010", "unknown refused/conflict refused/conflict refused/conflict"},
		{"4020 4150 6230", "unknown held refused/conflict unknown"},
		{"4040 4050 4060 4070 4080 4100 4110 4120 4130 4140 4160", "unknown " + all},
		{"5020 6110 6120 6130 7010 5100 6020 6150 6180 6210 6220", "unknown " + all},
		{"4090 5010 5030 5040 5050 5060 5070", "unknown " + setup},
		{"5080", "unknown refused/no_push refused/no_push refused/no_push"},
		{"5090", "missing unknown unknown unknown"},
		{"6010 6080", "unknown " + all},
		{"6030 6070 6100", tooLate},
		{"6040 6050 6060 6190", nobodyKnows},
		{"6090 6170 6200", nobodyKnows},
		{"6140", "unknown refused/no_partial refused/no_partial refused/no_partial"},
		{"6160 6250 6280", later},
		{"6260", "unknown refused/funds_gone refused/funds_gone refused/funds_gone"},
	} {
		for _, code := range strings.Fields(row.codes) {
			for i, op := range []string{"get", "create", "capture", "cancel"} {
				// The code decides, not the status it comes with.
				for _, status := range []int{400, 500} {
					a, s, err := fails(t, op, says(status, problemOf(status, code)))
					name, want := fmt.Sprintf("%s to %s with HTTP %d", code, op, status), strings.Fields(row.want)[i]
					checkRow(t, name, a, err, want, code)
					kind := []payment.CallKind{payment.NoCall, payment.Create, payment.Capture, payment.CancelAll}[i]
					if judged, exists := Judge(kind, status, code); exists != (want == "held") || !exists && brief(judged) != want || judged.Code != code {
						t.Errorf("%s: judged %+v, exists %v, want %s", name, judged, exists, want)
					}
					s.Close()
				}
			}
		}
	}
}

func checkRow(t *testing.T, name string, a payment.Answer, err error, want, code string) {
	t.Helper()
	if brief(a) != want {
		t.Errorf("%s: %s, want %s (%v)", name, brief(a), want, err)
	}
	if a.Status == payment.Held {
		return // adopted: the error is overcome
	}
	if a.Code != code {
		t.Errorf("%s: code %q", name, a.Code)
	}
	if (err == nil) != (a.Status == payment.Missing) {
		t.Errorf("%s: error %v", name, err)
	}
	if err != nil && !(strings.Contains(err.Error(), string(ref)) && strings.Contains(err.Error(), "00-abc-01") && strings.Contains(err.Error(), code)) {
		t.Errorf("%s: want reference, trace and code in %q", name, err)
	}
}

// In the service's own words, in the words of the gateway in front, and in
// nobody's: a page, half a document, nothing.
func TestWhatEachStatusMeansWithoutACode(t *testing.T) {
	const rejected = "unknown refused/rejected refused/rejected refused/rejected"
	const setup = "unknown refused/setup refused/setup refused/setup"
	const later = "busy busy busy busy"
	const nobodyKnows = "unknown unknown unknown unknown"
	for _, row := range []struct {
		status               int
		service, gate, nobdy string
	}{
		{302, nobodyKnows, nobodyKnows, nobodyKnows},
		{400, rejected, rejected, nobodyKnows},
		{401, later, later, later},
		{403, setup, setup, nobodyKnows},
		{404, "missing refused/setup unknown unknown", "unknown refused/setup unknown unknown", nobodyKnows},
		{408, nobodyKnows, nobodyKnows, nobodyKnows},
		{409, "unknown held refused/conflict unknown", "unknown held refused/conflict unknown", nobodyKnows},
		{422, rejected, rejected, nobodyKnows},
		{423, later, later, later},
		{429, later, later, later},
		{500, nobodyKnows, nobodyKnows, nobodyKnows},
		{502, nobodyKnows, nobodyKnows, nobodyKnows},
		{503, nobodyKnows, nobodyKnows, nobodyKnows},
		{504, nobodyKnows, nobodyKnows, nobodyKnows},
	} {
		gate := fmt.Sprintf(`{"statusCode":%d,"message":"No 00-abc-01"}`, row.status)
		for body, want := range map[string]string{
			problemOf(row.status, ""):     row.service,
			problemOf(row.status, "9999"): row.service, // a code we do not know
			gate:                          row.gate,
			"":                            row.nobdy,
			"<html>00-abc-01</html>":      row.nobdy,
			`{"title":`:                   row.nobdy,
			`{}`:                          row.nobdy,
			`[1]`:                         row.nobdy,
		} {
			for i, op := range []string{"get", "create", "capture", "cancel"} {
				a, s, err := fails(t, op, says(row.status, body))
				if want := strings.Fields(want)[i]; brief(a) != want {
					t.Errorf("HTTP %d %s to %s: %s, want %s (%v)", row.status, body, op, brief(a), want, err)
				}
				if a.Status != payment.Held && a.Code != fmt.Sprintf("HTTP %d", row.status) && a.Code != "9999" {
					t.Errorf("HTTP %d %s to %s: code %q", row.status, body, op, a.Code)
				}
				s.Close()
			}
		}
	}
}

// Without a token nothing is sent, so nothing can have changed.
func TestWithoutATokenTheSameMayBeAskedLater(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"wrong keys":    says(401, `{"error":"invalid_client","error_description":"00-abc-01"}`),
		"bad request":   says(400, `{"error":["a","b"]}`),
		"forbidden":     says(403, problemOf(403, "")),
		"broken":        says(500, ""),
		"garbage":       says(200, "<html>"),
		"no token":      says(200, `{"expires_in":"3600"}`),
		"no life":       says(200, `{"access_token":"a.b.c"}`),
		"life of zero":  says(200, `{"access_token":"a.b.c","expires_in":"0"}`),
		"life of words": says(200, `{"access_token":"a.b.c","expires_in":"soon"}`),
		"odd token":     says(200, `{"access_token":"a\r\nb","expires_in":"3600"}`),
		"lost":          func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		s := start(t, approved()).on("token", h)
		for _, verb := range []payment.Verb{payment.Look, payment.Reserve, payment.Settle} {
			a, err := s.client(t).Ask(t.Context(), order(verb))
			if brief(a) != "busy" || err == nil || !strings.Contains(err.Error(), string(ref)+": token") {
				t.Errorf("%s, %v: %s, %v", name, verb, brief(a), err)
			}
		}
		if got := s.asked(); got != "token token token" {
			t.Errorf("%s: asked %q", name, got)
		}
	}
}

func TestRetryAfterIsObeyedWithinReason(t *testing.T) {
	const now = "Fri, 20 Nov 2026 12:00:00 GMT"
	for _, row := range []struct {
		after, date string
		want        time.Duration
	}{
		{"", now, 0},
		{"7", "", 7 * time.Second},
		{"0", "", 0},
		{"-7", "", 0},
		{"1.5", "", 0},
		{"86400", "", maxWait},
		{"18446744073709551615", "", maxWait},
		{"Fri, 20 Nov 2026 12:00:30 GMT", now, 30 * time.Second},
		{"Fri, 20 Nov 2026 11:00:00 GMT", now, 0},
		{"Fri, 20 Nov 2037 12:00:00 GMT", now, maxWait},
		{"Fri, 20 Nov 2026 12:00:30 GMT", "yesterday", 0},
		{"soon", now, 0},
	} {
		for _, op := range []string{"token", "get", "create", "capture", "cancel"} {
			a, s, _ := fails(t, op, func(w http.ResponseWriter, r *http.Request) {
				w.Header()["Retry-After"], w.Header()["Date"] = []string{row.after}, []string{row.date}
				says(429, problemOf(429, ""))(w, r)
			})
			if a.Status != payment.Busy || a.Wait != row.want {
				t.Errorf("%s: Retry-After %q at %q: %v after %v", op, row.after, row.date, a.Status, a.Wait)
			}
			s.Close()
		}
	}
}
