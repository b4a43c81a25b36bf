package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"stolpe/hal"
	"stolpe/hal/modbus"
)

// print tells what was read, as people or as programs like it.
func (s *source) print(w io.Writer, r readout, asJSON bool) error {
	if asJSON {
		return printJSON(w, s.object(r))
	}
	for _, f := range r.frames {
		way := "<-"
		if f.Sent {
			way = "->"
		}
		if _, err := fmt.Fprintf(w, "%s % x\n", way, f.Bytes); err != nil {
			return err
		}
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
		Name   string      `json:"name,omitempty"` // of the model, for people
		URL    string      `json:"url"`
		Unit   int         `json:"unit"` // Modbus address
		TookMS int64       `json:"took_ms"`
		OK     bool        `json:"ok"`
		Error  string      `json:"error,omitempty"`
		Next   string      `json:"next,omitempty"`    // what to do about the error
		StepWh hal.Energy  `json:"step_wh,omitempty"` // of the register, or more
		Weak   bool        `json:"weak_map,omitempty"`
		Key    string      `json:"confirmed_key,omitempty"` // of the configuration, for the model that somebody confirms
		Values []valueJSON `json:"values"`
		Frames []frameJSON `json:"frames,omitempty"` // with --raw
	}
	frameJSON struct {
		Sent  bool   `json:"sent"` // else heard
		Bytes string `json:"bytes"`
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

// object is a readout as --json and the daemon have it.
func (s *source) object(r readout) readoutJSON {
	o := readoutJSON{
		Model: s.model, Name: s.name, URL: s.url, Unit: s.unit, TookMS: r.took.Milliseconds(), OK: r.err == nil,
		StepWh: s.step, Weak: s.weak, Key: s.key, Values: []valueJSON{},
	}
	if r.err != nil {
		o.Error, o.Next = r.err.Error(), r.next
	}
	for _, f := range r.frames {
		o.Frames = append(o.Frames, frameJSON{f.Sent, fmt.Sprintf("% x", f.Bytes)})
	}
	for _, v := range r.values {
		j, age := valueOf(v), (r.now - v.At).Milliseconds()
		j.AgeMS = &age
		o.Values = append(o.Values, j)
	}
	return o
}

// readout is what the daemon has read, as if we had.
func (o readoutJSON) readout() readout {
	r := readout{took: time.Duration(o.TookMS) * time.Millisecond, next: o.Next}
	r.now = r.took
	if !o.OK {
		r.err = errors.New(o.Error)
	}
	for _, f := range o.Frames {
		heard, _ := hex.DecodeString(strings.ReplaceAll(f.Bytes, " ", "")) // what the daemon wrote
		r.frames = append(r.frames, modbus.Frame{Sent: f.Sent, Bytes: heard})
	}
	for _, j := range o.Values {
		v := modbus.Value{Name: j.Name, Unit: j.Unit, Text: j.Text}
		if j.Number != nil {
			v.Number = *j.Number
		}
		if j.AgeMS != nil {
			v.At = r.now - time.Duration(*j.AgeMS)*time.Millisecond
		}
		if j.Quality != "ok" {
			v.Err = errors.New(j.Why)
		}
		r.values = append(r.values, v)
	}
	return r
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
