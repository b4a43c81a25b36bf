package systemd

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Secrets are decrypted each for itself. One that is no good is told of, and stays as it was
// decrypted before; one that is not kept any more does not.
func TestSecretsAreDecryptedEachForItself(t *testing.T) {
	bin, from, to, named := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	put := func(dir, name, text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	// What is encrypted begins with its name here, and a half of it comes out of a damaged one.
	put(bin, "systemd-creds", `#!/bin/sh
[ "$1" = decrypt ] && [ "$4" = - ] || exit 2
read -r name text <"$3"
[ "--name=$name" = "$2" ] && printf %s "$text" && exit
printf hal
exit 1
`, 0o755)
	put(from, "vipps-client-id", "vipps-client-id an id\n", 0o600)
	put(from, "vipps-client-secret", "garbage\n", 0o600)
	put(from, "gateway-key", "gateway-key 00ff\n", 0o600)
	put(from, "of-another-service", "of-another-service x\n", 0o600)
	for _, old := range []string{"vipps-client-id", "vipps-client-secret", "vipps-subscription-key"} {
		put(to, old, "as it was", 0o600)
		put(named, old, "", 0o600)
	}
	run := exec.Command("/bin/sh", "stolpe-secrets.sh", from, to, named)
	run.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	said, err := run.CombinedOutput()
	if run.ProcessState.ExitCode() != 1 {
		t.Errorf("%v: nobody would try again what could not be decrypted\n%s", err, said)
	}
	if n := strings.Count(string(said), "\n"); n != 1 || !strings.Contains(string(said), "stolpe config secret set vipps-client-secret") {
		t.Errorf("it says:\n%s", said)
	}
	got := map[string]string{}
	files, err := os.ReadDir(to)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(to, f.Name()))
		info, wrong := f.Info()
		if err != nil || wrong != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, %v", f.Name(), err, wrong, info.Mode())
		}
		got[f.Name()] = string(text)
	}
	if len(got) != 3 || got["vipps-client-id"] != "an id" || got["gateway-key"] != "00ff" || got["vipps-client-secret"] != "as it was" {
		t.Errorf("decrypted are %q", got)
	}
	if info, err := os.Stat(named); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the post looks for names in a folder with mode %v, %v", info.Mode(), err)
	}
	names, err := filepath.Glob(filepath.Join(named, "*"))
	if err != nil || len(names) != len(got) {
		t.Errorf("%q are named, %v", names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if _, there := got[filepath.Base(name)]; err != nil || len(text) > 0 || !there {
			t.Errorf("%s is named: %q, %v", name, text, err)
		}
	}
}

// One that cannot be put where it belongs keeps none of the others back, and is tried again.
func TestSecretsThatCannotBePutAwayKeepNoOthersBack(t *testing.T) {
	bin, from, to := t.TempDir(), t.TempDir(), t.TempDir()
	for file, text := range map[string]string{filepath.Join(bin, "systemd-creds"): "#!/bin/sh\necho value\n", filepath.Join(from, "vipps-client-id"): "x", filepath.Join(from, "gateway-key"): "x"} {
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.Command("/bin/sh", "stolpe-secrets.sh", from, to, filepath.Join(to, "no", "such", "folder"))
	run.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	said, err := run.CombinedOutput()
	if run.ProcessState.ExitCode() != 1 {
		t.Errorf("%v\n%s", err, said)
	}
	for _, name := range []string{"vipps-client-id", "gateway-key"} {
		if text, err := os.ReadFile(filepath.Join(to, name)); err != nil || string(text) != "value\n" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

// When all that is kept can be decrypted, nothing is tried again.
func TestSecretsThatAreGoodAreDone(t *testing.T) {
	bin, from := t.TempDir(), t.TempDir()
	for file, text := range map[string]string{filepath.Join(bin, "systemd-creds"): "#!/bin/sh\necho value\n", filepath.Join(from, "gateway-key"): "x"} {
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.Command("/bin/sh", "stolpe-secrets.sh", from, t.TempDir(), t.TempDir())
	run.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	if said, err := run.CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("%v\n%s", err, said)
	}
}

// What is decrypted is what the post loads, before it starts and whether it can be or not.
func TestSecretsOfTheUnitsAreTheSame(t *testing.T) {
	script, err := os.ReadFile("stolpe-secrets.sh")
	if err != nil {
		t.Fatal(err)
	}
	post, secrets := readUnit(t, "stolpe.service"), readUnit(t, "stolpe-secrets.service")
	names := regexp.MustCompile(`for name in (.*); do`).FindSubmatch(script)
	if names == nil || strings.Join(post["Service.LoadCredential"], " ") != string(names[1]) {
		t.Errorf("the post loads %v, the script has %s", post["Service.LoadCredential"], names)
	}
	for _, key := range []string{"Unit.Wants", "Unit.After"} {
		if !slices.Contains(post.words(key), "stolpe-secrets.service") {
			t.Errorf("%s= of the post has no stolpe-secrets.service", key)
		}
	}
	if !slices.Contains(secrets.words("Unit.After"), "stolpe-provision.service") || strings.Join(secrets["Unit.StartLimitIntervalSec"], "") != "0" {
		t.Error("it is too early for new secrets, or not done at each start")
	}
	again := readUnit(t, "stolpe-secrets-again.timer")
	if !slices.Equal(secrets["Unit.OnFailure"], []string{"stolpe-secrets-again.timer"}) || !slices.Equal(again["Timer.Unit"], []string{"stolpe-secrets.service"}) || !slices.Equal(again["Timer.RemainAfterElapse"], []string{"no"}) {
		t.Error("what could not be decrypted once is not tried again and again")
	}
	if secrets["Service.Restart"] != nil {
		t.Error("the post would wait with it")
	}
}
