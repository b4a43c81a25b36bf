package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The pages of a post that runs are found, and a stranger in their place is.
func TestGatewayCheck(t *testing.T) {
	file := configured(t, t.TempDir())
	s := serve(t, file)
	got := command("gateway", "check", "--config", file, "--public-url", s.pages)
	if got.code != 0 || !strings.Contains(got.stdout, "page A12  ok") {
		t.Errorf("%+v", got)
	}
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("welcome to nginx")) }))
	defer stranger.Close()
	got = command("gateway", "check", "--config", file, "--public-url", stranger.URL)
	if got.code != exitRemote || !strings.Contains(got.stdout, "somebody else is there") || !strings.Contains(got.stdout, "-> ") {
		t.Errorf("%+v", got)
	}
	if got := command("gateway", "qr", "--config", file, "--public-url", "http://x", "--evse", "3"); got.code != exitNotFound {
		t.Errorf("%+v", got)
	}
}
