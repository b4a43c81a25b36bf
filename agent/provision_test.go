package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"stolpe/display"
)

// bootCard is a boot partition with a folder for a post, and the post's own /etc.
type bootCard struct {
	boot, etc string
	p         provisioning
}

// aCard has answers, a secret in a file, one for systemd-creds, and certificates.
func aCard(t *testing.T) *bootCard {
	t.Helper()
	c := &bootCard{boot: t.TempDir(), etc: filepath.Join(t.TempDir(), "stolpe")}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	c.p = provisioning{from: filepath.Join(c.boot, "stolpe"), user: me.Username, lang: display.EN}
	c.p.file, c.p.plain, c.p.sealed = filepath.Join(c.etc, "stolpe.yaml"), filepath.Join(c.etc, "secrets"), filepath.Join(c.etc, "credstore")
	c.p.seals = func(_ context.Context, _, path, value string) error {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		return os.WriteFile(path, []byte("sealed "+value), 0o600)
	}
	cert, key := pair(t)
	c.put(t, "stolpe/stolpe-setup.yaml", "\ufeff"+strings.NewReplacer("ETC", c.etc, "\n", "\r\n").Replace(cardAnswers))
	c.put(t, "stolpe/secrets/vipps-id", "\ufeffan-id\r\n")
	c.put(t, "stolpe/secrets/vipps-client-secret", "hunter2\n")
	c.put(t, "stolpe/secrets/sub", "subscribed")
	c.put(t, "stolpe/certificates/ca.pem", cert)
	c.put(t, "stolpe/certificates/post.pem", cert)
	c.put(t, "stolpe/certificates/post.key", key)
	c.put(t, "stolpe/.DS_Store", "litter")
	return c
}

const cardAnswers = `post: {id: B7, name: Torget 3, helpdesk: "+47 22 00 00 00", tenant: acme}
seller: {name: Eksempel Lading AS, org_no: "999999999"}
meter: {url: "tcp://127.0.0.1:502", model: eastron_sdm120, shown: "12.30"}
contactor: {line: GPIO17, sense: GPIO27}
price: {kwh: "5.49"}
payment:
  through: vipps
  vipps: {msn: "123456", client_id: "file:ETC/secrets/vipps-id", subscription_key: "file:ETC/secrets/sub"}
web: {public_url: "https://lad.example.no", listen: "127.0.0.1:8080"}
mqtt: {url: "mqtts://broker:8883", ca: ETC/ca.pem, cert: ETC/post.pem, key: ETC/post.key}
`

// pair is a certificate and its key.
func pair(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	inside, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: inside}))
}

