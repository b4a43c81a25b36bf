package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
)

func configValidateCommand() *cobra.Command {
	var s settings
	var deep bool
	c := &cobra.Command{
		Use:   "validate [FILE]",
		Short: "say all that is wrong with the file, with line and remedy; --deep also asks the meters",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				s.file = args[0]
			}
			return s.validate(c, deep)
		},
	}
	c.Flags().BoolVar(&deep, "deep", false, "also read register maps, certificates and meters; nothing is switched")
	return s.flags(c, "one JSON object")
}

// verdict is what a file is worth.
type verdict struct {
	File    string    `json:"file"`
	Valid   bool      `json:"valid"`
	Sum     string    `json:"cfg,omitempty"`
	Post    string    `json:"post,omitempty"`
	EVSEs   int       `json:"evses,omitempty"` // their number
	Old     bool      `json:"old,omitempty"`   // of an earlier version
	Sealed  string    `json:"sealed_by,omitempty"`
	Errors  []mistake `json:"errors"`
	Unseen  []string  `json:"not_looked_at"`
	Devices []probe   `json:"devices,omitempty"`
}

// mistake is one thing that is wrong.
type mistake struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"` // from 1
	Key     string `json:"key,omitempty"`
	Found   string `json:"found"`
	Allowed string `json:"allowed"`
}

// validate looks at the file; its error has the exit code.
func (s *settings) validate(c *cobra.Command, deep bool) error {
	cfg, unseen, err := config.Here(s.file)
	var wrong config.Errors
	if err != nil && !errors.As(err, &wrong) {
		return s.unread(err)
	}
	v := verdict{File: s.file, Valid: err == nil, Errors: []mistake{}, Unseen: append([]string{}, unseen...)}
	for _, e := range wrong {
		v.Errors = append(v.Errors, mistake(e))
	}
	if v.Valid {
		v.Sum, v.Post, v.EVSEs, v.Old, v.Sealed = cfg.Sum, cfg.Post.ID, len(cfg.EVSEs), cfg.Old(), cfg.Commissioning.By
		if deep {
			v.Devices = probeAll(c.Context(), cfg)
		}
	}
	code := v.code()
	if s.json {
		err = printJSON(c.OutOrStdout(), v)
	} else {
		err = v.tell(c.OutOrStdout(), progressOf(c))
	}
	if err != nil || code == exitDone {
		return failed(err)
	}
	return coded{fmt.Errorf("%s is not what a post can run with; put this right and look again", s.file), code}
}

func (v verdict) code() int {
	if !v.Valid {
		return exitConfig
	}
	for _, d := range v.Devices {
		if !d.OK {
			return d.code
		}
	}
	return exitDone
}

func (v verdict) tell(stdout, stderr io.Writer) error {
	for _, e := range v.Errors {
		fmt.Fprintln(stdout, config.Error(e))
	}
	if v.Valid {
		fmt.Fprintf(stdout, "%s is valid: post %s, %d EVSE, cfg %s\n", v.File, v.Post, v.EVSEs, v.Sum)
	}
	for _, secret := range v.Unseen {
		fmt.Fprintf(stderr, "not looked at, as only the daemon gets it: %s\n", secret)
	}
	if v.Old {
		fmt.Fprintln(stderr, "The file is of an earlier version, and understood as it was meant; stolpe config migrate rewrites it.")
	}
	t := table(stdout)
	for _, d := range v.Devices {
		fmt.Fprintf(t, "%s\t%s\t%s\n", map[bool]string{true: "ok", false: "FAIL"}[d.OK], d.What, d.Text)
	}
	return t.Flush()
}
