package strict

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"stolpe/agent/config/strict/legal"
)

// Secret is a value that must never be seen. Whatever prints, logs or encodes it
// gets the word "redacted"; only Reveal gives the value. The zero value is the
// secret that was not asked for, and reveals "".
type Secret struct {
	value *string // behind a pointer: fmt prints an address where it cannot call String (unexported fields, %d)
}

const redacted = "redacted"

// Hide makes a Secret of a value.
func Hide(value string) Secret { return Secret{&value} }

// Reveal gives the value itself.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// String gives "redacted".
func (Secret) String() string { return redacted }

// GoString gives "redacted".
func (Secret) GoString() string { return redacted }

// LogValue gives "redacted".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON gives "redacted" in quotes.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText gives "redacted", for YAML and whatever else writes text.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Lookup finds the value of a secret: kind is "credential", "file" or "env", and
// name is what follows the colon. Its error must not contain the value; it is
// shown to the technician and says what to do.
type Lookup func(kind, name string) (string, error)

// System finds a secret on the running system: in the directory of credentials
// that systemd made, in a file, or in the environment. It fails when there is
// no such secret, when a file is open to everybody, not an ordinary file or
// larger than a secret can be.
func System(kind, name string) (string, error) {
	switch kind {
	case "credential":
		dir := os.Getenv("CREDENTIALS_DIRECTORY")
		if dir == "" {
			return "", errors.New("$CREDENTIALS_DIRECTORY is not set: only systemd sets it; start with systemctl, or use file:PATH")
		}
		value, err := readSecret(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("systemd has no such credential: keep it (stolpe config secret set %[1]s), see that the unit loads %[1]s (LoadCredentialEncrypted=), and restart that", name)
		}
		return value, err
	case "file":
		value, err := readSecret(name)
		if errors.Is(err, fs.ErrNotExist) {
			return "", errors.New("there is no such file: make it, with mode 0600")
		}
		return value, err
	case "env":
		value, ok := os.LookupEnv(name)
		if !ok {
			return "", errors.New("this variable is not set in the environment")
		}
		return value, nil
	}
	return "", fmt.Errorf("no secrets are kept in %q", kind)
}

// maxSecret is the longest secret, in bytes. Chosen by us: real keys are shorter
// than 100, and a whole file pasted by mistake is longer.
const maxSecret = 512

func readSecret(path string) (string, error) {
	info, err := os.Stat(path) // before opening: opening a pipe would wait for its writer
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "", errors.New("this program may not look there: mend owner and mode")
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", errors.New("this is not an ordinary file")
	case info.Mode().Perm()&0o007 != 0:
		return "", fmt.Errorf("its mode %#o lets everybody in: run chmod o= on it, and renew the secret", info.Mode().Perm())
	case info.Size() > maxSecret:
		return "", fmt.Errorf("it has %d bytes, a secret at most %d: this is another file", info.Size(), maxSecret)
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrPermission) {
		return "", errors.New("this program may not read it: mend owner and mode")
	}
	return string(data), err
}

// reference takes "kind:name" apart. What is not one may be a secret itself and
// must not be shown.
func reference(text string) (kind, name string, ok bool) {
	kind, name, _ = strings.Cut(text, ":")
	switch kind {
	case "credential":
		ok = name != "" && len(name) <= 128 && !strings.HasPrefix(name, ".") && legal.Only(name, "._-")
	case "file":
		ok = filepath.IsAbs(name) && legal.Visible(name)
	case "env":
		ok = name != "" && legal.Only(name, "_") && name == strings.ToUpper(name) // small letters would rather be a value
	}
	return kind, name, ok
}

// resolve finds the secret that text refers to.
func (l Lookup) resolve(text string) (Secret, error) {
	if l == nil {
		return Secret{}, errors.New("secrets are not looked up here")
	}
	kind, name, _ := reference(text)
	value, err := l(kind, name)
	if err != nil {
		return Secret{}, err
	}
	value = strings.TrimSuffix(strings.TrimSuffix(value, "\n"), "\r")
	if value == "" {
		return Secret{}, errors.New("it is empty")
	}
	if len(value) > maxSecret {
		return Secret{}, fmt.Errorf("it has %d bytes, a secret at most %d", len(value), maxSecret)
	}
	if i := strings.IndexFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }); i >= 0 {
		return Secret{}, fmt.Errorf("its byte %d of %d is a space or not plain ASCII: copy it again", i+1, len(value))
	}
	return Hide(value), nil
}

// CheckSecret says with an error, which does not contain it, what is wrong with a secret.
func CheckSecret(value string) error {
	_, err := Lookup(func(string, string) (string, error) { return value, nil }).resolve("env:X")
	return err
}

// Secret finds the secret that the key at path refers to as said, and notes if
// there is none.
func (r *Reader) Secret(path, said string, find Lookup) Secret {
	value, err := find.resolve(said)
	if err != nil {
		r.Fail(path, said+", but "+err.Error(), "a secret there")
	}
	return value
}
