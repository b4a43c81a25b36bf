package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/setup"
)

// What the folder has.
const (
	answersName = "stolpe-setup.yaml"
	wholeName   = "stolpe.yaml"
	secretsName = "secrets"
	certsName   = "certificates"
)

// handover is what the folder has, read and found good.
type handover struct {
	post    string
	config  []byte
	answers setup.Answers     // nil where the configuration came as a whole
	secrets map[string]string // values, by where the configuration has them kept
	certs   map[string][]byte // by name
}

// where is where the secrets are kept.
func (h handover) where() []string { return sortedNames(h.secrets) }

// certFiles are the files of the certificates.
func (h handover) certFiles(p *provisioning) []string {
	all := []string{}
	for _, name := range sortedNames(h.certs) {
		all = append(all, p.certFile(name))
	}
	return all
}

func sortedNames[V any](m map[string]V) []string {
	all := []string{}
	for name := range m {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func (p *provisioning) certFile(name string) string { return filepath.Join(filepath.Dir(p.file), name) }

// sum is the name of what the folder makes of a post; empty if it has nothing any more.
func (p *provisioning) sum() (string, error) {
	for _, name := range []string{answersName, wholeName} {
		text, err := readPlain(filepath.Join(p.from, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", failed(err)
		}
		return textSum(text), nil
	}
	return "", nil
}

func textSum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// holdsFiles says whether the folder has secrets or certificates. After a folder has been
// cleared, those of another one must not be taken for what is left of it.
func (p *provisioning) holdsFiles() bool {
	for _, sub := range []string{secretsName, certsName} {
		entries, err := os.ReadDir(filepath.Join(p.from, sub))
		if err != nil && !errors.Is(err, fs.ErrNotExist) || slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !litter(e.Name()) }) {
			return true
		}
	}
	return false
}

// plainFiles says no to a folder that has anything but folders and plain files in it: root
// must not be led to a file elsewhere, and tell or keep what is in that.
func (p *provisioning) plainFiles() error {
	return filepath.WalkDir(p.from, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !d.Type().IsRegular() {
			err = coded{fmt.Errorf("%s: want a plain file", path), exitConfig}
		}
		return err
	})
}

// read reads and judges all of the folder. What is wrong comes all at once.
func (p *provisioning) read() (handover, error) {
	h := handover{secrets: map[string]string{}, certs: map[string][]byte{}}
	given, wrong := p.files(&h)
	if err := p.configOf(&h); err != nil {
		return h, errors.Join(append(wrong, err)...)
	}
	named := map[string]string{} // where a secret is kept, by its name
	c, err := config.Parse(h.name(p), bytes.NewReader(h.config), func(kind, name string) (string, error) {
		return p.find(&h, given, named, kind, name)
	})
	if err != nil {
		return h, errors.Join(append(wrong, err)...)
	}
	for _, name := range sortedNames(given) {
		if named[name] == "" {
			wrong = append(wrong, fmt.Errorf("%s: no key of the configuration names this secret", filepath.Join(p.from, secretsName, name)))
		}
	}
	h.post = c.Post.ID
	wrong = append(wrong, p.judgeCerts(c, h)...)
	if len(wrong) > 0 {
		return h, coded{errors.Join(wrong...), exitConfig}
	}
	return h, nil
}

// name is what the configuration is called in messages: lines of what is made of answers
// are not lines of these.
func (h handover) name(p *provisioning) string {
	if h.answers != nil {
		return "what " + filepath.Join(p.from, answersName) + " makes"
	}
	return filepath.Join(p.from, wholeName)
}

// files reads all but the configuration: certificates, and secrets by their names.
func (p *provisioning) files(h *handover) (secrets map[string]string, wrong []error) {
	secrets = map[string]string{}
	err := filepath.WalkDir(p.from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || litter(d.Name()) {
			return err
		}
		name := d.Name()
		text, err := readPlain(path)
		switch at := filepath.Dir(path); {
		case err != nil:
		case at == p.from && (name == answersName || name == wholeName):
		case at == filepath.Join(p.from, secretsName):
			secrets[name] = strings.TrimRight(strings.TrimPrefix(string(text), "\ufeff"), "\r\n")
			if !isSecretName(name) {
				err = errors.New("want a name of letters, digits and . _ -")
			} else {
				err = config.CheckSecret(secrets[name])
			}
		case at == filepath.Join(p.from, certsName):
			h.certs[name] = text
		default:
			err = fmt.Errorf("this is not known; there are %s or %s, %s/NAME and %s/NAME (is the ending hidden where it was made?)", answersName, wholeName, secretsName, certsName)
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", path, err))
		}
		return nil
	})
	if err != nil {
		wrong = append(wrong, err)
	}
	return secrets, wrong
}

// litter is what computers leave in folders of a card.
func litter(name string) bool {
	return strings.HasPrefix(name, ".") || slices.Contains([]string{"Thumbs.db", "desktop.ini", "IndexerVolumeGuid", "WPSettings.dat"}, name)
}

