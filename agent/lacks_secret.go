package main

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"stolpe/agent/config"
	"stolpe/agent/doctor"
)

// missingSecret is one that the configuration names and the machine does not have.
type missingSecret struct {
	key string // where it is, as in credential:gateway-key
	err error
}

// loadAnyway reads a configuration as the daemon goes by it. One in which nothing is wrong
// but that secrets are missing is good, and they are told: they may be put there later.
func loadAnyway(file string) (config.Config, []missingSecret, error) {
	cfg, wrong := loadConfig(file)
	var told config.Errors
	if !errors.As(wrong, &told) {
		return cfg, nil, wrong
	}
	text, err := readPlain(file)
	if err != nil {
		return cfg, nil, wrong
	}
	var missing []missingSecret
	cfg, err = config.Parse(file, bytes.NewReader(text), func(kind, name string) (string, error) {
		value, err := config.System(kind, name)
		if err != nil {
			m := missingSecret{kind + ":" + name, err}
			if !slices.ContainsFunc(missing, func(x missingSecret) bool { return x.key == m.key }) {
				missing = append(missing, m)
			}
			return strings.Repeat("0", 64), nil // passes for a secret of every kind, and is never used
		}
		return value, nil
	})
	if err != nil || len(missing) == 0 {
		return cfg, nil, wrong
	}
	return cfg, missing, nil
}

// loadLacking reads a configuration for a post that may lack some of its secrets, but no
// others.
func loadLacking(file string, lacks []string) (config.Config, error) {
	cfg, missing, err := loadAnyway(file)
	for _, m := range missing {
		if !slices.Contains(lacks, m.key) {
			return loadConfig(file)
		}
	}
	return cfg, err
}

// namesOf are those of secrets that are missing, as in credential:gateway-key.
func namesOf(missing []missingSecret) (all []string) {
	for _, m := range missing {
		all = append(all, m.key)
	}
	return all
}

// decryptedDir has a file for each secret that stolpe-secrets.service has decrypted. What is
// in the secret is not there.
const decryptedDir = "/run/stolpe-secrets"

// credentials are secrets that systemd hands to a program when it starts it, and never later:
// not when the program starts anew within the process, and not when another takes its place
// there.
type credentials struct {
	dir  string   // has the names of those that are decrypted
	then []string // which were, when the program began
}

// credentialsIn looks for what is decrypted when the program begins. Without the service
// nothing is there.
func credentialsIn(dir string) credentials {
	c := credentials{dir: dir}
	files, _ := os.ReadDir(dir)
	for _, f := range files {
		c.then = append(c.then, f.Name())
	}
	return c
}

// came says whether a secret that was missing has been decrypted since. One that was there
// already, and is missing all the same, no start brings.
func (c credentials) came(key string) bool {
	name, is := strings.CutPrefix(key, "credential:")
	return is && !slices.Contains(c.then, name) && isFile(filepath.Join(c.dir, name))
}

// errMoreSecrets ends a program that is to be started anew by systemd.
var errMoreSecrets = coded{errors.New("a secret that was missing has been decrypted: it ends so that it is started anew with it; without systemd, start it again"), exitDevice}

// withoutSecret notes that a secret is missing.
func (p *parts) withoutSecret(m missingSecret, c credentials, log *slog.Logger) {
	kind, name, _ := strings.Cut(m.key, ":")
	l := lack{Lack: doctor.Lack{Kind: doctor.Keys, Name: m.key, Why: m.err.Error()}}
	if kind == "credential" {
		l.there, l.anew = func() bool { return c.came(m.key) }, errMoreSecrets
	} else {
		l.there = func() bool { _, err := config.System(kind, name); return err == nil }
	}
	p.without(l, log)
}
