// Package demo is `go run ./cross demo`: a whole fleet on this machine. A broker, the
// simulated payment service, gateways and posts, each a process of its own but for
// the broker, and one address in front of the gateways that leads to one that lives.
//
// # Why
//
// That a gateway keeps nothing, and a post loses nothing, can be said or shown. With
// -kill a random one of them is killed every few seconds as if its power had failed,
// while whoever watches drives a charge on a page and sees what comes of it.
//
// Nothing of it outlives the demo: no process, and no file.
package demo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"stolpe/cross/build"
	"stolpe/cross/ports"
)

// Bounds of the flags. Chosen by us: what a laptop bears.
const (
	maxPosts    = 50
	maxGateways = 9
)

// Chosen by us: how long programs have to end in order before they are killed, a
// little longer than they take for it themselves.
const (
	postGrace    = 25 * time.Second
	gatewayGrace = 35 * time.Second
)

type options struct {
	posts    int // how many
	gateways int // how many
	kill     bool
	every    time.Duration // between two kills, on average
	verbose  bool
}

// Run shows a fleet from the module in the current folder until it is interrupted,
// and gives the exit code: 0, 1 when something could not be started, 2 when the
// arguments are wrong.
func Run(args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("cross demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.posts, "posts", 5, "how many posts")
	flags.IntVar(&o.gateways, "gateways", 2, "how many gateways")
	flags.BoolVar(&o.kill, "kill", false, "kill a random post or gateway every few seconds, and start it again")
	flags.DurationVar(&o.every, "every", 5*time.Second, "with -kill: time between two, on average")
	flags.BoolVar(&o.verbose, "v", false, "show what the programs log")
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0 || o.posts < 1 || o.posts > maxPosts || o.gateways < 1 || o.gateways > maxGateways || o.every < time.Second:
		fmt.Fprintf(stderr, "cross demo: takes flags only: 1 to %d posts, 1 to %d gateways, at least 1s between kills\n", maxPosts, maxGateways)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := show(ctx, o, &screen{w: stdout}); err != nil {
		fmt.Fprintln(stderr, "cross demo:", err)
		return 1
	}
	return 0
}

// show builds the programs, runs the fleet until ctx ends, and cleans up.
func show(ctx context.Context, o options, out *screen) (err error) {
	tmp, err := os.MkdirTemp("", "stolpe-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	out.say("building ...")
	for name, pkg := range map[string]string{agentProgram: "./agent", gatewayProgram: "./payment/gateway"} {
		if err := build.One(".", build.Program{Name: name, Package: pkg}, build.Here(), filepath.Join(tmp, name)); err != nil {
			return err
		}
	}
	f := &fleet{options: o, dir: tmp, out: out, master: newKey()}
	defer func() { err = errors.Join(err, f.end()) }()
	if err := f.start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // interrupted while it was starting
		}
		return err
	}
	f.introduce()
	if o.kill {
		f.havoc(ctx)
	}
	<-ctx.Done()
	out.say("\nending: posts settle what is under way; Ctrl-C again kills them ...")
	return nil
}

// start starts everything, in the order of who needs whom.
func (f *fleet) start(ctx context.Context) (err error) {
	if f.broker, err = serveBroker(); err != nil {
		return err
	}
	if err := f.startTill(ctx); err != nil {
		return err
	}
	var doors []string
	for n := range f.options.gateways {
		g := gateway{name: fmt.Sprintf("gateway-%d", n+1)}
		for _, address := range []*string{&g.pages, &g.status} {
			if *address, err = f.port(); err != nil {
				return err
			}
		}
		f.gateways = append(f.gateways, g)
		doors = append(doors, g.pages)
	}
	if f.front, err = openFront(doors); err != nil {
		return err
	}
	for n := range f.gateways {
		if err := f.startGateway(&f.gateways[n]); err != nil {
			return err
		}
	}
	for n := range f.options.posts {
		p := post{id: fmt.Sprintf("DEMO-%d", n+1), code: fmt.Sprintf("A%d", n+1), name: places()[n%len(places())]}
		f.posts = append(f.posts, p)
		if err := f.startPost(&f.posts[n]); err != nil {
			return err
		}
	}
	return f.awaitPages(ctx)
}

// end ends everything in the order in which that loses nothing: posts settle through
// gateways, which ask the payment service. A second interrupt hurries.
func (f *fleet) end() error {
	hurry, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var all error
	endAll(hurry, f.postChildren(), postGrace)
	if f.front != nil {
		all = f.front.close()
	}
	endAll(hurry, f.gatewayChildren(), gatewayGrace)
	if f.till != nil {
		endAll(hurry, []*child{f.till}, gatewayGrace)
	}
	if f.broker != nil {
		all = errors.Join(all, f.broker.close())
	}
	for _, give := range f.given {
		all = errors.Join(all, give())
	}
	return all
}

// port finds an address where nobody listens, and keeps it until everything has ended: a
// program that is killed is started again on the same.
func (f *fleet) port() (address string, err error) {
	port, give, err := ports.Take()
	if err != nil {
		return "", err
	}
	f.given = append(f.given, give)
	return "127.0.0.1:" + port, nil
}
