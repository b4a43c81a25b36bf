package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"stolpe/agent/doctor"
	"stolpe/agent/setup"
)

// drawnWithin is how long a display may take for its first page. Chosen by us: e-paper
// draws in full for some 4 s, and what failed is tried again after a second or two.
const drawnWithin = 20 * time.Second

// onDisplays looks whether the post draws on its displays, and asks whether that is seen. A
// display that does not work holds up nothing: the report says so.
func (f *fitting) onDisplays(ctx context.Context) (setup.Status, string, error) {
	post, err := f.running(ctx)
	if err != nil {
		return setup.Warned, setup.Words{NB: "displayet er ikke prøvd: ", EN: "the display was not tried: "}.In(f.lang) + err.Error(), ctx.Err()
	}
	all, err := displaysDrawn(ctx, post.Get)
	if err != nil {
		return "", "", answered(err)
	}
	status, said := setup.Passed, []string{}
	for _, d := range all {
		word := setup.Words{NB: "tegnes", EN: "is drawn"}.In(f.lang)
		switch {
		case d.Code != "":
			status, word = setup.Warned, d.Code+", "+d.Wrong
		case d.Pages == 0:
			status, word = setup.Warned, setup.Words{NB: "ikke tegnet ennå", EN: "not drawn yet"}.In(f.lang)
		}
		said = append(said, d.Name+": "+word)
	}
	text := strings.Join(said, "; ")
	if status != setup.Passed {
		return status, text + setup.Words{NB: "; se stolpe doctor display", EN: "; see stolpe doctor display"}.In(f.lang), nil
	}
	if f.terminal == nil || f.yes {
		return status, text, nil
	}
	seen, err := f.confirm(ctx, setup.Words{NB: "Står det noe på displayet, rett vei og skarpt?", EN: "Does the display show something, the right way up and sharp?"}.In(f.lang),
		fmt.Sprintf(setup.Words{NB: "%s. En SPI-skjerm sier ikke fra om brutte ledere.", EN: "%s. A display on SPI does not tell of a broken wire."}.In(f.lang), text), "")
	if err != nil || seen {
		return status, text, err
	}
	return setup.Warned, text + setup.Words{NB: "; men ingen ser det", EN: "; but nobody sees it"}.In(f.lang), nil
}

// displaysDrawn asks the post how its displays are doing, until each was drawn, or fails.
func displaysDrawn(ctx context.Context, get func(ctx context.Context, route string, args, to any) error) ([]doctor.Display, error) {
	end := time.NewTimer(drawnWithin)
	defer end.Stop()
	for {
		var said doctor.Daemon
		if err := get(ctx, "facts", nil, &said); err != nil {
			return nil, err
		}
		settled := true
		for _, d := range said.Displays {
			settled = settled && (d.Pages > 0 || d.Code != "")
		}
		if settled {
			return said.Displays, nil
		}
		again := time.NewTimer(200 * time.Millisecond)
		select {
		case <-again.C:
		case <-end.C:
			return said.Displays, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		again.Stop()
	}
}
