package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	commands "stolpe/agent/command"
	"stolpe/agent/config/strict/legal"
)

func fleetKeygenCommand() *cobra.Command {
	var role, out string
	var asJSON bool
	c := &cobra.Command{
		Use:   "keygen NAME",
		Short: "make a key that signs commands",
		Long: `Makes an Ed25519 key in a file that only you can read, and prints what to write into the configuration
of the posts that shall obey it. NAME is what its commands say who gave them.`,
		Example: `  stolpe fleet keygen ops@acme --role operator`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			name := args[0]
			if len(name) > 32 || !legal.Only(name, "._-@") || name == "" {
				return fmt.Errorf("%q: want a name of letters, digits and . _ - @, at most 32 characters", name)
			}
			if !commands.Role(role).Known() {
				return fmt.Errorf("--role %q: want reader, support, operator or admin", role)
			}
			if out == "" {
				out = name + ".key"
			}
			public, err := makeKey(out)
			if err != nil {
				return failed(err)
			}
			if asJSON {
				return failed(printJSON(c.OutOrStdout(), madeKey{out, name, commands.Role(role), commands.Public(public)}))
			}
			quoted, _ := json.Marshal(name) // of plain letters
			return failed(second(fmt.Fprintf(c.OutOrStdout(), "made: %s; keep it where you sign, and nowhere else\nIn the configuration of each post that shall obey it, under commands, keys:\n    - {name: %s, role: %s, public: %q}\n",
				out, quoted, role, commands.Public(public))))
		},
	}
	c.Flags().StringVar(&role, "role", string(commands.Operator), "`role` to print: reader, support, operator or admin; what counts is what posts have")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object: the file, and what goes into the configuration")
	c.Flags().StringVar(&out, "out", "", "`file` to make, NAME.key if left out")
	return c
}

// madeKey is a key that was made, as --json has it. The last three are as the
// configuration has them.
type madeKey struct {
	File   string        `json:"file"`
	Name   string        `json:"name"`
	Role   commands.Role `json:"role"`
	Public string        `json:"public"`
}

const keyBlock = "PRIVATE KEY" // PKCS 8 in PEM (RFC 7468, 10), as openssl reads and writes it

// drawKey draws a key whose public half does not begin as a flag does: it is given to
// stolpe config set as an argument.
func drawKey() (ed25519.PublicKey, ed25519.PrivateKey, error) {
	for {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil || !strings.HasPrefix(commands.Public(public), "-") {
			return public, private, err
		}
	}
}

// makeKey makes a key in a new file.
func makeKey(file string) (ed25519.PublicKey, error) {
	public, private, err := drawKey()
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, coded{fmt.Errorf("%s: there is a file already, and a key is never overwritten; name another with --out", file), exitRefused}
	}
	if err != nil {
		return nil, err
	}
	err = pem.Encode(f, &pem.Block{Type: keyBlock, Bytes: der})
	return public, errors.Join(err, f.Sync(), f.Close())
}

// readKey reads what makeKey has made.
func readKey(file string) (ed25519.PrivateKey, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular() || info.Size() > 4<<10:
		return nil, fmt.Errorf("%s: want a file as stolpe fleet keygen makes it", file)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s: its mode %#o lets others in: run chmod 600 on it, and make a new key if anybody was", file, info.Mode().Perm())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != keyBlock {
		return nil, fmt.Errorf("%s: no key in PEM; stolpe fleet keygen makes one", file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, ok := key.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%s: not an Ed25519 key; stolpe fleet keygen makes one", file)
	}
	return private, nil
}