func (c *bootCard) put(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(c.boot, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// tree is every file of a folder, by its path.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, dir+"/")] = string(text)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return all
}

// provisionedWell says what is not as it should be after a provisioning.
func (c *bootCard) provisionedWell(t *testing.T) {
	t.Helper()
	etc := tree(t, c.etc)
	for name, want := range map[string]string{"secrets/vipps-id": "an-id", "secrets/sub": "subscribed", "credstore/vipps-client-secret": "sealed hunter2"} {
		if etc[name] != want {
			t.Errorf("%s has %q, want %q", name, etc[name], want)
		}
	}
	if !strings.Contains(etc["stolpe.yaml"], `id: "B7"`) || !strings.Contains(etc["stolpe.yaml.setup"], "12.30") || !strings.Contains(etc["post.key"], "PRIVATE KEY") || etc["ca.pem"] == "" {
		t.Errorf("%v", etc)
	}
	for name, want := range map[string]fs.FileMode{"secrets/vipps-id": 0o600, "post.key": 0o600, "post.pem": 0o644, "stolpe.yaml": 0o644} {
		if info, err := os.Stat(filepath.Join(c.etc, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want %v", name, info.Mode(), err, want)
		}
	}
	if len(etc) != 9 {
		t.Errorf("something is left over: %d files", len(etc))
	}
	boot := tree(t, c.boot)
	if report := boot[takenIn]; len(boot) != 1 || !strings.Contains(report, "Post B7 has got its configuration") || !strings.Contains(report, "secret: credential:vipps-client-secret\r\n") {
		t.Errorf("the boot partition has %v", boot)
	}
}

// Everything goes to where it belongs, and nothing stays in the folder but a report.
func TestProvision(t *testing.T) {
	c := aCard(t)
	c.put(t, refusals, "what was wrong before")
	erased := 0
	c.p.step = func(what string) error {
		if path, is := strings.CutPrefix(what, "delete "+c.p.from+"/secrets/"); is {
			erased++
			if text := tree(t, c.p.from)["secrets/"+path]; strings.Trim(text, "\x00") != "" || text == "" {
				t.Errorf("%s is deleted with %q in it", path, text)
			}
		}
		return nil
	}
	done, err := c.p.run(t.Context())
	if err != nil || done.Post != "B7" || len(done.Secrets) != 3 || len(done.Certificates) != 3 {
		t.Fatalf("%+v %v", done, err)
	}
	if erased != 3 {
		t.Errorf("%d secrets were erased", erased)
	}
	c.provisionedWell(t)
	if _, err := c.p.run(t.Context()); err == nil || !strings.Contains(err.Error(), "there is nothing to take in") {
		t.Errorf("once more: %v", err)
	}
}

var errPowerCut = errors.New("the power went")

// The power may go before any change, once or twice: what is tried next ends as if it had
// not gone, and until then each secret is in the folder or where it belongs.
func TestProvisionOverPowerCuts(t *testing.T) {
	t.Parallel()
	steps := 0
	whole := aCard(t)
	whole.p.step = func(string) error { steps++; return nil }
	if _, err := whole.p.run(t.Context()); err != nil || steps < 20 {
		t.Fatalf("%d steps, %v", steps, err)
	}
	for first := range steps {
		for _, second := range []int{first, steps / 2}[:1+first%2] {
			c := aCard(t)
			for _, at := range []int{first, second} {
				n := 0
				c.p.step = func(string) error {
					if n++; n > at {
						return errPowerCut
					}
					return nil
				}
				if _, err := c.p.run(t.Context()); err != nil && !errors.Is(err, errPowerCut) {
					if _, gone := os.Stat(c.p.from); gone == nil {
						t.Fatalf("cut at %d, then %d: %v", first, second, err)
					}
				}
				boot, etc := tree(t, c.boot), tree(t, c.etc)
				if !strings.Contains(boot["stolpe/secrets/vipps-client-secret"], "hunter2") && etc["credstore/vipps-client-secret"] != "sealed hunter2" {
					t.Fatalf("cut at %d, then %d: the secret is lost", first, second)
				}
			}
			c.p.step = nil
			if _, err := os.Stat(c.p.from); err == nil {
				if _, err := c.p.run(t.Context()); err != nil {
					t.Fatalf("cut at %d, then %d: %v", first, second, err)
				}
			}
			c.provisionedWell(t)
		}
	}
}

// What is wrong is told all at once, with where it stands, and nothing is changed.
func TestProvisionRefuses(t *testing.T) {
	cert, _ := pair(t)
	for _, x := range []struct {
		name   string
		change func(t *testing.T, c *bootCard)
		want   []string
	}{
		{"nothing to go by", func(t *testing.T, c *bootCard) { c.drop(t, "stolpe-setup.yaml") }, []string{"has neither stolpe-setup.yaml nor stolpe.yaml"}},
		{"a link to a file elsewhere", func(t *testing.T, c *bootCard) {
			elsewhere := filepath.Join(t.TempDir(), "shadow")
			c.drop(t, answersName)
			if err := errors.Join(os.WriteFile(elsewhere, []byte("hunter2"), 0o600), os.Symlink(elsewhere, filepath.Join(c.p.from, answersName))); err != nil {
				t.Fatal(err)
			}
		}, []string{"stolpe-setup.yaml: want a plain file"}},
		{"both", func(t *testing.T, c *bootCard) { c.put(t, "stolpe/stolpe.yaml", "post: {}") }, []string{"has both"}},
		{"a hidden ending", func(t *testing.T, c *bootCard) { c.put(t, "stolpe/stolpe-setup.yaml.txt", "x") }, []string{"stolpe-setup.yaml.txt: this is not known", "is the ending hidden"}},
		{"an unknown folder", func(t *testing.T, c *bootCard) { c.put(t, "stolpe/certs/ca.pem", cert) }, []string{"certs/ca.pem: this is not known"}},
		{"answers that miss one", func(t *testing.T, c *bootCard) {
			c.put(t, "stolpe/stolpe-setup.yaml", "post: {id: B7}\nprice: {kwh: 5.49}\n")
		}, []string{"price.kwh"}},
		{"answers that lack some", func(t *testing.T, c *bootCard) { c.put(t, "stolpe/stolpe-setup.yaml", "post: {id: B7}\n") }, []string{"post.name is missing", "contactor.line is missing"}},
		{"a key that is none", func(t *testing.T, c *bootCard) { c.put(t, "stolpe/stolpe-setup.yaml", "pots: {id: B7}\n") }, []string{"stolpe-setup.yaml:1: pots"}},
		{"a secret that is missing", func(t *testing.T, c *bootCard) { c.drop(t, "secrets/sub") }, []string{"payment.vipps.subscription_key", "put it into"}},
		{"secrets that are wrong", func(t *testing.T, c *bootCard) {
			c.put(t, "stolpe/secrets/sub", "two words")
			c.put(t, "stolpe/secrets/of mine", "x")
		}, []string{"secrets/sub: its byte 4 of 9", "secrets/of mine: want a name of letters"}},
		{"a secret too many", func(t *testing.T, c *bootCard) { c.put(t, "stolpe/secrets/other", "x") }, []string{"secrets/other: no key of the configuration names this secret"}},
		{"no systemd-creds", func(_ *testing.T, c *bootCard) { c.p.seals = nil }, []string{"no systemd-creds", "name it file:"}},
		{"certificates that do not belong together", func(t *testing.T, c *bootCard) { c.put(t, "stolpe/certificates/post.pem", cert) }, []string{"mqtt.cert and mqtt.key"}},
		{"a certificate that is none, and one too many", func(t *testing.T, c *bootCard) {
			c.put(t, "stolpe/certificates/ca.pem", "no")
			c.put(t, "stolpe/certificates/old.pem", cert)
		}, []string{"ca.pem has no certificate in it", "old.pem: no key"}},
		{"a certificate that is missing", func(t *testing.T, c *bootCard) { c.drop(t, "certificates/post.key") }, []string{"mqtt.key", "put it into"}},
		{"a post that has a configuration", func(t *testing.T, c *bootCard) {
			if err := errors.Join(os.MkdirAll(c.etc, 0o755), os.WriteFile(c.p.file, []byte("post: {}"), 0o600)); err != nil {
				t.Fatal(err)
			}
		}, []string{"this post has a configuration already"}},
	} {
		c := aCard(t)
		x.change(t, c)
		boot, etc := tree(t, c.boot), tree(t, c.etc)
		_, err := c.p.run(t.Context())
		if err == nil {
			t.Errorf("%s: no error", x.name)
			continue
		}
		for _, want := range x.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v\nwant %s", x.name, err, want)
			}
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "two words") {
			t.Errorf("%s tells a secret: %v", x.name, err)
		}
		if err := c.p.refuse(err); strings.Contains(err.Error(), "noted") {
			t.Error(err)
		}
		after := tree(t, c.boot)
		if !strings.Contains(after[refusals], "Put this right on the card") || !strings.Contains(after[refusals], x.want[0]) {
			t.Errorf("%s: %s", x.name, after[refusals])
		}
		delete(after, refusals)
		if !equal(after, boot) || !equal(tree(t, c.etc), etc) {
			t.Errorf("%s: something was changed: %v", x.name, tree(t, c.etc))
		}
	}
}

