package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"stolpe/hal"
	"stolpe/hal/modbus/meters"
)

func meterCompareCommand() *cobra.Command {
	var a asked
	c := &cobra.Command{
		Use:   "compare KWH",
		Short: "compare the register that is read with what the meter's own display shows",
		Long: `Read the total on the display of the meter and type it as it stands there, with all its decimals. If what the
post reads is the same, the register map is right for this meter, and you may say so in the configuration. Better
with nobody charging: what flows meanwhile is allowed for.`,
		Example: `  stolpe meter compare 10344.07
  stolpe meter compare 10344,07 --model eastron_sdm72d --url "rtu:///dev/ttyUSB0?baud=9600&parity=N"`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			shown, err := parseShown(args[0])
			if err != nil {
				return err
			}
			s, err := a.source(c.Context(), progressOf(c))
			if err != nil {
				return err
			}
			defer s.close() //nolint:errcheck // nothing was written
			return a.compare(c.Context(), s, shown, c.OutOrStdout())
		},
	}
	a.meterFlags(c)
	c.Flags().BoolVar(&a.json, "json", false, "print one JSON object")
	return c
}

// onDisplay is what a display shows.
type onDisplay struct {
	text  string
	value hal.Energy // Wh
	step  hal.Energy // of its last digit, Wh
}

// parseShown reads a number of kWh as a person copies it from a display.
func parseShown(text string) (onDisplay, error) {
	plain := strings.ReplaceAll(strings.ReplaceAll(text, " ", ""), ",", ".")
	whole, part, _ := strings.Cut(plain, ".")
	const most = 9 // digits before the point: no meter counts further
	n, err := strconv.ParseUint(whole+part, 10, 63)
	if err != nil || whole == "" || len(whole) > most || len(part) > 3 || strings.HasSuffix(plain, ".") {
		return onDisplay{}, fmt.Errorf("%q: want the kWh of the display, with three decimals at most, as in 10344.07", text)
	}
	step := hal.KWh
	for range part {
		step /= 10
	}
	return onDisplay{text, hal.Energy(n) * step, step}, nil
}

// compared is what came of a comparison.
type compared struct {
	Model      string     `json:"model"`
	Agrees     bool       `json:"agrees"`
	RegisterWh hal.Energy `json:"register_wh"`
	ShownWh    hal.Energy `json:"shown_wh"`
	WithinWh   hal.Energy `json:"within_wh"` // so far they may be apart
	PowerW     hal.Power  `json:"power_w"`
	Why        string     `json:"why"`
	Next       string     `json:"next"`

	key string // of the configuration, for this meter
}

// looking is how long a person takes from the display to the keyboard. Chosen by us.
const looking = 2 * time.Minute

// conclusive is how many times as much as the two may be apart the register must have
// counted. Chosen by us: with less a register with another scale might agree by chance.
const conclusive = 20

// compare reads the register and holds it against a display.
func (a *asked) compare(ctx context.Context, s *source, d onDisplay, stdout io.Writer) error {
	r := s.once(ctx)
	if ctx.Err() != nil {
		return coded{errors.New("interrupted"), exitStopped}
	}
	if err := r.failure(); err != nil {
		return err
	}
	c := compared{Model: s.model, ShownWh: d.value, key: cmp.Or(s.key, "evses[N].meter.confirmed")}
	for _, v := range r.values {
		switch v.Name {
		case string(meters.ImportTotal):
			c.RegisterWh = hal.Energy(v.Number)
		case string(meters.PowerTotal):
			c.PowerW = hal.Power(v.Number)
		}
	}
	// The display may round or cut; the register moves on while a person types.
	c.WithinWh = d.step + s.step + c.PowerW.Over(looking)
	code := c.judge()
	if err := c.print(stdout, a.json); err != nil {
		return failed(err)
	}
	if code != exitDone {
		return coded{fmt.Errorf("%s; %s", c.Why, c.Next), code}
	}
	return nil
}

// judge says whether the two agree, and gives the exit code.
func (c *compared) judge() int {
	apart := max(c.RegisterWh-c.ShownWh, c.ShownWh-c.RegisterWh)
	switch {
	case apart > c.WithinWh:
		c.Why = fmt.Sprintf("the post reads %v and the display shows %v: %d Wh apart, and %d are allowed%s", c.RegisterWh, c.ShownWh, apart, c.WithinWh, c.scale())
		c.Next = "do not bill with this model: look for the right one with stolpe meter identify --url, and read the display again"
		return exitDiffers
	case c.ShownWh < conclusive*c.WithinWh:
		c.Why = fmt.Sprintf("%v is too little to tell: a register in another unit might show the same", c.ShownWh)
		c.Next = fmt.Sprintf("let the meter count to more than %v, and type all decimals of its display", conclusive*c.WithinWh)
		return exitRefused
	}
	c.Agrees = true
	c.Why = fmt.Sprintf("the post reads %v and the display shows %v: they agree", c.RegisterWh, c.ShownWh)
	c.Next = fmt.Sprintf("compare power and voltage in stolpe meter read as well; then write confirmed: %s beside the model: stolpe config set '%s' %s", c.Model, c.key, c.Model)
	return exitDone
}

// scale says by what the register seems to be too large or too small.
func (c *compared) scale() string {
	for _, by := range []hal.Energy{10, 100, 1000} {
		switch {
		case near(c.RegisterWh, c.ShownWh*by, by*c.WithinWh):
			return fmt.Sprintf("; it reads %d times too much: another unit or number of decimals", by)
		case near(c.RegisterWh*by, c.ShownWh, by*c.WithinWh):
			return fmt.Sprintf("; it reads %d times too little: another unit or number of decimals", by)
		}
	}
	return ""
}

func near(a, b, within hal.Energy) bool { return a > 0 && b > 0 && max(a-b, b-a) <= within }

func (c *compared) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(w, c)
	}
	if !c.Agrees {
		return nil // the error says it
	}
	_, err := fmt.Fprintf(w, "%s\nNext: %s\n", c.Why, c.Next)
	return err
}
