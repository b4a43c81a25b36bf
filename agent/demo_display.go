package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"stolpe/agent/config"
)

// demoPost is the post of the demo, with that display.
func demoPost(shown string) (config.Config, error) {
	text := demoConfig
	if shown != "" {
		kind := config.PNG
		if strings.HasPrefix(shown, "http:") {
			kind = config.Kiosk
		}
		text += fmt.Sprintf("display: [{kind: %s, url: %q}]\n", kind, shown)
	}
	cfg, err := config.Parse("demo", strings.NewReader(text), config.System)
	var wrong config.Errors
	if shown != "" && errors.As(err, &wrong) { // the rest has no mistakes
		return cfg, coded{fmt.Errorf("--display %s: found %s; want %s", shown, wrong[0].Found, wrong[0].Allowed), exitUsage}
	}
	return cfg, err
}

// openDisplay opens the display that was asked for. Those of a configuration that is only
// tried out are left alone.
func (s *stage) openDisplay(w world) {
	if s.shown != "" {
		s.parts.openDisplays(s.cfg, w, nil)
	}
}

// tellDisplay says where it is.
func (s *stage) tellDisplay(w io.Writer) {
	if s.shown != "" {
		fmt.Fprintf(w, "  The post's display: %s\n", s.shown)
	}
}
