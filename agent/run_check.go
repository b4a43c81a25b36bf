package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// checkOnly reads a configuration and starts nothing.
func checkOnly(c *cobra.Command, file string, without []string) error {
	cfg, err := loadLacking(file, without)
	if err != nil {
		return err
	}
	p := &parts{}
	if err := p.loadMaps(cfg); err != nil {
		return failed(err)
	}
	for i := range cfg.EVSEs {
		if _, err := p.mapOf(cfg, i); err != nil {
			return failed(err)
		}
		if err := readable(cfg, i); err != nil {
			return failed(err)
		}
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%s is valid: post %s, %d EVSE, cfg %s\n", file, cfg.Post.ID, len(cfg.EVSEs), cfg.Sum)
	return failed(err)
}
