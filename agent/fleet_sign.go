package main

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	commands "stolpe/agent/command"
	"stolpe/agent/telemetry"
)

// signing is what makes a command.
type signing struct {
	key    string // file
	issuer string
	evse   int // its number; 0 for the post
	args   string
	force  bool
	good   time.Duration

	private ed25519.PrivateKey
}

func (s *signing) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.key, "key", "", "`file` with the key, as keygen makes it")
	c.Flags().StringVar(&s.issuer, "as", "", "`name` of the key in the posts' configuration; that of the file, without its ending, if left out")
	c.Flags().IntVar(&s.evse, "evse", 0, "`id` of the EVSE that is meant; left out, the post, or all of them")
	c.Flags().StringVar(&s.args, "args", "", "arguments of the command, a `JSON` object")
	c.Flags().BoolVar(&s.force, "force", false, "also while somebody charges; keys with role admin only")
	c.Flags().DurationVar(&s.good, "for", time.Minute, "how long the command is good, at most 5m")
}

// load reads the key and looks at the rest.
func (s *signing) load() (err error) {
	switch {
	case s.key == "":
		return errors.New("--key: want the file with your key; stolpe fleet keygen makes one")
	case s.good < time.Second || s.good > commands.Longest:
		return fmt.Errorf("--for %v: want 1s to %v", s.good, commands.Longest)
	case s.args != "" && (!json.Valid([]byte(s.args)) || !strings.HasPrefix(strings.TrimSpace(s.args), "{")):
		return fmt.Errorf("--args %s: want a JSON object", s.args)
	}
	if s.issuer == "" {
		s.issuer = strings.TrimSuffix(filepath.Base(s.key), filepath.Ext(s.key))
	}
	if s.private, err = readKey(s.key); err != nil {
		return failed(err)
	}
	return nil
}

// sign makes a command for one post, good from now on.
func (s *signing) sign(n commands.Name, to target) (payload []byte, id string, err error) {
	now := time.Now().UTC().Truncate(time.Second)
	c := commands.Command{
		V: telemetry.Version, ID: commands.NewID(now), Name: n, EVSE: s.evse, Args: json.RawMessage(s.args), Force: s.force,
		Issuer: s.issuer, Issued: now, Expires: now.Add(s.good),
	}
	payload, err = commands.Sign(s.private, to.base()+string(n.Leaf()), c)
	return payload, c.ID, err
}

// parseName reads the name of a command.
func parseName(s string) (commands.Name, error) {
	if n := commands.Name(s); n.Known() {
		return n, nil
	}
	var all []string
	for _, n := range commands.Names() {
		all = append(all, string(n))
	}
	return "", fmt.Errorf("%q: want one of %s", s, strings.Join(all, ", "))
}

func fleetSignCommand() *cobra.Command {
	var s signing
	var asJSON bool
	c := &cobra.Command{
		Use:   "sign COMMAND TENANT/POST --key FILE",
		Short: "print a signed command, for whoever publishes it",
		Long: `Prints the payload as it must be published: at QoS 1, not retained, on the topic that is told on the other
output, before it is over. send does all of it.`,
		Example: `  stolpe fleet sign identify acme/A12 --key ops.key | mosquitto_pub -q 1 -t stolpe/v1/acme/A12/cmd/identify -s ...`,
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			name, err := parseName(args[0])
			if err != nil {
				return err
			}
			to, err := parseTarget(args[1])
			if err != nil {
				return err
			}
			if err := s.load(); err != nil {
				return err
			}
			payload, id, err := s.sign(name, to)
			if err != nil {
				return err
			}
			if asJSON {
				return failed(printJSON(c.OutOrStdout(), signedJSON{id, to.base() + string(name.Leaf()), int64(s.good / time.Second), string(payload)}))
			}
			fmt.Fprintf(progressOf(c), "publish within %v on %s%s\n", s.good, to.base(), name.Leaf())
			return failed(second(c.OutOrStdout().Write(payload)))
		},
	}
	s.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object: topic and payload")
	return c
}

// signedJSON is a signed command, as --json has it.
type signedJSON struct {
	ID      string `json:"id"`
	Topic   string `json:"topic"`
	Good    int64  `json:"good_s"` // s
	Payload string `json:"payload"`
}