func (c *bootCard) drop(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(c.p.from, name)); err != nil {
		t.Fatal(err)
	}
}

func equal(a, b map[string]string) bool {
	for k := range a {
		if a[k] != b[k] {
			return false
		}
	}
	return len(a) == len(b)
}

// A folder that comes after another was taken in is not taken for what is left of it.
func TestAnotherFolderAfterwards(t *testing.T) {
	c := aCard(t)
	same := tree(t, c.p.from)
	if _, err := c.p.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(map[string]string){
		"the same again":  func(map[string]string) {},
		"only secrets":    func(all map[string]string) { delete(all, answersName) },
		"another's, bare": func(all map[string]string) { clear(all); all[answersName] = "simulated: true\n" },
	} {
		again := map[string]string{}
		for k, v := range same {
			again[k] = v
		}
		change(again)
		for k, v := range again {
			c.put(t, "stolpe/"+k, v)
		}
		if _, err := c.p.run(t.Context()); err == nil {
			t.Errorf("%s: taken in", name)
		}
		if left := tree(t, c.p.from); len(left) != len(again) {
			t.Errorf("%s: of %d files %d are left", name, len(again), len(left))
		}
		if err := os.RemoveAll(c.p.from); err != nil {
			t.Fatal(err)
		}
	}
}

