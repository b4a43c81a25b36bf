package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStickerIsDrawn(t *testing.T) {
	b := newBank(t)
	dir := t.TempDir()
	for _, x := range []struct{ name, begin string }{{"a12.svg", "<svg "}, {"a12.pdf", "%PDF-"}, {"A12.PDF", "%PDF-"}} {
		file := filepath.Join(dir, x.name)
		got := b.stolpe("qr sticker --evse 1 --out", file)
		if got.code != 0 || got.stderr != "" || !strings.Contains(got.stdout, "code A12-1 leads to https://lad.example.no/A12\n") || !strings.Contains(got.stdout, "100 %") {
			t.Errorf("%+v", got)
		}
		drawn, err := os.ReadFile(file)
		if err != nil || !bytes.HasPrefix(drawn, []byte(x.begin)) || len(drawn) < 1000 {
			t.Errorf("%s: %v, %.40q", x.name, err, drawn)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("%v, %v", info, err)
		}
	}
	svg, _ := os.ReadFile(filepath.Join(dir, "a12.svg"))
	for _, want := range []string{">A12<", "lad.example.no", "+47 22 00 00 00", "data:image/svg+xml;base64,"} {
		if !bytes.Contains(svg, []byte(want)) {
			t.Errorf("no %q on the sticker", want)
		}
	}
	var j codeJSON
	got := b.stolpe("qr sticker --json --out", filepath.Join(dir, "b.svg")) // there is one EVSE
	if err := json.Unmarshal([]byte(got.stdout), &j); err != nil || j.ID != "A12-1" || j.Target != "https://lad.example.no/A12" || !strings.HasSuffix(j.File, "b.svg") {
		t.Errorf("%+v, %+v", j, got)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.*.*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if codes, err := b.client.Codes(t.Context()); err != nil || len(codes) != 1 {
		t.Errorf("one code is wanted: %+v, %v", codes, err)
	}
	if got := b.stolpe("qr sticker --evse 2 --out", filepath.Join(dir, "c.svg")); got.code != exitNotFound || !strings.Contains(got.stderr, "add --evse 1") {
		t.Errorf("%+v", got)
	}
	if got := b.stolpe("qr sticker --out", filepath.Join(dir, "none", "c.svg")); got.code != exitFailed || !strings.Contains(got.stderr, "name another file with --out") {
		t.Errorf("%+v", got)
	}
}

// A code that leads elsewhere is not touched by drawing it.
func TestStickerOfACodeThatLeadsElsewhere(t *testing.T) {
	b := newBank(t)
	file := filepath.Join(t.TempDir(), "a.svg")
	b.stolpe("qr sticker --out", file)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	got := b.stolpe("qr retarget A12-1 https://old.example.no/A12")
	if got.code != exitRefused || !strings.Contains(got.stderr, "leads to https://lad.example.no/A12 as before") || !strings.Contains(got.stderr, "with --yes") {
		t.Errorf("%+v", got)
	}
	if got := b.stolpe("qr retarget A12-1 https://old.example.no/A12 --yes"); got.code != 0 || !strings.Contains(narrow(got.stdout), "leads to https://old.example.no/A12\n") {
		t.Errorf("%+v", got)
	}
	got = b.stolpe("qr sticker --out", file)
	if got.code != exitRefused || !strings.Contains(got.stderr, "stolpe qr retarget A12-1 https://lad.example.no/A12 --yes changes that") {
		t.Errorf("%+v", got)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a sticker was drawn all the same")
	}
}

func TestCodesAreShownAndDeleted(t *testing.T) {
	b := newBank(t)
	if got := b.stolpe("qr list"); got.code != 0 || !strings.Contains(got.stdout, "has no codes") {
		t.Errorf("%+v", got)
	}
	b.stolpe("qr sticker --out", filepath.Join(t.TempDir(), "a.svg"))
	if got := b.stolpe("qr list"); got.code != 0 || !strings.Contains(narrow(got.stdout), "ID LEADS TO UNTIL\nA12-1 https://lad.example.no/A12 for ever\n") {
		t.Errorf("%+v", got)
	}
	if got := b.stolpe("qr list --json"); got.code != 0 || got.stdout != `{"id":"A12-1","target":"https://lad.example.no/A12"}`+"\n" {
		t.Errorf("%+v", got)
	}
	if got := b.stolpe("qr show A12-1"); got.code != 0 || !strings.Contains(narrow(got.stdout), "picture says "+b.url+"/scan/") {
		t.Errorf("%+v", got)
	}
	for _, line := range []string{"qr show A12-9", "qr retarget A12-9 https://lad.example.no/x --yes", "qr delete A12-9 --yes"} {
		if got := b.stolpe(line); got.code != exitNotFound || !strings.Contains(got.stderr, `sales unit 123456 has no code "A12-9"; stolpe qr list has them`) {
			t.Errorf("%s: %+v", line, got)
		}
	}
	if got := b.stolpe("qr delete A12-1"); got.code != exitRefused || !strings.Contains(got.stderr, "nothing brings it back; the same command with --yes does it") {
		t.Errorf("%+v", got)
	}
	if got := b.stolpe("qr delete A12-1 --yes"); got.code != 0 || !strings.Contains(got.stdout, "deleted: code A12-1, which led to https://lad.example.no/A12") {
		t.Errorf("%+v", got)
	}
	if got := b.stolpe("qr show A12-1"); got.code != exitNotFound {
		t.Errorf("%+v", got)
	}
}

func TestStickerNeedsAnAddressThatPhonesReach(t *testing.T) {
	b := newBank(t)
	text, err := os.ReadFile(b.file)
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, "near.yaml", strings.ReplaceAll(string(text), "https://lad.example.no", "http://127.0.0.1:8080"))
	got := command("qr", "sticker", "--out", "a.svg", "--config", file)
	if got.code != exitConfig || !strings.Contains(got.stderr, "web.public_url is http://127.0.0.1:8080, where no phone comes") {
		t.Errorf("%+v", got)
	}
}
