package main

import (
	"encoding/json"
	"fmt"
	"io"

	"stolpe/hal"
	"stolpe/hal/modbus"
)

// print tells what was read, as people or as programs like it.
func (a *asked) print(w io.Writer, r readout) error {
	if a.json {
		return a.printJSON(w, r)
	}
	if len(r.values) == 0 {
		return nil
	}
	t, missing := table(w), 0
	fmt.Fprintln(t, "VALUE\tREADS\tQUALITY\tAGE")
	for _, v := range r.values {
		if v.Err != nil {
			fmt.Fprintf(t, "%s\t-\tmissing: %v\n", v.Name, v.Err)
			missing++
			continue
		}
		fmt.Fprintf(t, "%s\t%s\tok\t%d ms\n", v.Name, written(v), (r.now - v.At).Milliseconds())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d of %d values in %d ms\n", len(r.values)-missing, len(r.values), r.took.Milliseconds())
	return err
}

// written writes a value as a display shows it.
func written(v modbus.Value) string {
	switch v.Unit {
	case "Wh":
		return hal.Energy(v.Number).String()
	case "W":
		return hal.Power(v.Number).String()
	case "mV":
		return hal.Voltage(v.Number).String()
	case "mA":
		return hal.Current(v.Number).String()
	case "mHz":
		return fmt.Sprintf("%d.%03d Hz", v.Number/1000, v.Number%1000)
	case "":
		if v.Text == "" {
			return "(empty)"
		}
		return v.Text
	}
	return fmt.Sprint(v.Number, " ", v.Unit)
}

// Objects of --json.
type (
	readoutJSON struct {
		Model  string      `json:"model"`
		URL    string      `json:"url"`
		Unit   int         `json:"unit"` // Modbus address
		TookMS int64       `json:"took_ms"`
		OK     bool        `json:"ok"`
		Error  string      `json:"error,omitempty"`
		Values []valueJSON `json:"values"`
	}
	valueJSON struct {
		Name    string `json:"name"`
		Number  *int64 `json:"number,omitempty"` // in Unit
		Unit    string `json:"unit,omitempty"`
		Text    string `json:"text,omitempty"` // of what is no number
		Quality string `json:"quality"`        // ok or missing
		Why     string `json:"why,omitempty"`  // it is missing
		AgeMS   *int64 `json:"age_ms,omitempty"`
	}
)

func (a *asked) printJSON(w io.Writer, r readout) error {
	o := readoutJSON{Model: a.model, URL: a.url, Unit: a.unit, TookMS: r.took.Milliseconds(), OK: r.err == nil, Values: []valueJSON{}}
	if r.err != nil {
		o.Error = r.err.Error()
	}
	for _, v := range r.values {
		j, age := valueOf(v), (r.now - v.At).Milliseconds()
		j.AgeMS = &age
		o.Values = append(o.Values, j)
	}
	return printJSON(w, o)
}

// printJSON prints one object a line, with addresses as they are written.
func printJSON(w io.Writer, object any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(object)
}

// valueOf is a value as --json has it.
func valueOf(v modbus.Value) valueJSON {
	j := valueJSON{Name: v.Name, Unit: v.Unit, Text: v.Text, Quality: "ok"}
	switch {
	case v.Err != nil:
		j.Quality, j.Why = "missing", v.Err.Error()
	case v.Unit != "":
		j.Number = &v.Number
	}
	return j
}
