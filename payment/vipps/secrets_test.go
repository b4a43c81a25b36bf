package vipps

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"stolpe/payment"
)

// echo is everything a request carries, keys and token among it.
func echo(r *http.Request) string {
	return fmt.Sprint(r.Header["Authorization"], r.Header["Client_secret"], r.Header["Ocp-Apim-Subscription-Key"])
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// A service, a gateway or a proxy may repeat what it was sent, anywhere in an
// answer. None of it may reach an error or a log.
func TestNoSecretIsEverTold(t *testing.T) {
	hidden := 0
	for name, parrot := range map[string]func(w http.ResponseWriter, r *http.Request){
		"problem": func(w http.ResponseWriter, r *http.Request) {
			e := quoted(echo(r))
			says(400, fmt.Sprintf(`{"type":%[1]s,"title":%[1]s,"detail":%[1]s,"instance":%[1]s,"traceId":%[1]s,"extraDetails":[{"name":"ErrorCode","reason":%[1]s},{"name":%[1]s,"reason":%[1]s}]}`, e))(w, r)
		},
		"gateway": func(w http.ResponseWriter, r *http.Request) {
			says(403, fmt.Sprintf(`{"statusCode":403,"message":%s}`, quoted(echo(r))))(w, r)
		},
		"token error": func(w http.ResponseWriter, r *http.Request) {
			says(401, fmt.Sprintf(`{"error":[%[1]s],"error_description":%[1]s}`, quoted(echo(r))))(w, r)
		},
		"at the cut": func(w http.ResponseWriter, r *http.Request) {
			says(400, fmt.Sprintf(`{"title":%s}`, quoted(strings.Repeat("x", maxDetail-10)+echo(r))))(w, r)
		},
		"state": func(w http.ResponseWriter, r *http.Request) {
			body := strings.Replace(getBody(approved(), payment.NOK, nil), `"AUTHORIZED"`, quoted(echo(r)), 1)
			says(200, body)(w, r)
		},
		"currency": func(w http.ResponseWriter, r *http.Request) {
			says(200, strings.ReplaceAll(getBody(approved(), payment.NOK, nil), `"NOK"`, quoted(echo(r))))(w, r)
		},
		"address": func(w http.ResponseWriter, r *http.Request) {
			says(201, fmt.Sprintf(`{"reference":%q,"redirectUrl":%s}`, ref, quoted("https://a b/"+echo(r))))(w, r)
		},
		"token": func(w http.ResponseWriter, r *http.Request) {
			says(200, fmt.Sprintf(`{"access_token":%[1]s,"expires_in":%[1]s}`, quoted(echo(r))))(w, r)
		},
		"page": func(w http.ResponseWriter, r *http.Request) { says(502, echo(r))(w, r) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://a.example/?"+echo(r), http.StatusTemporaryRedirect)
		},
		"no HTTP":  func(w http.ResponseWriter, r *http.Request) { scrawl(echo(r)+"\r\n\r\n")(w, r) },
		"bad code": func(w http.ResponseWriter, r *http.Request) { scrawl("HTTP/1.1 "+echo(r)+"\r\n\r\n")(w, r) },
		"bad head": func(w http.ResponseWriter, r *http.Request) { scrawl("HTTP/1.1 200 OK\r\n"+echo(r)+"\r\n\r\n")(w, r) },
		"lost":     hangUp,
	} {
		for _, op := range []string{"token", "get", "create", "capture", "cancel"} {
			a, s, err := fails(t, op, parrot)
			if err == nil {
				t.Errorf("%s to %s is no failure: %+v", name, op, a)
				continue
			}
			var log bytes.Buffer
			slog.New(slog.NewJSONHandler(&log, nil)).Error("asked", "error", err, "answer", a)
			slog.New(slog.NewTextHandler(&log, nil)).Error("asked", "error", err, "answer", a)
			told := err.Error() + fmt.Sprintf("%v %+v %#v %q", err, err, err, err) + log.String()
			if strings.Contains(told, "SECRET") {
				t.Errorf("%s to %s: %s", name, op, told)
			}
			if strings.Contains(err.Error(), "\n") || len(err.Error()) > 2000 {
				t.Errorf("%s to %s is not one line of a log: %q", name, op, err)
			}
			hidden += strings.Count(told, "[hidden]")
			s.Close()
		}
	}
	if hidden == 0 {
		t.Error("nothing had to be hidden: the parrots do not work")
	}
}

// Neither a client nor its configuration can be printed with its keys.
func TestPrintingShowsNoKeys(t *testing.T) {
	s := start(t, approved())
	c := s.client(t)
	if _, err := c.Ask(t.Context(), order(payment.Look)); err != nil {
		t.Fatal(err) // now it holds a token, too
	}
	config := s.config()
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("start", "config", config, "client", c)
	slog.New(slog.NewTextHandler(&log, nil)).Info("start", "config", &config, "client", c)
	told := log.String() + fmt.Sprintf("%v %+v %#v %s %q %v %+v %#v %v %+v", config, config, config, config, config, c, c, c, *c.config, &config)
	if strings.Contains(told, "SECRET") {
		t.Error(told)
	}
	for _, line := range strings.Split(strings.TrimSpace(log.String()), "\n") {
		if !strings.Contains(line, "123456") {
			t.Error("the sales unit is not told: ", line)
		}
	}
}