// A configuration can come as a whole, and what a post has already need not come again.
func TestProvisionOfAWholeConfiguration(t *testing.T) {
	c := aCard(t)
	first := aCard(t)
	if _, err := first.p.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(tree(t, first.etc)["stolpe.yaml"], first.etc, c.etc)
	c.drop(t, answersName)
	c.put(t, "stolpe/stolpe.yaml", text)
	for _, name := range []string{"secrets/sub", "certificates/ca.pem"} {
		kept := tree(t, c.p.from)[name]
		c.drop(t, name)
		path := filepath.Join(c.etc, strings.TrimPrefix(name, "certificates/"))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(kept), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.p.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	etc := tree(t, c.etc)
	if etc["stolpe.yaml"] != text || etc["secrets/sub"] != "subscribed" {
		t.Errorf("%v", etc)
	}
	if _, is := etc["stolpe.yaml.setup"]; is {
		t.Error("there were no answers to go on with")
	}
}

// What somebody has made at the post, since nothing came of the folder, is not written over
// when the folder is all right at last.
func TestProvisionLeavesWhatWasMadeMeanwhile(t *testing.T) {
	c := aCard(t)
	well := c.p.seals
	c.p.seals = func(context.Context, string, string, string) error { return errors.New("no TPM") }
	if _, err := c.p.run(t.Context()); err == nil {
		t.Fatal("it went well without its secrets")
	}
	if err := os.WriteFile(c.p.file, []byte("post: {id: A1}"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.p.seals = well
	if _, err := c.p.run(t.Context()); err == nil || !strings.Contains(err.Error(), "has a configuration already") {
		t.Errorf("%v, want a refusal", err)
	}
	if etc := tree(t, c.etc); etc["stolpe.yaml"] != "post: {id: A1}" {
		t.Errorf("the configuration is %s", etc["stolpe.yaml"])
	}
}

// The agent owns the folder, and root writes there: links lead nothing out of it.
func TestProvisionFollowsNoLinks(t *testing.T) {
	elsewhere := t.TempDir()
	victim := filepath.Join(elsewhere, "shadow")
	for name, to := range map[string]string{"stolpe.yaml.new": victim, "provisioned.json.new": victim, "stolpe.yaml": victim, "secrets": elsewhere, "secrets/sub.new": victim} {
		c := aCard(t)
		link := filepath.Join(c.etc, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o755), os.WriteFile(victim, []byte("root:!"), 0o600), os.Symlink(to, link)); err != nil {
			t.Fatal(err)
		}
		_, err := c.p.run(t.Context())
		if (err != nil) != (name == "secrets" || name == "stolpe.yaml") {
			t.Errorf("%s: %v", name, err)
		}
		if all := tree(t, elsewhere); len(all) != 1 || all["shadow"] != "root:!" {
			t.Errorf("%s: written elsewhere: %v", name, all)
		}
		if err == nil {
			c.provisionedWell(t)
		}
	}
}
