package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
	"stolpe/agent/config/strict/legal"
)

// vault is where secrets of this machine are kept.
type vault struct {
	settings
	sealed string // folder of those that systemd-creds has encrypted
	plain  string // folder of those in files of their own
	asFile bool   // a file of its own even where there is systemd-creds
}

// Where systemd looks for what LoadCredentialEncrypted= names (systemd.exec(5)), and so does
// stolpe-secrets.service; and where files of secrets are, chosen by us.
const (
	credstore = "/etc/credstore.encrypted"
	secretDir = "/etc/stolpe/secrets"
)

func configSecretCommand() *cobra.Command {
	c := &cobra.Command{Use: "secret", Short: "keep the secrets that the file names; their values come on standard input and are never shown"}
	c.AddCommand(secretSetCommand(), secretRotateCommand(), secretListCommand())
	return c
}

func (v *vault) flags(c *cobra.Command, json string) *cobra.Command {
	c.Flags().StringVar(&v.sealed, "store", credstore, "`folder` of what systemd-creds has encrypted")
	c.Flags().StringVar(&v.plain, "folder", secretDir, "`folder` of secrets in files of their own, for machines without systemd-creds")
	return v.settings.flags(c, json)
}

func secretSetCommand() *cobra.Command {
	var v vault
	c := &cobra.Command{
		Use:     "set NAME",
		Short:   "keep a secret; encrypted by systemd-creds where there is that",
		Example: "  stolpe config secret set vipps-client-secret < secret.txt",
		Args:    cobra.ExactArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return v.set(c, args[0], false) },
	}
	c.Flags().BoolVar(&v.asFile, "plain", false, "in a file of its own, mode 0600, even where there is systemd-creds")
	return v.flags(c, "one JSON object")
}

func secretRotateCommand() *cobra.Command {
	var v vault
	c := &cobra.Command{
		Use:   "rotate NAME",
		Short: "put a new value in the place of a secret that is kept already",
		Args:  cobra.ExactArgs(1),
		RunE:  func(c *cobra.Command, args []string) error { return v.set(c, args[0], true) },
	}
	return v.flags(c, "one JSON object")
}

// keptSecret is a secret that is kept here, or named in the configuration.
type keptSecret struct {
	Name   string     `json:"name"`
	Where  string     `json:"where"` // as the configuration has it
	Path   string     `json:"path,omitempty"`
	Since  *time.Time `json:"since,omitempty"` // UTC
	UsedBy []string   `json:"used_by"`         // keys
	Next   string     `json:"next,omitempty"`  // what to do for it to be used
}

// isSecretName says whether systemd takes s for a name, and a folder for a file.
func isSecretName(s string) bool {
	const most = 128 // characters; chosen by us
	return s != "" && len(s) <= most && !strings.ContainsRune("._-", rune(s[0])) && legal.Only(s, "._-")
}

func (v *vault) set(c *cobra.Command, name string, again bool) error {
	if !isSecretName(name) {
		return fmt.Errorf("NAME %.40q: want letters, digits and . _ -, as in vipps-client-secret", name)
	}
	sealed, plain := filepath.Join(v.sealed, name), filepath.Join(v.plain, name)
	inSealed, inPlain := isFile(sealed), isFile(plain)
	if again && !inSealed && !inPlain {
		return coded{fmt.Errorf("there is no secret %s in %s or %s; stolpe config secret set %s keeps one", name, v.sealed, v.plain, name), exitNotFound}
	}
	value, err := v.read(c, name)
	if err != nil {
		return err
	}
	creds, missing := exec.LookPath("systemd-creds")
	k := keptSecret{Name: name, Where: "credential:" + name, Path: sealed}
	if again && inPlain && !inSealed || !again && (v.asFile || missing != nil) {
		k.Where, k.Path = "file:"+plain, plain
		err = writeSecret(plain, value)
	} else if missing != nil {
		err = fmt.Errorf("there is no systemd-creds to encrypt with: %w", missing)
	} else {
		err = encryptSecret(c.Context(), creds, name, sealed, value)
	}
	if err != nil {
		return secretError(err)
	}
	v.uses(&k)
	k.Next = nextFor(k)
	if v.json {
		return failed(printJSON(c.OutOrStdout(), k))
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%s is kept in %s.\n%s\n", name, k.Path, k.Next)
	return failed(err)
}

func secretError(err error) error {
	if errors.Is(err, os.ErrPermission) {
		return coded{fmt.Errorf("%w; run this as root", err), exitNotPermitted}
	}
	return failed(err)
}

// nextFor says how a secret comes to be used.
func nextFor(k keptSecret) string {
	use := "The configuration names it: " + strings.Join(k.UsedBy, ", ")
	if len(k.UsedBy) == 0 {
		use = "No key names it yet: stolpe config set payment.vipps.client_secret " + k.Where + " (or whichever key it is for)"
	}
	if strings.HasPrefix(k.Where, "file:") {
		return use + ".\nThe post takes it over: stolpe config reload"
	}
	load := ""
	if !loadedBy(k.Name) {
		load = "systemctl edit stolpe, with LoadCredentialEncrypted=" + k.Name + " below [Service], then "
	}
	return use + ".\nsystemd gives it to the post when it starts it: " + load + "systemctl restart stolpe"
}

// loadedBy says whether the unit that comes with the program loads a secret of that name. For
// each that it does not, somebody adds a line.
func loadedBy(name string) bool {
	return slices.Contains([]string{"vipps-client-id", "vipps-client-secret", "vipps-subscription-key", "gateway-key"}, name)
}

// read reads the value from standard input.
func (v *vault) read(c *cobra.Command, name string) (string, error) {
	var value string
	var err error
	if terminal(c.InOrStdin()) {
		value, err = unseen(c, "Value of "+name+" (not shown)")
	} else {
		var all []byte
		all, err = io.ReadAll(io.LimitReader(c.InOrStdin(), maxLine))
		value = string(all)
	}
	if err != nil {
		return "", failed(fmt.Errorf("the secret: %w", err))
	}
	value = strings.TrimRight(value, "\r\n")
	if err := config.CheckSecret(value); err != nil {
		return "", coded{fmt.Errorf("the secret on standard input: %w", err), exitUsage}
	}
	return value, nil
}

// encryptSecret has systemd-creds encrypt a secret for this machine. The value goes over a
// pipe: arguments are seen by everybody.
func encryptSecret(ctx context.Context, creds, name, path, value string) error {
	e := exec.CommandContext(ctx, creds, "encrypt", "--name="+name, "-", "-")
	var out, said bytes.Buffer
	e.Stdin, e.Stdout, e.Stderr = strings.NewReader(value), &out, &said
	if err := e.Run(); err != nil {
		return fmt.Errorf("systemd-creds: %w: %s", err, strings.TrimSpace(said.String()))
	}
	return writeSecret(path, out.String())
}

// writeSecret writes a file that only its owner reads, in one step. A new one belongs to
// whoever has its folder: root keeps secrets for the daemon. One that is there
// keeps its owner and its mode, but for what that allows everybody: the daemon that reads
// it is another user than whoever writes it.
func writeSecret(path, text string) error {
	dir := filepath.Dir(path)
	if err := makeFolder(dir, ""); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it is gone once it has been renamed
	_, err = f.WriteString(text)
	if was, missing := os.Stat(path); missing == nil {
		const others = 0o007
		err = errors.Join(err, f.Chmod(was.Mode().Perm()&^others))
		if os.Geteuid() == 0 {
			err = errors.Join(err, chownLike(os.Lchown, f.Name(), was))
		}
	} else {
		err = errors.Join(err, likeFolder(f.Name()))
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
