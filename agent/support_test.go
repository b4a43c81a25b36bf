package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stolpe/agent/control"
	"stolpe/agent/journal"
	"stolpe/agent/ledger"
	"stolpe/agent/session"
	"stolpe/agent/support"
	"stolpe/hal"
	"stolpe/payment"
)

// planted is what a test hides in a post, and must not find in a bundle.
func planted() map[string]string {
	return map[string]string{
		"client id":           "7b1c2d3e-id-of-the-client-99",
		"client secret":       "hemmelig8Q~93jdx",
		"subscription key":    "0123456789abcdef0123456789abcdef",
		"secret of a webhook": "whsec-5hJkQ83lmN0",
		"secret in a comment": "gammelt-passord-17",
		"reference":           "A12-1-000042",
		"document":            "A12/1-000018",
		"key of a refund":     "A12-1-000042-r1-9f",
		"phone":               "912 34 567",
		"phone, plain":        "4791234567",
		"mail":                "kari@eksempel.no",
		"login":               "kari",
		"admin":               "oddvar",
		"who sealed":          "Bjarne Vik",
		"page":                "Zk3vQ9pLw2XyT7uB5nR1aQ",
		"holder":              "holder of page 1",
	}
}

// plantedPost makes a post that has charged, with everything planted, and a journalctl
// that tells all of it.
func plantedPost(t *testing.T) (file, state string) {
	t.Helper()
	p := planted()
	state = filepath.Join(t.TempDir(), "state")
	if err := os.MkdirAll(state, 0o700); err != nil {
		t.Fatal(err)
	}
	kept := func(name, secret string) string { return `"file:` + write(t, name, secret) + `"` }
	file = configured(t, state, `web: {listen: "127.0.0.1:0"}`, `web: {listen: "127.0.0.1:0", public_url: "http://127.0.0.1:8080"}`, "payment: {through: sim}", `payment: {through: vipps, vipps: {base_url: "http://127.0.0.1:9", msn: "123456", client_id: `+
		kept("id", p["client id"])+`, client_secret: `+kept("secret", p["client secret"])+`, subscription_key: `+kept("key", p["subscription key"])+`}}  # `+p["secret in a comment"])
	put(t, filepath.Join(state, "hooks.json"), `[{"id":"1","secret":"`+p["secret of a webhook"]+`"}]`)
	plain := must(os.ReadFile(filepath.Clean(file)))
	put(t, file, strings.Replace(string(plain), "control: {", "control: {admins: ["+p["admin"]+"], ", 1))
	put(t, filepath.Join(state, "seal.json"), `{"key":"abc","by":"`+p["who sealed"]+`"}`) // it has been taken off since, as doctor says
	plantJournal(t, state)
	plantLedger(t, filepath.Join(state, "ledger.jsonl"))
	var all strings.Builder
	for what, secret := range p {
		if what == "holder" || what == "secret in a comment" { // they are where they are, and in no log
			continue
		}
		all.WriteString(strings.Replace(what, "login", "iss", 1) + "=" + map[bool]string{true: "local:"}[what == "login"] + secret + "\n")
	}
	said := write(t, "said", all.String())
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "journalctl"), []byte("#!/bin/sh\ncat "+said+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return file, state
}

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// plantedDebt is a charge that was not paid.
func plantedDebt() session.Debt {
	d := debt(42, 18, 0)
	copy(d.Holder[:], planted()["holder"])
	at := hal.Stamp{Unix: time.Now().Add(-time.Hour).Unix(), Clock: hal.ClockSynced}
	d.Start, d.End, d.Held, d.Started, d.Ended, d.Trouble, d.Due = 1000, 9640, true, at, at, payment.Rejected, 4743
	return d
}

func plantJournal(t *testing.T, state string) {
	t.Helper()
	if err := journal.Install(state, "evse-1", "A12/1"); err != nil {
		t.Fatal(err)
	}
	j, _, err := journal.Open(state, "evse-1", "A12/1")
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	k := session.Kept{Counter: 42, Receipts: 18, Serial: "22110345", Resting: 9640, Latched: session.Welded, Done: []session.Debt{plantedDebt()}}
	if err := j.Append(k.Append(nil)); err != nil {
		t.Fatal(err)
	}
}

func plantLedger(t *testing.T, path string) {
	t.Helper()
	p := planted()
	book, _, err := ledger.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	ref, d := payment.Ref(p["reference"]), plantedDebt()
	sale := ledger.SaleOf(d, p["document"], "m", "22110345")
	told := "asked by " + p["mail"] + ", " + p["phone"] + ", about " + p["reference"] + " and /s/" + p["page"]
	now := time.Now().Unix()
	for _, e := range []ledger.Entry{
		{Kind: ledger.SessionCreated, EVSE: 1, Ref: ref, Session: ledger.Created(&d.Charge)},
		{Kind: ledger.Sold, EVSE: 1, Ref: ref, Sale: &sale},
		{Kind: ledger.Void, EVSE: 1, Gap: &ledger.Gap{From: 18, To: 18, Why: told}},
		{Kind: ledger.RefundIntent, EVSE: 1, Ref: ref, Refund: &ledger.Refund{Key: p["key of a refund"], Amount: 100, Currency: payment.NOK, Reason: told}},
		{Kind: ledger.CommandAccepted, EVSE: 1, Command: &ledger.Command{ID: "01J", Name: "service/out", Issuer: "local:" + p["login"], Text: told}},
	} {
		e.At, e.Clock = now, "synced"
		if err := book.Append(e); err != nil {
			t.Fatal(err)
		}
	}
}

