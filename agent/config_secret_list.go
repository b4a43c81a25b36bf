package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func secretListCommand() *cobra.Command {
	var v vault
	c := &cobra.Command{
		Use:   "list",
		Short: "which secrets are kept, since when, and which keys name them",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			all := v.list(c.ErrOrStderr())
			t := table(c.OutOrStdout())
			for _, k := range all {
				if v.json {
					if err := printJSON(c.OutOrStdout(), k); err != nil {
						return failed(err)
					}
					continue
				}
				since := "not here"
				if k.Since != nil {
					since = k.Since.Local().Format("2006-01-02 15:04")
				}
				fmt.Fprintf(t, "%s\t%s\t%s\n", k.Where, since, strings.Join(k.UsedBy, ", "))
			}
			return failed(t.Flush())
		},
	}
	return v.flags(c, "one JSON object a line for each secret")
}

// list gives the secrets that are kept here, and those that the configuration names
// besides.
func (v *vault) list(stderr io.Writer) (all []keptSecret) {
	for _, from := range []struct{ dir, kind string }{{v.sealed, "credential:"}, {v.plain, "file:" + v.plain + "/"}} {
		entries, err := os.ReadDir(from.dir)
		if err != nil && !os.IsNotExist(err) {
			fmt.Fprintf(stderr, "stolpe: %v; run this as root\n", err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil || !info.Mode().IsRegular() || !isSecretName(e.Name()) {
				continue
			}
			since := info.ModTime().UTC().Truncate(time.Second)
			all = append(all, keptSecret{Name: e.Name(), Where: from.kind + e.Name(), Path: filepath.Join(from.dir, e.Name()), Since: &since})
		}
	}
	used := v.used()
	for i := range all {
		all[i].UsedBy = append([]string{}, used[all[i].Where]...)
		delete(used, all[i].Where)
	}
	var rest []string
	for where := range used {
		rest = append(rest, where)
	}
	slices.Sort(rest)
	for _, where := range rest {
		_, name, _ := strings.Cut(where, ":")
		k := keptSecret{Name: filepath.Base(name), Where: where, UsedBy: used[where]}
		if path, is := strings.CutPrefix(where, "file:"); is {
			if info, err := os.Stat(path); err == nil {
				since := info.ModTime().UTC().Truncate(time.Second)
				k.Path, k.Since = path, &since
			}
		}
		all = append(all, k)
	}
	return all
}

// used gives the keys that name a secret, by where that is. Of a file that is not valid
// nothing is known.
func (v *vault) used() map[string][]string {
	keys := map[string][]string{}
	cfg, err := withoutSecrets(v.file)
	if err != nil {
		return keys
	}
	for _, e := range cfg.Keys() {
		for _, where := range e.Secrets() {
			keys[where] = append(keys[where], e.Path)
		}
	}
	return keys
}

func (v *vault) uses(k *keptSecret) { k.UsedBy = append([]string{}, v.used()[k.Where]...) }