// configOf makes the configuration, of answers or as it is.
func (p *provisioning) configOf(h *handover) error {
	answers, whole := filepath.Join(p.from, answersName), filepath.Join(p.from, wholeName)
	switch {
	case isFile(answers) && isFile(whole):
		return coded{fmt.Errorf("%s has both %s and %s: want one of them", p.from, answersName, wholeName), exitConfig}
	case isFile(whole):
		text, err := readPlain(whole)
		h.config = text
		return err
	case !isFile(answers):
		return coded{fmt.Errorf("%s has neither %s nor %s", p.from, answersName, wholeName), exitConfig}
	}
	said, err := readAnswers(answers)
	if err != nil {
		return err
	}
	var wrong []error
	for _, q := range setup.Questions(setup.MaxEVSEs) {
		if v, is := said[q.Key]; is {
			clean, err := q.Clean(v)
			said[q.Key] = clean
			wrong = append(wrong, err)
		}
	}
	for _, q := range said.Missing() {
		wrong = append(wrong, fmt.Errorf("%s: %s is missing: %s", answers, q.Key, q.Ask.In(p.lang)))
	}
	for _, q := range said.Useless() {
		wrong = append(wrong, fmt.Errorf("%s: %s would go for nothing, as things are", answers, q.Key))
	}
	if err := errors.Join(wrong...); err != nil {
		return coded{err, exitConfig}
	}
	h.answers, h.config = said, setup.File(said, time.Now())
	return nil
}

// find is the value of a secret that the configuration names, from the folder or, where
// one is kept already, from there.
func (p *provisioning) find(h *handover, given, named map[string]string, kind, name string) (string, error) {
	key, kept := name, filepath.Join(p.sealed, name)
	if kind == "file" {
		key, kept = filepath.Base(name), name
	}
	value, is := given[key]
	switch {
	case kind == "env" && is:
		return "", errors.New("a secret of the environment cannot be provisioned: want credential:NAME, or file:PATH in " + p.plain)
	case kind == "env":
		return config.System(kind, name)
	case is && kind == "file" && filepath.Dir(name) != filepath.Clean(p.plain):
		return "", fmt.Errorf("it is not in %s, where secrets are put", p.plain)
	case is && kind == "credential" && p.seals == nil:
		return "", fmt.Errorf("this machine has no systemd-creds to encrypt it with: name it file:%s", filepath.Join(p.plain, name))
	case is:
		named[key] = kind + ":" + name
		h.secrets[kind+":"+name] = value
		return value, nil
	case isFile(kept) && kind == "credential":
		return strings.Repeat("0", 64), nil // passes for a secret of every kind; only systemd can read it
	case isFile(kept):
		return config.System(kind, name)
	}
	return "", fmt.Errorf("it is not there: put it into %s", filepath.Join(p.from, secretsName, key))
}

// judgeCerts says what is wrong with certificates: all that the configuration names must
// be given or there, be what they should be, and belong together.
func (p *provisioning) judgeCerts(c config.Config, h handover) (wrong []error) {
	have := func(key, path string) []byte {
		text, is := h.certs[filepath.Base(path)]
		if path == "" || is && p.certFile(filepath.Base(path)) == path {
			return text
		}
		text, err := readPlain(path)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w; put it into %s", key, err, filepath.Join(p.from, certsName, filepath.Base(path))))
		}
		return text
	}
	paths := []string{c.MQTT.CA, c.MQTT.Cert, c.MQTT.Key}
	ca, cert, key := have("mqtt.ca", paths[0]), have("mqtt.cert", paths[1]), have("mqtt.key", paths[2])
	if ca != nil && !x509.NewCertPool().AppendCertsFromPEM(ca) {
		wrong = append(wrong, fmt.Errorf("mqtt.ca: %s has no certificate in it (PEM)", paths[0]))
	}
	if cert != nil && key != nil {
		if _, err := tls.X509KeyPair(cert, key); err != nil {
			wrong = append(wrong, fmt.Errorf("mqtt.cert and mqtt.key: %w", err))
		}
	}
	for _, name := range sortedNames(h.certs) {
		if !slices.Contains(paths, p.certFile(name)) {
			wrong = append(wrong, fmt.Errorf("%s: no key of the configuration names %s", filepath.Join(p.from, certsName, name), p.certFile(name)))
		}
	}
	return wrong
}

// noteFile is where a provisioning notes how far it has come.
func (p *provisioning) noteFile() string {
	return filepath.Join(filepath.Dir(p.file), "provisioned.json")
}

// noted is how far a provisioning has come: which folder, and what came of it; nil before
// all was where it belongs.
type noted struct {
	Sum     string       `json:"sum"`
	Wrote   []string     `json:"wrote,omitempty"` // sums of configurations of its own, one of which may be there
	Done    *provisioned `json:"done,omitempty"`
	Cleared bool         `json:"cleared,omitempty"` // no secret is in the folder any more
}
