package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
	"stolpe/agent/config/seal"
)

func configSetCommand() *cobra.Command {
	var s settings
	var dry bool
	c := &cobra.Command{
		Use:   "set KEY VALUE [KEY VALUE]...",
		Short: "set keys in the file, if it is legal afterwards; comments and order stay",
		Example: "  stolpe config set price.kwh 599\n  stolpe config set 'evses[0].meter.unit' 2\n" +
			"  stolpe config set reserve.default 20000 reserve.choices 20000,35000",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 || len(args)%2 != 0 {
				return fmt.Errorf("%d arguments: want a value for each key", len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			var keys, values []string
			for i := 0; i < len(args); i += 2 {
				keys, values = append(keys, args[i]), append(values, args[i+1])
			}
			return s.amend(c, keys, values, dry)
		},
		ValidArgsFunction: completeKeys,
	}
	return s.setFlags(c, &dry)
}

func configUnsetCommand() *cobra.Command {
	var s settings
	var dry bool
	c := &cobra.Command{
		Use:   "unset KEY...",
		Short: "take keys, or sections, out of the file, if it is legal afterwards",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return s.amend(c, args, nil, dry)
		},
		ValidArgsFunction: completeKeys,
	}
	return s.setFlags(c, &dry)
}

// setFlags are the flags of what sets keys.
func (s *settings) setFlags(c *cobra.Command, dry *bool) *cobra.Command {
	c.Flags().BoolVar(dry, "dry-run", false, "only say what would change")
	s.pinFlag(c)
	return s.flags(c, "one JSON object that says what changed")
}

// amend sets some keys.
func (s *settings) amend(c *cobra.Command, keys, values []string, dry bool) error {
	for _, key := range keys {
		if key == "commissioning" || strings.HasPrefix(key, "commissioning.") {
			return coded{fmt.Errorf("%s: the seal is made and taken off by stolpe config seal and stolpe config unseal", key), exitUsage}
		}
	}
	set, err := config.Typed(keys, values)
	switch {
	case errors.Is(err, config.ErrKey):
		return unknown(err)
	case err != nil:
		return err
	}
	a, err := config.Amend(s.file, set, s.askPIN(c, "PIN of the seal"))
	if err != nil {
		return s.unchanged(err)
	}
	return s.write(c, a, dry)
}

// unchanged is for a change that does not come about.
func (s *settings) unchanged(err error) error {
	var wrong config.Errors
	var own coded
	switch {
	case errors.As(err, &own):
		return err
	case errors.As(err, &wrong):
		return coded{fmt.Errorf("the file would not be valid any more, so nothing was written:\n%w", wrong), exitConfig}
	case errors.Is(err, config.ErrNoPIN):
		return coded{err, exitRefused}
	case errors.Is(err, seal.ErrPIN):
		return coded{fmt.Errorf("%w; nothing was written", err), exitNotPermitted}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		return s.unread(err)
	}
	return coded{fmt.Errorf("%w; nothing was written", err), exitFailed}
}

func configMigrateCommand() *cobra.Command {
	var s settings
	var check bool
	c := &cobra.Command{
		Use:   "migrate",
		Short: "rewrite a file of an earlier version in the newest; comments and order stay",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			a, err := config.Amend(s.file, nil, s.askPIN(c, "PIN of the seal"))
			if err != nil {
				return s.unchanged(err)
			}
			return s.write(c, a, check)
		},
	}
	c.Flags().BoolVar(&check, "dry-run", false, "only say what would change")
	s.pinFlag(c)
	return s.flags(c, "one JSON object that says what changed")
}
