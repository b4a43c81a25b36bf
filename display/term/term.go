// Package term draws a display.View for a terminal: a block of a few lines, for
// the demonstration and for a technician who watches a post.
//
// # Why
//
// The block always has Height lines, so that whoever watches can move the cursor
// up and draw over it instead of scrolling. The words and numbers are those of
// the phone's page; only their places differ. Whether there is colour is for the
// caller to say, who knows about NO_COLOR and whether a terminal listens at all.
package term

import (
	"fmt"
	"io"
	"strings"

	"stolpe/display"
	"stolpe/hal"
	"stolpe/payment"
)

// Height is the number of lines Draw writes.
const Height = 4

// barWidth is in characters: as long as the longest line beside it may be on a
// terminal of 80.
const barWidth = 32

// paint is an SGR sequence; the empty one paints nothing.
type paint string

// The paints.
const (
	plain  paint = ""
	bold   paint = "1"
	green  paint = "1;32"
	yellow paint = "1;33"
	red    paint = "1;31"
	grey   paint = "2"
)

// sketch is a block being drawn.
type sketch struct {
	lang  display.Lang
	post  display.Post
	view  display.View
	color bool
	lines []string
}

// Draw writes one view as Height lines. It shows no address to pay at: that is
// for the driver's phone alone. The error is the writer's.
func Draw(w io.Writer, lang display.Lang, post display.Post, v display.View, color bool) error {
	s := &sketch{lang: lang, post: post, view: v, color: color}
	where := s.in(plain, post.Name)
	if v.Here {
		where = s.in(green, string(s.lang.Words().Here))
	}
	s.line(s.in(bold, string(s.lang.Words().Post)+" "+v.Code) + "  " + where)
	switch c := v.Charge; {
	case c.End != display.NotEnded:
		s.ended()
	case c.Reserved > 0:
		s.charge()
	default:
		s.idle()
	}
	if notice, _ := v.Notice.In(lang); notice != "" && len(s.lines) < Height {
		s.line("  " + s.in(yellow, notice))
	}
	for len(s.lines) < Height {
		s.line("")
	}
	text := strings.Join(s.lines, "\n") + "\n"
	if _, err := io.WriteString(w, strings.ReplaceAll(text, "\u00a0", " ")); err != nil {
		return fmt.Errorf("term: draw %s: %w", v.Code, err)
	}
	return nil
}

// line adds a line.
func (s *sketch) line(text string) { s.lines = append(s.lines, text) }

// in paints a text. What comes from a file of the owner must not move the cursor.
func (s *sketch) in(p paint, text string) string {
	text = strings.Map(printable, text)
	if !s.color || p == plain {
		return text
	}
	return "\x1b[" + string(p) + "m" + text + "\x1b[0m"
}

func printable(r rune) rune {
	if r < ' ' || (r >= 0x7f && r < 0xa0) {
		return '?'
	}
	return r
}

// idle is a post without a charge to show.
func (s *sketch) idle() {
	v, w := s.view, s.lang.Words()
	word, detail := w.States[v.State], ""
	switch {
	case v.State == display.Faulted && v.Fault != "":
		detail = w.FaultCode.With("code", v.Fault)
	case v.Busy:
		word = w.InUse
		if since := s.lang.Clock(v.Since, s.post.Zone); since != "" {
			detail = w.InUseSince.With("time", since)
		}
	case v.State == display.Available:
		detail = w.PowerUpTo.With("power", s.lang.KW(v.MaxPower))
	}
	s.line(s.state(word) + "  " + s.in(plain, detail))
	if v.Price.KWh > 0 {
		s.line("  " + s.lang.Money(v.Price.KWh, v.Price.Currency) + " " + string(w.PerKWh))
	}
}

// charge is a charge under way.
func (s *sketch) charge() {
	v, c, w := s.view, s.view.Charge, s.lang.Words()
	cur := c.Price.Currency
	head := s.state(w.States[v.State])
	if c.Left > 0 {
		head += "  " + display.Countdown(c.Left)
	}
	if !c.Held || v.State == display.Authorised {
		s.line(head)
		s.line("  " + string(w.Reserved) + " " + s.lang.Sum(c.Reserved, cur))
		return
	}
	s.line(head + "  " + strings.Join([]string{s.in(bold, s.lang.KWh(c.Energy)), s.in(bold, s.lang.Money(c.Cost, cur)),
		s.lang.KW(c.Power), s.lang.Time(c.Elapsed)}, "   "))
	s.line("  " + bar(c.Cost, c.Reserved) + "  " + w.Used.With("cost", s.lang.Money(c.Cost, cur), "limit", s.lang.Sum(c.Reserved, cur)))
	if n := s.notice(); n != "" {
		s.line("  " + s.in(yellow, n))
	}
}

// notice is what makes the numbers above less than the whole truth.
func (s *sketch) notice() string {
	c, w := s.view.Charge, s.lang.Words()
	switch {
	case c.Reading > hal.StaleAfter:
		return w.Measured.With("age", s.lang.Time(c.Reading))
	case c.Idle.Runs:
		return w.IdleRuns.With("price", s.lang.Money(c.Price.Idle.Minute, c.Price.Currency))
	case s.view.State == display.Suspended:
		return string(w.NotDrawing)
	}
	return ""
}

// ended is a charge that is over.
func (s *sketch) ended() {
	c := s.view.Charge
	e := s.lang.Ending(c, s.post)
	p := green
	if e.Trouble != display.NoTrouble {
		p = red
	}
	head := s.in(p, e.Title)
	if c.Energy > 0 {
		head += "  " + s.in(bold, s.lang.KWh(c.Energy)) + "   " + s.in(bold, s.lang.Money(c.Due(), c.Price.Currency)) + "   " + s.lang.Time(c.Elapsed)
	}
	s.line(head)
	s.line("  " + s.in(plain, e.What))
	s.line("  " + s.in(grey, e.Money))
}

// state paints the word of a state.
func (s *sketch) state(word display.Text) string {
	p := yellow
	switch s.view.State {
	case display.Available, display.Charging:
		p = green
	case display.Faulted, display.Unavailable:
		p = red
	}
	if s.view.Busy && s.view.Charge.Reserved == 0 {
		p = yellow
	}
	return s.in(p, string(word))
}

// bar shows how much of the reservation is used. It is full only at the end.
func bar(used, limit payment.Amount) string {
	n := 0
	if limit > 0 {
		n = int(min(max(used, 0), limit) * barWidth / limit)
	}
	return strings.Repeat("█", n) + strings.Repeat("░", barWidth-n)
}
