package main

import (
	"context"

	commands "stolpe/agent/command"
	"stolpe/agent/config"
	"stolpe/agent/ledger"
	"stolpe/agent/mqtt"
)

// rememberedLines is how many of the ledger's newest lines are looked through for
// commands that were done before a restart. Chosen by us: more than a post writes in the
// minutes for which a command is good.
const rememberedLines = 4096

// takeCommands has the post do what its fleet's people tell it, if the configuration
// names any. What it does then, deeds say.
func (p *parts) takeCommands(cfg config.Config, w world, b *uplink, deeds map[commands.Name]commands.Deed) error {
	if b == nil || len(cfg.Commands.Keys) == 0 {
		return nil
	}
	o := commands.Options{Base: b.base, Deeds: deeds, Now: w.now, TimeSet: w.timeSet, Publish: b.publish, Log: w.log}
	for _, k := range cfg.Commands.Keys {
		public, err := commands.ParsePublic(k.Public)
		if err != nil {
			return cfg.Wrong("commands.keys", "key "+k.Name, err.Error())
		}
		o.Keys = append(o.Keys, commands.Key{Name: k.Name, Role: commands.Role(k.Role), Public: public})
	}
	for _, name := range cfg.Commands.Allow {
		o.Allow = append(o.Allow, commands.Name(name))
	}
	if w.book != nil {
		o.Note = func(r commands.Record) error { return w.book.Append(entryOf(r)) }
		var err error
		if o.Remembered, err = commandsIn(w.book); err != nil {
			w.log.Error("ledger: what was commanded before cannot be read; but for what harms nobody, no command is done", "err", err)
			o.Note = nil
		}
	}
	d := commands.New(o)
	b.orders(func(m mqtt.Message) { d.Take(m.Topic, m.Payload, m.Retained) }, func(ctx context.Context) {
		if !endsWith(ctx, func() { d.Run(ctx) }) {
			w.log.Error("ledger does not answer; what the last commands did is not written down")
		}
	})
	return nil
}

// entryOf is how a command stands in the ledger.
func entryOf(r commands.Record) ledger.Entry {
	c := &ledger.Command{ID: r.ID, Name: string(r.Name), Issuer: r.Issuer, Code: string(r.Code), Text: r.Text}
	if !r.Expires.IsZero() {
		c.Expires = r.Expires.Unix()
	}
	return ledger.Entry{At: r.At.Unix, Clock: r.At.Clock.String(), Kind: ledger.Kind(r.Kind), EVSE: r.EVSE, Command: c}
}

// commandsIn are those that were accepted before, the oldest first.
func commandsIn(book *ledger.Ledger) ([]commands.Record, error) {
	var all []commands.Record
	from := uint64(1)
	if newest := book.Newest(); newest > rememberedLines {
		from = newest - rememberedLines
	}
	err := book.From(from, func(e ledger.Entry, _ string) error {
		if e.Kind == ledger.CommandAccepted && e.Command != nil {
			all = append(all, commands.Record{Kind: commands.AcceptedKind, ID: e.Command.ID, Name: commands.Name(e.Command.Name)})
		}
		return nil
	})
	return all, err
}
