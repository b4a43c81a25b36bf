package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"stolpe/agent/config"
)

// noteLines writes down beside the configuration which lines switch contactors,
// for failsafe, which trusts nothing that is larger. A folder that cannot be
// written stops no post: failsafe then reads the configuration itself.
func noteLines(c config.Config, file string, log *slog.Logger) {
	path := filepath.Join(filepath.Dir(file), linesName)
	text := linesOf(c)
	if err := writeLines(path, text); err != nil {
		log.Warn("the lines of the contactors could not be written down for stolpe failsafe, which now needs a valid configuration",
			"file", path, "err", err, "remedy", fmt.Sprintf("let the daemon's user write in %s, or write the file yourself: %s", filepath.Dir(path), strings.Join(specsOf(c), " ")))
	}
}

// specsOf gives the line of every contactor, with ! before those that close on
// low, as gpio.Failsafe takes them.
func specsOf(c config.Config) []string {
	var specs []string
	for _, e := range c.EVSEs {
		switch k := e.Contactor; {
		case k.Sim:
		case k.ActiveLow:
			specs = append(specs, "!"+k.Line)
		default:
			specs = append(specs, k.Line)
		}
	}
	return specs
}

// linesOf is what the file says.
func linesOf(c config.Config) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# The contactors of post %s, for stolpe failsafe. Written by stolpe run at each start.\n", c.Post.ID)
	for _, spec := range specsOf(c) {
		fmt.Fprintln(&b, spec)
	}
	return b.Bytes()
}

// writeLines makes the file say text, and leaves it alone if it does. A power cut
// leaves the old file or the new one, never a part of either. Where no contactor
// is real, and never was, no file is made.
func writeLines(path string, text []byte) error {
	old, err := readPlain(path)
	if err == nil && bytes.Equal(old, text) || errors.Is(err, fs.ErrNotExist) && bytes.Count(text, []byte("\n")) == 1 {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+linesName+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()) // for everybody: failsafe may run as another user
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a new name in a folder durable.
func syncFolder(path string) error {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// withoutSecrets reads a configuration for its hardware. It may lack its secrets,
// which systemd gives to the daemon only.
func withoutSecrets(file string) (config.Config, error) {
	text, err := readPlain(file)
	if err != nil {
		return config.Config{}, coded{fmt.Errorf("configuration: %w", err), exitConfig}
	}
	return config.Parse(file, bytes.NewReader(text), func(string, string) (string, error) {
		return strings.Repeat("0", 64), nil // passes for a secret of every kind
	})
}
