package panel

import "stolpe/display"

// Frozen is the page of a display that will not be drawn for long, because it gets too
// cold for it. It is right whatever becomes of the post meanwhile: it has no price, no
// figure and no code, and leaves all that to the phone.
func (s Scene) Frozen() Page {
	t := talkIn(s.Langs)
	of := func(pick func(*words) display.Text) Said { return t.say(pick) }
	p := Page{Face: Unavailable, Help: s.Post.Helpdesk, Where: s.Post.Name}
	if len(s.EVSEs) == 1 {
		p.Post = s.EVSEs[0].View.Code
		p.Named = named(t, p.Post)
	}
	p.Big = of(func(w *words) display.Text { return w.frozen })
	p.Title = of(func(w *words) display.Text { return w.frozenTitle })
	p.Long = of(func(w *words) display.Text { return w.frozenLong })
	p.Do = of(func(w *words) display.Text { return w.frozenDo })
	p.ShortDo = of(func(w *words) display.Text { return w.frozenShort })
	return p
}