// inside is every file of a bundle.
func inside(t *testing.T, file string) (*support.Bundle, map[string]string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := support.Read(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	bundle.Each(func(p support.Piece) { all[p.Name] = string(p.Body) })
	return bundle, all
}

// What is secret or personal is in no file of a bundle, whether the daemon tells or the
// files of the post do.
func TestBundleTellsNoSecrets(t *testing.T) {
	file, _ := plantedPost(t)
	t.Setenv("STOLPE_CONTROL_DIR", t.TempDir())
	for _, source := range []string{"files", "daemon"} {
		out := filepath.Join(t.TempDir(), "b.tar.gz")
		if source == "daemon" {
			serveLocally(t, file)
		}
		got := command("support", "bundle", "--config", file, "--out", out)
		if got.code != 0 || !strings.Contains(got.stdout, "ledger.jsonl") {
			t.Fatalf("%+v", got)
		}
		head, all := inside(t, out)
		if !strings.Contains(head.Source, source) || !head.Veiled {
			t.Errorf("from %q, redacted %v", head.Source, head.Veiled)
		}
		all["standard output"] = got.stdout + got.stderr
		noneIsTold(t, source, all)
		if t.Failed() {
			return
		}
		mark := markOf(t, all["evse-1.json"])
		for _, name := range []string{"ledger.jsonl", "log.txt"} {
			if !strings.Contains(all[name], mark) {
				t.Errorf("%s: %s: the charge is %s elsewhere, and not here:\n%s", source, name, mark, all[name])
			}
		}
		for _, word := range []string{"CON-001", "rejected", "22110345"} {
			if !strings.Contains(all["evse-1.json"], word) {
				t.Errorf("%s: evse-1.json does not tell %q:\n%s", source, word, all["evse-1.json"])
			}
		}
	}
}

func noneIsTold(t *testing.T, source string, all map[string]string) {
	t.Helper()
	for what, secret := range planted() {
		for _, form := range []string{secret, hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret))} {
			for name, text := range all {
				if strings.Contains(text, form) {
					t.Errorf("%s: %s tells the %s:\n%s", source, name, what, text)
				}
			}
		}
	}
	for name, text := range all {
		for _, number := range []string{`"number":42`, `"number": 42`, `"document":18`, `"from":18`} {
			if strings.Contains(text, number) {
				t.Errorf("%s: %s tells %s", source, name, number)
			}
		}
	}
}

func markOf(t *testing.T, evse string) string {
	t.Helper()
	var f evseFile
	if err := json.Unmarshal([]byte(evse), &f); err != nil || len(f.Done) == 0 {
		t.Fatalf("%v in %s", err, evse)
	}
	k, err := session.Decode(f.Record)
	if err != nil || k.Done[0].Number == 42 || strings.Contains(string(f.Record), planted()["holder"]) {
		t.Fatalf("record: %v, %+v", err, k)
	}
	return f.Done[0].Charge
}

// Without redaction the references are there, and keys still are not.
func TestBundleNotRedacted(t *testing.T) {
	file, _ := plantedPost(t)
	t.Setenv("STOLPE_CONTROL_DIR", t.TempDir())
	out := filepath.Join(t.TempDir(), "b.tar.gz")
	got := command("support", "bundle", "--no-redact", "--json", "--config", file, "--out", out)
	if got.code != 0 || !strings.Contains(got.stdout, `"redacted":false`) {
		t.Fatalf("%+v", got)
	}
	_, all := inside(t, out)
	for what, secret := range planted() {
		text := all["ledger.jsonl"] + all["evse-1.json"] + all["config.txt"]
		if key := strings.Contains(what, "client") || strings.HasPrefix(what, "sub") || strings.HasPrefix(what, "secret"); key && strings.Contains(text, secret) {
			t.Errorf("the %s is told", what)
		}
	}
	if ref := planted()["reference"]; !strings.Contains(all["ledger.jsonl"], ref) {
		t.Errorf("ledger without %s:\n%s", ref, all["ledger.jsonl"])
	}
}

// A bundle of a post whose configuration is broken says so, and has what there is.
func TestBundleOfABrokenPost(t *testing.T) {
	t.Setenv("STOLPE_CONTROL_DIR", t.TempDir())
	file := write(t, "stolpe.yaml", "post: {idd: A12}\n")
	out := filepath.Join(t.TempDir(), "b.tar.gz")
	got := command("support", "bundle", "--config", file, "--out", out)
	_, all := inside(t, out)
	if got.code != 0 || !strings.Contains(all["config.txt"], "post.idd") || !strings.Contains(got.stdout, "there is no ledger") {
		t.Errorf("%+v\n%s", got, all["config.txt"])
	}
	if got := command("support", "bundle", "--since", "0s"); got.code != exitUsage {
		t.Errorf("--since 0s: %+v", got)
	}
}

// Who drivers and payments are is for an admin.
func TestBundleOfATechnicianIsRedacted(t *testing.T) {
	err := (&local{}).tellSupport(t.Context(), control.Caller{Role: control.Technician}, []byte(`{"plain":true,"since":"2026-11-20T00:00:00Z"}`), func(any) error {
		t.Error("something was told")
		return nil
	})
	var no control.Refusal
	if !errors.As(err, &no) || no.Code != control.NotPermitted {
		t.Errorf("%v", err)
	}
}
