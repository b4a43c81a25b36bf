package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"stolpe/agent/control"
	"stolpe/agent/doctor"
	"stolpe/agent/session"
	"stolpe/agent/setup"
)

// testContactors has each contactor close for a moment and open again. The post is out of
// service meanwhile; one whose contactor has not passed stays so.
func (f *fitting) testContactors(ctx context.Context) error {
	if err := f.mayClose(ctx); err != nil {
		return err
	}
	post, err := f.running(ctx)
	if err != nil {
		return err
	}
	if err := post.Do(ctx, "service/out", map[string]any{"now": true, "reason": "setup"}, nil); err != nil {
		return answered(err)
	}
	var said []string
	for n := 1; n <= f.progress.Answers.EVSEs(); n++ {
		text, err := f.testContactor(ctx, post, n)
		if err != nil {
			return err
		}
		said = append(said, text)
	}
	if err := post.Do(context.WithoutCancel(ctx), "service/in", nil, nil); err != nil {
		return answered(err)
	}
	f.note(setup.Close, setup.Passed, strings.Join(said, "; "))
	return nil
}

// mayClose asks whether power may come to the socket.
func (f *fitting) mayClose(ctx context.Context) error {
	if f.yes || f.progress.Answers.Yes("simulated") && f.terminal != nil {
		return nil
	}
	if f.terminal == nil {
		return unconfirmedIn(f.lang, f.danger())
	}
	sure, err := f.confirm(ctx,
		f.danger()+" "+setup.Words{NB: "Skriv ", EN: "Type "}.In(f.lang)+testWord+".",
		setup.Words{NB: "Ingenting må være plugget i, og ingen må ta på den.", EN: "Nothing may be plugged in, and nobody may touch it."}.In(f.lang), testWord)
	if err == nil && !sure {
		err = coded{errors.New("nothing was closed, as " + testWord + " was not typed"), exitRefused}
	}
	return err
}

// danger is what a test of a contactor does.
func (f *fitting) danger() string {
	return fmt.Sprintf(setup.Words{NB: "Kontaktoren slås inn i %v, og det blir spenning på kontakten.", EN: "The contactor closes for %v, and there is power at the socket."}.In(f.lang), session.TestFor)
}

// testContactor is testContactors for one EVSE.
func (f *fitting) testContactor(ctx context.Context, post *control.Client, n int) (string, error) {
	if err := f.awaitTest(ctx, post, n); err != nil {
		return "", err
	}
	var t tried
	if err := post.Do(ctx, "contactor/test", map[string]any{"evse": n, "confirm": testWord}, &t); err != nil {
		return "", answered(err)
	}
	var steps []string
	for _, s := range t.Steps {
		steps = append(steps, s.Name+" "+s.Text)
	}
	text := fmt.Sprintf("EVSE %d: %s", n, strings.Join(steps, ", "))
	if !t.Passed {
		return "", coded{fmt.Errorf("%s; the post stays out of service: see stolpe why and stolpe help faults", text), exitDevice}
	}
	return text, nil
}

// Chosen by us.
const (
	readyWithin = 45 * time.Second // a contactor that has just opened rests, and a meter is read twice
	lookEach    = 200 * time.Millisecond
	pressWithin = 2 * time.Minute // a person walks around the post
)

// awaitTest waits until nothing speaks against a test.
func (f *fitting) awaitTest(ctx context.Context, post *control.Client, n int) error {
	within, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for told := ""; ; {
		var all struct {
			EVSEs []contactorNow `json:"evses"`
		}
		if err := post.Get(ctx, "contactor", map[string]any{"evse": n}, &all); err != nil {
			return answered(err)
		}
		against := ""
		for _, c := range all.EVSEs {
			against += c.Against
		}
		if against == "" {
			return nil
		}
		if against != told {
			told = against
			fmt.Fprintf(f.stderr, "  EVSE %d: %s ...\n", n, against)
		}
		if pause(within, lookEach) != nil {
			return coded{fmt.Errorf("EVSE %d cannot be tested: %s", n, against), exitRefused}
		}
	}
}

// testInputs has a person work each input, and sees it.
func (f *fitting) testInputs(ctx context.Context) error {
	if f.progress.Answers.Yes("simulated") {
		f.note(setup.Press, setup.Nothing, setup.Words{NB: "simulert", EN: "simulated"}.In(f.lang))
		return nil
	}
	post, err := f.running(ctx)
	if err != nil {
		return err
	}
	first, err := wiresAt(ctx, post)
	if err != nil {
		return err
	}
	var said []string
	for _, e := range first {
		for _, w := range e.Wires {
			if w.Name == "sense" {
				continue // the contactor's own test has moved it
			}
			if f.terminal != nil {
				if err := f.press(ctx, post, e.EVSE, w); err != nil {
					return err
				}
			} else if !w.Fine {
				return coded{fmt.Errorf("EVSE %d: %s at %s is %s; look at its wire", e.EVSE, w.Name, w.Line, w.Says), exitDevice}
			}
			said = append(said, fmt.Sprintf("EVSE %d %s", e.EVSE, w.Name))
		}
	}
	switch {
	case len(said) == 0:
		f.note(setup.Press, setup.Nothing, "")
	case f.terminal == nil:
		f.note(setup.Press, setup.Warned, strings.Join(said, ", ")+setup.Words{NB: ": lest, ikke betjent, siden ingen satt ved terminalen", EN: ": read and not worked, as nobody sat at a terminal"}.In(f.lang))
	default:
		f.note(setup.Press, setup.Passed, strings.Join(said, ", "))
	}
	return nil
}

