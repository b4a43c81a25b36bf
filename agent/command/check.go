package command

import (
	"fmt"
	"slices"
	"time"

	"stolpe/hal"
)

// open checks what a stranger could get wrong: a message that the broker had kept, its
// form, and its signature. What was understood of it comes back in any case.
func (d *Desk) open(m message) (Command, error) {
	text, _ := split(m.payload)
	c, err := read(text)
	switch key := d.keys[c.Issuer]; {
	case m.retained:
		return c, Refusal{Forbidden, "the broker had kept it: commands are not retained"}
	case err != nil:
		return c, Refusal{Invalid, err.Error()}
	case c.Name != m.name || !c.Name.Known():
		return c, Refusal{Invalid, "no command of that name, or not the one of its topic"}
	case key.Public == nil:
		return c, Refusal{Unsigned, "no key of that name here"}
	default:
		if _, err := Verify(key.Public, d.Base+string(c.Name.Leaf()), m.payload); err != nil {
			return c, Refusal{Unsigned, err.Error()}
		}
		return c, nil
	}
}

// admit checks when somebody known commands, and what; and remembers the id, so that
// whoever has overheard a command can have it neither done nor refused again.
func (d *Desk) admit(c Command) error {
	now := d.Now()
	if err := d.timely(c, now.Wall, d.Deeds[c.Name].Urgent); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen.has(c.ID) || d.spent.has(c.ID) {
		return Refusal{Replayed, "it came before"}
	}
	err := d.may(c)
	if err == nil && !d.given[c.Issuer].take(now.Mono) {
		err = Refusal{Busy, fmt.Sprintf("more than %d commands in a minute", mostGiven)}
	}
	if err != nil {
		d.spent.add(c.ID)
		return err
	}
	d.seen.add(c.ID)
	return nil
}

// may checks what a key is good for here.
func (d *Desk) may(c Command) error {
	_, can := d.Deeds[c.Name]
	switch role := d.keys[c.Issuer].Role; {
	case !role.May(c.Name):
		return Refusal{Forbidden, fmt.Sprintf("not for a key with role %s", role)}
	case c.Force && role != Admin:
		return Refusal{Forbidden, fmt.Sprintf("force is for role %s", Admin)}
	case !can || !slices.Contains(d.Allow, c.Name):
		return Refusal{Forbidden, "not allowed by this post's configuration"}
	}
	return nil
}

// timely says whether it is time for a command. What harms nobody is also done while
// nobody knows the time. A clock that was not set from outside may have stood still while
// there was no power.
func (d *Desk) timely(c Command, wall hal.Stamp, urgent bool) error {
	now := wall.Time()
	set := wall.Clock == hal.ClockSynced || wall.Clock == hal.ClockHoldover && d.TimeSet != nil && d.TimeSet()
	switch {
	case wall.Clock == hal.ClockUnknown && urgent:
		return nil
	case !set && !urgent:
		return Refusal{Expired, "the post's clock has not been set: it cannot tell old commands from new ones"}
	case !now.Before(c.Expires):
		return Refusal{Expired, fmt.Sprintf("it ended at %s, and the post has %s", c.Expires.UTC().Format(time.RFC3339), now.Format(time.RFC3339))}
	case c.Expires.After(now.Add(Longest)):
		return Refusal{Expired, fmt.Sprintf("it ends at %s, more than %v after %s, which the post has", c.Expires.UTC().Format(time.RFC3339), Longest, now.Format(time.RFC3339))}
	}
	return nil
}
