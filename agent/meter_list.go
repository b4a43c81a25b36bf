package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"stolpe/hal/modbus/meters"
)

func meterListCommand() *cobra.Command {
	var dir string
	var asJSON bool
	c := &cobra.Command{
		Use:   "list [MODEL]",
		Short: "list the meters that can be read, or all that is known of one",
		Args:  cobra.MaximumNArgs(1),

		ValidArgsFunction: completeModel,

		RunE: func(c *cobra.Command, args []string) error {
			library, err := loadMeters(dir)
			if err != nil {
				return err
			}
			var all []*meters.Map
			for _, id := range append(args, library.Names()...) {
				m, err := findMap(library, id)
				if err != nil {
					return err
				}
				if all = append(all, m); len(args) > 0 {
					break
				}
			}
			switch {
			case asJSON:
				return failed(printModelsJSON(c.OutOrStdout(), library, all))
			case len(args) > 0:
				return failed(printModel(c.OutOrStdout(), library, all[0]))
			}
			return failed(printModels(c.OutOrStdout(), library, all))
		},
	}
	withMeters(c, &dir)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line, with everything that is known")
	return c
}

// table lines up columns that are separated by tabs.
func table(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

// printModels prints a table of one line for each model, at most 80 characters
// wide; where a map was added one more column says which.
func printModels(w io.Writer, library *meters.Library, all []*meters.Map) error {
	const room, builtIn = 18, "built in" // room in characters
	added := slices.ContainsFunc(all, func(m *meters.Map) bool { return library.Origin(m.ID) != builtIn })
	t := table(w)
	row := func(from string, cells ...string) {
		if added {
			cells = append(cells, from)
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	row("FROM", "MODEL", "METER", "PH", "WIRE", "STEP", "MID", "TRUST")
	for _, m := range all {
		from := builtIn
		if library.Origin(m.ID) != from {
			from = "file"
		}
		row(from, m.ID, cut(m.Brand+" "+strings.Join(m.Models, ", "), room), strconv.Itoa(m.Phases), strings.Join(m.Transports, " "), step(m), approval(m), m.Confidence)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d models. PH is phases, STEP the smallest step of the energy register,\n"+
		"TRUST how sure the register map is. All of one: stolpe meter list MODEL.\nOne more: --meters FOLDER.\n", len(all))
	return err
}

// cut shortens a text to so many characters.
func cut(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

func step(m *meters.Map) string {
	if m.Resolution == 0 {
		return "?"
	}
	return fmt.Sprintf("%d Wh", int64(m.Resolution))
}

// printModel prints all that is known of one model.
func printModel(w io.Writer, library *meters.Library, m *meters.Map) error {
	t := table(w)
	row := func(name, format string, a ...any) { fmt.Fprintf(t, "%s\t"+format+"\n", append([]any{name}, a...)...) }
	row("model", "%s", m.ID)
	row("meter", "%s %s", m.Brand, strings.Join(m.Models, ", "))
	row("phases", "%d", m.Phases)
	row("wire", "%s", strings.Join(m.Transports, ", "))
	row("step", "%s", step(m))
	row("MID", "%s", approval(m))
	if m.MID != nil && m.MID.Note != "" {
		row("", "%s", m.MID.Note)
	}
	row("trust", "%s", m.Confidence)
	row("from", "%s", library.Origin(m.ID))
	if s := m.Serial; s != nil {
		row("factory setting", "%s", factory(s))
	}
	l := m.Limits
	row("at once", "%d registers, even counts only: %v, across gaps: %v", l.MaxRegisters, l.EvenCountOnly, l.AcrossGaps)
	row("times", "%d ms of silence before a request, answer within %d ms%s%s", l.MinGap, l.MaxResponse,
		known(l.Refresh, ", new values every %d ms"), known(l.Boot, ", right %d ms after power on"))
	fmt.Fprintln(t, "\nVALUE\tAT\tFUNCTION\tTYPE\tUNIT\tMORE")
	for _, q := range meters.Quantities() {
		if r, ok := m.Registers[q]; ok {
			printRegister(t, m, string(q), r)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Identity)) {
		printRegister(t, m, name, m.Identity[name])
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, part := range []struct {
		name  string
		lines []string
	}{{"Notes", m.Notes}, {"Sources", m.Sources}} {
		if len(part.lines) > 0 {
			fmt.Fprintf(w, "\n%s\n  %s\n", part.name, strings.Join(part.lines, "\n  "))
		}
	}
	return nil
}

// factory is how a meter leaves the factory, as far as it is known.
func factory(s *meters.SerialDefaults) string {
	speed, frame, unit := "speed not known", fmt.Sprintf("8%s%d", s.Parity, s.StopBits), "unit not known"
	switch {
	case s.Parity == "" && s.StopBits == 0:
		frame = "parity and stop bits not known"
	case s.Parity == "":
		frame = fmt.Sprintf("parity not known, stop bits %d", s.StopBits)
	case s.StopBits == 0:
		frame = "parity " + s.Parity + ", stop bits not known"
	}
	if s.Baud != 0 {
		speed = fmt.Sprintf("%d baud", s.Baud)
	}
	if s.Unit != 0 {
		unit = fmt.Sprintf("unit %d", s.Unit)
	}
	return speed + ", " + frame + ", " + unit
}

// known writes a number of ms, or nothing where it is not known.
func known(ms int, format string) string {
	if ms == 0 {
		return ""
	}
	return fmt.Sprintf(format, ms)
}

// printRegister prints one register, with what is unusual about it.
func printRegister(w io.Writer, m *meters.Map, name string, r meters.Register) {
	var more []string
	add := func(unusual bool, format string, v any) {
		if unusual {
			more = append(more, fmt.Sprintf(format, v))
		}
	}
	add(r.Scale != 0, "times %v", r.Scale)
	for _, addr := range r.SumWith {
		add(true, "plus 0x%04X", addr)
	}
	if r.Subtract != nil {
		add(true, "less 0x%04X", *r.Subtract)
	}
	if r.Exp10 != nil {
		add(true, "times 10 to the power of 0x%04X", r.Exp10.Addr)
	}
	add(r.Max != 0, "at most %v", r.Max)
	add(len(r.Expect) > 0, "is %s", strings.Join(r.Expect, " or "))
	add(r.Resettable != nil && *r.Resettable, "%s", "can be set back by a user")
	kind := string(r.Type)
	if r.Length != 0 {
		kind = fmt.Sprintf("%s of %d", kind, r.Length)
	}
	cells := []string{name, fmt.Sprintf("0x%04X", r.Addr), strconv.Itoa(int(m.FunctionOf(&r))), kind, r.Unit, strings.Join(more, ", ")}
	fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

// printModelsJSON prints one object a line.
func printModelsJSON(w io.Writer, library *meters.Library, all []*meters.Map) error {
	for _, m := range all {
		if err := printJSON(w, modelOf(library, m)); err != nil {
			return err
		}
	}
	return nil
}