// wiresAt is what the wires say now.
func wiresAt(ctx context.Context, post *control.Client) (all []wiresNow, err error) {
	err = post.Follow(ctx, "inputs", map[string]any{"once": true}, func(text json.RawMessage) error {
		var said struct {
			EVSEs []wiresNow `json:"evses"`
		}
		err := json.Unmarshal(text, &said)
		all = said.EVSEs
		return err
	})
	return all, answered(err)
}

// press waits until somebody has worked an input and let it go again.
func (f *fitting) press(ctx context.Context, post *control.Client, evse int, w wireNow) error {
	do := map[string]setup.Words{
		"plug":   {NB: "Sett inn en kabel, og ta den ut igjen", EN: "Plug a cable in, and take it out again"},
		"stop":   {NB: "Trykk på stoppknappen, og slipp den", EN: "Press the stop button, and let it go"},
		"estop":  {NB: "Trykk inn nødstoppen, og løs den ut", EN: "Press the emergency stop, and release it"},
		"rcd":    {NB: "Trykk på prøveknappen på jordfeilbryteren, og slå den på igjen", EN: "Press the test button of the residual current device, and switch it on again"},
		"hot":    {NB: "Løsne ledningen til termobryteren, og fest den igjen", EN: "Take the wire of the thermal switch off, and put it back"},
		"accept": {NB: "Hold inne knappen som godtar vilkårene, og slipp den", EN: "Hold the button that accepts the terms, and let it go"},
	}[w.Name]
	fmt.Fprintf(f.stderr, "  EVSE %d, %s: %s ...\n", evse, w.Line, do.In(f.lang))
	within, cancel := context.WithTimeout(ctx, pressWithin)
	defer cancel()
	began, moved := w.Says, false
	err := post.Follow(within, "inputs", map[string]any{"evse": evse}, func(text json.RawMessage) error {
		var said struct {
			EVSEs []wiresNow `json:"evses"`
		}
		if err := json.Unmarshal(text, &said); err != nil {
			return err
		}
		for _, e := range said.EVSEs {
			i := slices.IndexFunc(e.Wires, func(x wireNow) bool { return x.Name == w.Name })
			if i < 0 || e.EVSE != evse {
				continue
			}
			now := e.Wires[i].Says
			if now != began {
				moved = true
				fmt.Fprintf(f.stderr, "    %s\n", now)
			}
			if moved && now == began {
				return errWorked
			}
		}
		return nil
	})
	switch {
	case errors.Is(err, errWorked):
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case within.Err() != nil:
		return coded{fmt.Errorf("EVSE %d: %s at %s has not moved and come back within %v; is that its line?", evse, w.Name, w.Line, pressWithin), exitDevice}
	}
	return answered(err)
}

// selfTest looks at everything, as the doctor does. What fails on a real post is to be put
// right before somebody answers for it.
func (f *fitting) selfTest(ctx context.Context) error {
	post, err := f.running(ctx)
	if err != nil {
		return err
	}
	all, _ := doctor.Judge(gathered(ctx, post, thisComputer(ctx, machineTime()), f.file, true, f.stderr))
	var ill []string
	fails := 0
	for _, x := range all {
		if x.Status != doctor.Fail && x.Status != doctor.Warn {
			continue
		}
		word := "WARN"
		if x.Status == doctor.Fail {
			word = "FAIL"
			fails++
		}
		ill = append(ill, x.ID)
		fmt.Fprintf(f.stderr, "  %s  %s: %s\n        -> %s\n", word, x.ID, x.What.In(f.lang), x.Remedy.In(f.lang))
	}
	said := fmt.Sprintf(setup.Words{NB: "%d sett på", EN: "%d looked at"}.In(f.lang), len(all))
	switch {
	case fails > 0 && !f.progress.Answers.Yes("simulated"):
		return coded{fmt.Errorf("%d of %d fail: %s", fails, len(all), strings.Join(ill, ", ")), exitDiffers}
	case len(ill) > 0:
		f.note(setup.Selftest, setup.Warned, said+"; "+strings.Join(ill, ", "))
	default:
		f.note(setup.Selftest, setup.Passed, said)
	}
	return nil
}

// errWorked says that an input has done what it should.
var errWorked = errors.New("worked")
