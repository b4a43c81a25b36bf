package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"stolpe/hal/modbus/meters"
)

func meterCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "meter",
		Short: "energy meters: list the models, read one, compare it with its display, scan a line, simulate one",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(meterListCommand(), meterReadCommand(), meterIdentifyCommand(), meterCompareCommand(), meterScanCommand(), meterSimulateCommand())
	return c
}

// withMeters adds the flag that names a folder of register maps.
func withMeters(c *cobra.Command, dir *string) {
	c.Flags().StringVar(dir, "meters", "", "`folder` with register maps of your own, as meters_dir in the configuration")
}

// loadMeters reads the built-in register maps and those of a folder.
func loadMeters(dir string) (*meters.Library, error) {
	maps, err := meters.Load(dir)
	if err != nil {
		return nil, coded{fmt.Errorf("%w; put this right, or take the file out of the folder", err), exitConfig}
	}
	return maps, nil
}

// findMap finds the register map of a model.
func findMap(maps *meters.Library, model string) (*meters.Map, error) {
	m, err := maps.Find(model)
	if err != nil {
		return nil, coded{fmt.Errorf("%w; stolpe meter list has them all", err), exitNotFound}
	}
	return m, nil
}

// approval is the MID class of a meter in a word.
func approval(m *meters.Map) string {
	if m.MID == nil {
		return "-"
	}
	return cmp.Or(m.MID.Class, "yes")
}
