package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"stolpe/agent/config"
	"stolpe/display"
	"stolpe/display/panel"
	"stolpe/display/panel/draw"
	"stolpe/display/term"
)

// preview is a state as a display would show it.
type preview struct {
	file, size, png string
	languages       []string
	json            bool
}

func displayPreviewCommand() *cobra.Command {
	var o preview
	var sizes []string
	for _, m := range allMedia() {
		sizes = append(sizes, m.name)
	}
	c := &cobra.Command{
		Use:   "preview STATE [--size SIZE] [--languages nb,en] [--png FILE]",
		Short: "draw a state as a display would show it",
		Long: `Draws a state in the terminal, or as a picture in a file, as a display of that size shows it, with figures that
are made up. It needs no daemon and no display. Sizes: ` + strings.Join(sizes, ", ") + `; without one, that of the
first display in the configuration. Names of states that end in -long have the longest values that can occur.`,
		Example: `  stolpe display preview free
  stolpe display preview charging --size 250x122 --languages da,en
  stolpe display preview several-two --size 800x480 --png several.png`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeStates,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c, args[0]) },
	}
	c.Flags().StringVar(&o.size, "size", "", "`size` of the display: "+strings.Join(sizes, ", "))
	c.Flags().StringSliceVar(&o.languages, "languages", nil, "what it says first, and second; left out, as the configuration has it, or nb,en")
	c.Flags().StringVar(&o.png, "png", "", "write a picture to this `file`")
	c.Flags().StringVar(&o.file, "config", defaultConfig, "configuration `file`, for size and languages")
	c.Flags().BoolVar(&o.json, "json", false, "print one JSON object")
	return c
}

// previewJSON is a preview for a program.
type previewJSON struct {
	State     string   `json:"state"`
	Size      string   `json:"size"`
	Languages []string `json:"languages"`
	Face      string   `json:"face"`
	Says      []string `json:"says"`            // the page in words, in each language
	Code      string   `json:"code,omitempty"`  // what the code on it says
	Lines     []string `json:"lines,omitempty"` // of a display of letters
	Light     string   `json:"light,omitempty"` // "#rrggbb", where there is only that
	PNG       string   `json:"png,omitempty"`   // the file that was written
}

func (o *preview) run(c *cobra.Command, state string) error {
	m, langs, err := o.medium(c)
	if err != nil {
		return err
	}
	f, err := o.frame(m, langs, state)
	if err != nil {
		return err
	}
	if o.png != "" {
		if f.Image == nil {
			return fmt.Errorf("--png: a display of size %s has no dots; leave it out", m.name)
		}
		if err := writePNG(o.png, f.Image); err != nil {
			return failed(err)
		}
	}
	if o.json {
		j := previewJSON{State: state, Size: m.name, Languages: tagsOf(langs[:]...), Face: f.Page.Face.String(), Lines: f.Lines, PNG: o.png}
		for i := range j.Languages {
			j.Says = append(j.Says, f.Page.Spoken(i))
		}
		if f.Page.Code != nil {
			j.Code = f.Page.Code.Text
		}
		if !m.dots && m.cols == 0 {
			j.Light = colourOf(f.Page.Light)
		}
		return failed(printJSON(c.OutOrStdout(), j))
	}
	if o.png != "" {
		_, err := fmt.Fprintf(c.OutOrStdout(), "%s: %s\n", o.png, m.name)
		return failed(err)
	}
	return o.print(c, m, f)
}

// medium is what it is drawn for. What the flags do not say is as the first display of the
// configuration has it, if there is one.
func (o *preview) medium(c *cobra.Command) (m medium, langs [2]display.Lang, err error) {
	first := config.Display{Kind: config.OLED, Languages: [2]display.Lang{display.NB, display.EN}}
	cfg, err := config.Load(o.file)
	switch {
	case err != nil && c.Flags().Changed("config"):
		return m, langs, err
	case err == nil && len(cfg.Displays) > 0:
		first = cfg.Displays[0]
	}
	langs = first.Languages
	if c.Flags().Changed("lang") {
		langs = [2]display.Lang{langOf(c), langOf(c)}
	}
	if len(o.languages) > 0 {
		if langs, err = languagesOf(o.languages); err != nil {
			return m, langs, fmt.Errorf("--languages: %w", err)
		}
	}
	name := cmp.Or(o.size, mediumOf(first).name)
	m, known := mediumNamed(name)
	if !known {
		var names []string
		for _, m := range allMedia() {
			names = append(names, m.name)
		}
		return m, langs, fmt.Errorf("--size %q: want one of %s", name, strings.Join(names, ", "))
	}
	return m, langs, nil
}

func (o *preview) frame(m medium, langs [2]display.Lang, state string) (panel.Frame, error) {
	if state == patternState {
		return m.pattern(false), nil
	}
	scene, err := sampleNamed(state, langs[0], langs[1])
	if err != nil {
		return panel.Frame{}, err
	}
	return m.drawn(panel.Frame{Page: scene.Page()}, draw.Options{}), nil
}

// print draws it in the terminal.
func (o *preview) print(c *cobra.Command, m medium, f panel.Frame) error {
	w := c.OutOrStdout()
	switch {
	case m.dots && m.size == draw.Wide:
		return errors.New("800x480 dots do not fit a terminal; name a file for the picture: --png FILE")
	case m.dots:
		return failed(term.Picture(w, f.Image))
	case m.cols > 0:
		return failed(term.Letters(w, f.Lines, m.cols))
	}
	text := colourOf(f.Page.Light)
	if p := f.Page.Light.Period; p > 0 {
		text += fmt.Sprintf(", pulsing every %v", p)
	}
	_, err := fmt.Fprintln(w, text)
	return failed(err)
}

// colourOf writes a colour as the web does.
func colourOf(l panel.Light) string { return fmt.Sprintf("#%02x%02x%02x", l.Red, l.Green, l.Blue) }

// writePNG writes a picture to a file.
func writePNG(file string, picture image.Image) error {
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return fmt.Errorf("picture: %w", err)
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}
