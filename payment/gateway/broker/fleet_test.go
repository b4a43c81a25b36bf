package broker

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"stolpe/payment/envelope"
)

// contents are all files of a folder, by their names in it.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	must(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		rel, _ := filepath.Rel(dir, name)
		all[rel] = string(text)
		return err
	}))
	return all
}

func TestAFleetHasItsFilesAndNobodyElseReadsThem(t *testing.T) {
	dir := fleet(t)
	var names []string
	must(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s may be read by others: %v", name, info.Mode())
		}
		if rel, _ := filepath.Rel(dir, name); !d.IsDir() && !strings.HasPrefix(rel, "posts/B12") && !strings.HasPrefix(rel, "posts/C12") && !strings.HasPrefix(rel, "gateways/gateway-2") && !strings.HasPrefix(rel, "people/reader-ann") {
			names = append(names, rel)
		}
		return err
	}))
	want := []string{
		"broker/acl", "broker/ca.pem", "broker/cert.pem", "broker/crl.pem", "broker/key.pem", "broker/mosquitto.conf", "ca.key", "ca.pem",
		"gateways/gateway-1/ca.pem", "gateways/gateway-1/cert.pem", "gateways/gateway-1/key.pem", "gateways/gateway-1/relay.key",
		"people/commander-bo/ca.pem", "people/commander-bo/cert.pem", "people/commander-bo/key.pem",
		"posts/A12/ca.pem", "posts/A12/cert.pem", "posts/A12/key.pem", "posts/A12/relay.key", "relay.key",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

func TestNothingIsMadeTwice(t *testing.T) {
	dir := fleet(t)
	before := contents(t, dir)
	for what, err := range map[string]error{
		"the fleet":                   Init(dir, "127.0.0.1"),
		"a gateway":                   AddGateway(dir, "gateway-1"),
		"a post":                      AddPost(dir, "acme", "A12"),
		"another tenant's post":       AddPost(dir, "other", "A12"),
		"a post but for its capitals": AddPost(dir, "acme", "a12"),
		"a reader of another tenant":  AddPerson(dir, "other", "reader-ann"),
	} {
		if !errors.Is(err, ErrTaken) {
			t.Errorf("%s: %v, want ErrTaken", what, err)
		}
	}
	if diff := cmp.Diff(before, contents(t, dir)); diff != "" {
		t.Errorf("files changed:\n%s", diff)
	}
}

func TestNamesThatAreNone(t *testing.T) {
	dir := fleet(t)
	before := contents(t, dir)
	for what, err := range map[string]error{
		"tenant with a level":       AddPost(dir, "acme/x", "Z1"),
		"tenant that is a wildcard": AddPost(dir, "+", "Z1"),
		"no tenant":                 AddPost(dir, "", "Z1"),
		"long tenant":               AddPost(dir, strings.Repeat("t", 33), "Z1"),
		"post with a level":         AddPost(dir, "acme", "A/1"),
		"post that leads elsewhere": AddPost(dir, "acme", ".."),
		"post that is a wildcard":   AddPost(dir, "acme", "#"),
		"post of two lines":         AddPost(dir, "acme", "Z1\ntopic readwrite #"),
		"post of digits":            AddPost(dir, "acme", "123"),
		"no post":                   AddPost(dir, "acme", ""),
		"long post":                 AddPost(dir, "acme", strings.Repeat("p", 17)),
		"post named as a gateway":   AddPost(dir, "acme", "Gateway-1"),
		"post named as a reader":    AddPost(dir, "acme", "reader-1"),
		"post named as a commander": AddPost(dir, "acme", "Commander-1"),
		"person named as a post":    AddPerson(dir, "acme", "A13"),
		"person without a name":     AddPerson(dir, "acme", "reader-"),
		"person of two lines":       AddPerson(dir, "acme", "reader-1\ntopic readwrite #"),
		"person of every tenant":    AddPerson(dir, "+", "reader-1"),
		"long person":               AddPerson(dir, "acme", "commander-"+strings.Repeat("p", 23)),
		"gateway named as a post":   AddGateway(dir, "A13"),
		"gateway without a name":    AddGateway(dir, "gateway-"),
		"gateway of two lines":      AddGateway(dir, "gateway-1\ntopic readwrite #"),
		"host with a port":          Init(filepath.Join(dir, "x"), "broker:8883"),
		"no host":                   Init(filepath.Join(dir, "x"), ""),
	} {
		if !errors.Is(err, ErrName) {
			t.Errorf("%s: %v, want ErrName", what, err)
		}
	}
	if err := Remove(dir, "nobody"); !errors.Is(err, ErrUnknown) {
		t.Errorf("remove nobody: %v, want ErrUnknown", err)
	}
	if diff := cmp.Diff(before, contents(t, dir)); diff != "" {
		t.Errorf("files changed:\n%s", diff)
	}
}

func TestACertificateIsGoodForOneThing(t *testing.T) {
	dir := fleet(t)
	for _, c := range []struct {
		folder string
		is     x509.ExtKeyUsage
		isNot  x509.ExtKeyUsage
	}{
		{"broker", x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		{"gateways/gateway-1", x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		{"posts/A12", x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		{"people/reader-ann", x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	} {
		folder := filepath.Join(dir, c.folder)
		cert := credentials(t, folder).Certificates[0].Leaf
		o := x509.VerifyOptions{Roots: roots(t, folder), KeyUsages: []x509.ExtKeyUsage{c.is}}
		if _, err := cert.Verify(o); err != nil {
			t.Errorf("%s: %v", c.folder, err)
		}
		o.KeyUsages[0] = c.isNot
		if _, err := cert.Verify(o); err == nil {
			t.Errorf("%s: can be used the other way round", c.folder)
		}
		if cert.IsCA {
			t.Errorf("%s: is an authority", c.folder)
		}
	}
	if err := credentials(t, filepath.Join(dir, "broker")).Certificates[0].Leaf.VerifyHostname("127.0.0.1"); err != nil {
		t.Error(err)
	}
}

func TestRelayKeysAreMadeOfTheFleets(t *testing.T) {
	dir := fleet(t)
	files := contents(t, dir)
	if files["gateways/gateway-1/relay.key"] != files["relay.key"] {
		t.Error("a gateway has another key than the fleet")
	}
	seen := make(map[string]bool)
	for _, name := range []string{"relay.key", "posts/A12/relay.key", "posts/B12/relay.key", "posts/C12/relay.key"} {
		if key := strings.TrimSpace(files[name]); len(key) != 64 || seen[key] {
			t.Errorf("%s: %d hex digits, or those of another", name, len(key))
		}
		seen[strings.TrimSpace(files[name])] = true
	}
	master, err := envelope.ParseKey(strings.TrimSpace(files["relay.key"]))
	must(t, err)
	posts, err := envelope.ParseKey(strings.TrimSpace(files["posts/C12/relay.key"]))
	must(t, err)
	if posts != master.Of("other", "C12") {
		t.Error("a post seals with another key than gateways open with")
	}
}

func TestSeveralCommandsAtOnceLoseNothing(t *testing.T) {
	dir := fleet(t)
	var all sync.WaitGroup
	posts := []string{"P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8"}
	for _, post := range posts {
		all.Go(func() {
			if err := AddPost(dir, "acme", post); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	acl := contents(t, dir)["broker/acl"]
	for _, post := range posts {
		if !strings.Contains(acl, "\nuser "+post+"\n") {
			t.Errorf("no rights for %s", post)
		}
	}
}

func TestWhatACutLeavesBehindIsPassedOver(t *testing.T) {
	dir := fleet(t)
	must(t, os.Mkdir(filepath.Join(dir, postFolder, unfinishedMark+"D12-1"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, brokerFolder, unfinishedMark+aclFile), []byte("half"), 0o600))
	must(t, AddPost(dir, "acme", "D12"))
	if acl := contents(t, dir)["broker/acl"]; !strings.Contains(acl, "\nuser D12\n") {
		t.Error("no rights for D12")
	}
}

func TestTheListOfVoidCertificatesGrows(t *testing.T) {
	dir := fleet(t)
	list := func() *x509.RevocationList {
		block, _ := pem.Decode([]byte(contents(t, dir)["broker/crl.pem"]))
		l, err := x509.ParseRevocationList(block.Bytes)
		must(t, err)
		return l
	}
	first := list()
	must(t, Remove(dir, "A12"))
	must(t, Remove(dir, "gateway-2"))
	must(t, Remove(dir, "commander-bo"))
	must(t, AddPost(dir, "acme", "A12")) // a new certificate, after the old one
	last := list()
	if len(first.RevokedCertificateEntries) != 0 || len(last.RevokedCertificateEntries) != 3 {
		t.Errorf("%d and then %d are void, want 0 and 3", len(first.RevokedCertificateEntries), len(last.RevokedCertificateEntries))
	}
	if !last.ThisUpdate.After(first.ThisUpdate) || last.Number.Cmp(first.Number) <= 0 {
		t.Error("the last list is no newer than the first")
	}
	serial := credentials(t, filepath.Join(dir, "posts/A12")).Certificates[0].Leaf.SerialNumber
	for _, e := range last.RevokedCertificateEntries {
		if e.SerialNumber.Cmp(serial) == 0 {
			t.Error("the new certificate is void, too")
		}
	}
}
