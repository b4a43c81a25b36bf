package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"stolpe/agent/control"
	"stolpe/agent/support"
)

func supportCommand() *cobra.Command {
	c := &cobra.Command{Use: "support", Short: "collect what somebody needs who helps from afar"}
	c.AddCommand(supportBundleCommand())
	return c
}

// bundleOptions are the flags of stolpe support bundle.
type bundleOptions struct {
	file  string // the configuration
	out   string
	since time.Duration
	plain bool
	json  bool
	named bool // the file was named
}

// usualSince is how far a bundle reaches back. Chosen by us: over a weekend, and what
// came before it.
const usualSince = 7 * 24 * time.Hour

func supportBundleCommand() *cobra.Command {
	var o bundleOptions
	c := &cobra.Command{
		Use:   "bundle",
		Short: "write what the post knows of itself into one file, without secrets",
		Long: `Writes a tar.gz that explains itself: the state of each EVSE, the ledger, the configuration, the log, the
machine, versions, and what doctor and why say. Keys are never in it. References of payments, pages of
drivers, phone numbers and names give way to marks that are the same all through, so that one charge stays
recognisable. Asks the daemon, or reads the files of the post where none runs.`,
		Example: `  stolpe support bundle
  stolpe support bundle --since 48h --out /tmp/a12.tar.gz`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.since <= 0 {
				return fmt.Errorf("--since %v: want how far back, such as 48h", o.since)
			}
			o.named = c.Flags().Changed("config")
			return o.run(c.Context(), c.OutOrStdout(), progressOf(c))
		},
	}
	f := c.Flags()
	f.StringVar(&o.file, "config", defaultConfig, "configuration `file`, for a post that does not run")
	f.StringVar(&o.out, "out", "", "`file` to write; else one in this folder, named after the post and the time")
	f.DurationVar(&o.since, "since", usualSince, "how far back, as in `48h`")
	f.BoolVar(&o.plain, "no-redact", false, "with references of payments, numbers of documents and names; never with keys")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	return c
}

// collected is a bundle that is being made.
type collected struct {
	*support.Bundle
	veil *support.Veil
}

func (o *bundleOptions) run(ctx context.Context, stdout, stderr io.Writer) error {
	now := time.Now()
	c := collected{Bundle: support.New(support.Head{Made: now, Version: version, Veiled: !o.plain, Since: now.Add(-o.since)})}
	take := func(m supportMessage) error {
		switch {
		case m.Key != nil:
			c.veil, c.Post = support.NewVeil(m.Key, nil, o.plain), cmp.Or(m.Post, "post")
			c.veil.Know(m.People...)
		case m.Piece != nil:
			c.Add(*m.Piece)
		case m.Missing != nil:
			c.Lacks(m.Missing.What, m.Missing.Why)
		}
		return nil
	}
	c.Source = "the daemon"
	fmt.Fprintln(stderr, "Asking the daemon ...")
	err := daemonOf().Follow(ctx, "support", supportArgs{Since: c.Since, Plain: o.plain}, func(line json.RawMessage) error {
		var m supportMessage
		if err := json.Unmarshal(line, &m); err != nil {
			return err
		}
		return take(m)
	})
	if errors.Is(err, control.ErrNoDaemon) {
		fmt.Fprintf(stderr, "No daemon runs; reading the files that %s names ...\n", o.file)
		c.Source = "the files of the post; no daemon ran"
		err = gatherHere(ctx, o.file, c.Since, o.plain, take)
	}
	if err != nil {
		return answered(err)
	}
	fmt.Fprintln(stderr, "Asking the doctor, and for the log ...")
	c.addDoctor(ctx, o.file, o.named)
	c.addLog(ctx)
	return o.write(c.Bundle, stdout)
}

// bundleJSON is what --json prints.
type bundleJSON struct {
	File    string            `json:"file"`
	Bytes   int64             `json:"bytes"`
	ID      string            `json:"id"`
	Veiled  bool              `json:"redacted"`
	Source  string            `json:"source"`
	Inside  []string          `json:"inside"`
	Missing []support.Missing `json:"missing,omitempty"`
}

func (o *bundleOptions) write(b *support.Bundle, stdout io.Writer) error {
	out := cmp.Or(o.out, b.Folder()+".tar.gz")
	f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return failed(fmt.Errorf("%w; name another file with --out", err))
	}
	err = b.Write(f)
	at, _ := f.Seek(0, io.SeekCurrent)
	if err = errors.Join(err, f.Close()); err != nil {
		return failed(fmt.Errorf("%s: %w; name a file on another disk with --out", out, err))
	}
	if o.json {
		return failed(printJSON(stdout, bundleJSON{out, at, b.ID, b.Veiled, b.Source, b.Names(), b.Missing}))
	}
	fmt.Fprintf(stdout, "Wrote %s (%d kB), bundle %s, from %s. Inside:\n", out, (at+1023)/1024, b.ID, b.Source)
	t := table(stdout)
	b.Each(func(p support.Piece) { fmt.Fprintf(t, "  %s\t%d bytes\t%s\n", p.Name, len(p.Body), p.About) })
	for _, m := range b.Missing {
		fmt.Fprintf(t, "  %s\tnot there\t%s\n", m.What, m.Why)
	}
	if err := t.Flush(); err != nil {
		return failed(err)
	}
	last := "No keys, no references of payments, no names. Marks such as c-drgtkbpl stand for them."
	if !b.Veiled {
		last = "NOT redacted: references of payments and names are in it. No keys."
	}
	return failed(second(fmt.Fprintln(stdout, last)))
}
