package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
)

func configSealCommand() *cobra.Command {
	var s settings
	var by string
	c := &cobra.Command{
		Use:   "seal",
		Short: "seal what the post was commissioned with, so that it changes only with a PIN",
		Long: "Signs post.id, and of each EVSE id, meter, contactor, inputs and max_power_w, with a key that comes from a PIN.\n" +
			"The post refuses a file in which one of them was changed without it. A sentence is a better PIN than digits.\n" +
			"It keeps mistakes and strangers out, and not somebody with all rights on this machine: they can seal anew,\n" +
			"which the post notes in its ledger and stolpe doctor shows.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			pin, err := s.newPIN(c)
			if err != nil {
				return err
			}
			a, err := config.Resealed(s.file, pin, by)
			if err != nil {
				return s.unchanged(err)
			}
			return s.write(c, a, false)
		},
	}
	c.Flags().StringVar(&by, "by", whoami(), "`name` of whoever seals")
	s.pinFlag(c)
	return s.flags(c, "one JSON object that says what changed")
}

// newPIN asks for a PIN twice where it is typed unseen.
func (s *settings) newPIN(c *cobra.Command) (string, error) {
	pin, err := s.askPIN(c, "A PIN for the seal, at least 6 characters")()
	if err != nil || s.pin != "" || !terminal(c.InOrStdin()) {
		return pin, err
	}
	again, err := s.askPIN(c, "The same PIN again")()
	if err == nil && again != pin {
		err = coded{errors.New("the two PINs differ; nothing was written"), exitUsage}
	}
	return pin, err
}

// whoami is the name of whoever runs the program.
func whoami() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

func configUnsealCommand() *cobra.Command {
	var s settings
	var check bool
	c := &cobra.Command{
		Use:   "unseal",
		Short: "take the seal off, with its PIN",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.load()
			if err != nil {
				return err
			}
			if cfg.Commissioning == (config.Commissioning{}) {
				return coded{fmt.Errorf("%s has no seal; stolpe config seal makes one", s.file), exitNotFound}
			}
			ask := s.askPIN(c, "PIN of the seal by "+cfg.Commissioning.By)
			if check {
				return s.checkPIN(c, cfg.Commissioning, ask)
			}
			a, err := config.Amend(s.file, map[string]any{"commissioning": nil}, ask)
			if err != nil {
				return s.unchanged(err)
			}
			return s.write(c, a, false)
		},
	}
	c.Flags().BoolVar(&check, "check", false, "only say whether the PIN is that of the seal")
	s.pinFlag(c)
	return s.flags(c, "one JSON object that says what changed")
}

// forgetSeal has the post forget a seal that was taken off: who did had its PIN, or there
// would be no such text.
func forgetSeal(a config.Amended) error {
	none := config.Commissioning{}
	if a.Before.Commissioning == none || a.After.Commissioning != none {
		return nil
	}
	dir := a.Before.StateDir
	if err := os.Remove(sealPath(dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return coded{fmt.Errorf("the seal is off, but the post still remembers it, and will say so: %w; remove that file as root", err), exitPartly}
	}
	return nil
}

// checkPIN says whether a PIN is that of a seal.
func (s *settings) checkPIN(c *cobra.Command, on config.Commissioning, ask func() (string, error)) error {
	pin, err := ask()
	if err == nil {
		err = on.Opens(pin)
	}
	if err != nil {
		return s.unchanged(err)
	}
	if s.json {
		return failed(printJSON(c.OutOrStdout(), map[string]any{"opens": true, "by": on.By, "sealed_at": on.SealedAt}))
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "This is the PIN that %s sealed with, %s.\n", on.By, on.SealedAt)
	return failed(err)
}
