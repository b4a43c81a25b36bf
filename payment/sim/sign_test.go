package sim

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

// TestSignatureIsThePublishedOne holds the scheme against the one complete example
// of the webhooks guide (2023); its secret is an example, too.
func TestSignatureIsThePublishedOne(t *testing.T) {
	u, err := url.Parse("https://webhook.site/e2cee29b-012e-4f1d-8ef4-e95fd74a7a63")
	if err != nil {
		t.Fatal(err)
	}
	at, err := http.ParseTime("Thu, 30 Mar 2023 08:38:32 GMT")
	if err != nil {
		t.Fatal(err)
	}
	h := hook{url: u, secret: "A0+AeKBRG2KRGvnNwJpQlb6IJFk48CKXCIcrLoHncVJKDILsQSxS6NWCccwWm6r6FhGKhiHTBsG2wo/xU6FY/A=="}
	body := `{"some-unique-content":"ee6e441b-cc4a-46f8-895d-a5af79bcc233/hello-world"}`
	r := h.signed(t.Context(), at.In(time.FixedZone("CET", 3600)), []byte(body))
	for name, want := range map[string]string{
		"x-ms-date":           "Thu, 30 Mar 2023 08:38:32 GMT",
		"x-ms-content-sha256": "lNlsp1XA03N34HrQsVzPgJKtC+r7l/RBF4V3JQUWMj4=",
		"Authorization":       "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=agAiSyogQbDHpeucoNwYz+yAr5nJ+v+zasdkSbqzv+U=",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if r.Host != "webhook.site" || r.ContentLength != int64(len(body)) {
		t.Errorf("%s, %d bytes", r.Host, r.ContentLength)
	}
}
