package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"stolpe/agent/config"
	"stolpe/agent/control"
	"stolpe/display/screen"
)

// Chosen by us.
const (
	// lastPageFor is how long the displays may take to say that the post is out of order:
	// near 0 °C an e-paper takes 15 s.
	lastPageFor = 16 * time.Second
	// aliveFor is how long a daemon may take to be told from none.
	aliveFor = time.Second
)

// outOfOrder has every display say that the post is out of order, whatever it said before,
// and gives those that do. That a display does not is written, and no more: it is the
// contactors that matter: a display that hangs on a line which switches one, as was noted
// at the last start, is left alone. The configuration is then another by now, and the wires
// may not be. A daemon that runs draws for itself.
func outOfOrder(ctx context.Context, file string, noted []string, stderr io.Writer) (drawn []string) {
	cfg, err := withoutSecrets(file)
	if err != nil || len(cfg.Displays) == 0 || runs(ctx, cfg.Control.Dir) {
		return nil // whoever wants to know what is wrong with the configuration asks for that
	}
	if whose := othersThan(os.Geteuid(), filepath.Dir(file)); whose != "" {
		fmt.Fprintf(stderr, "stolpe: displays are left as they are: root does not draw where others may say; sudo -u %s stolpe failsafe does\n", whose)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lastPageFor)
	defer cancel()
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: withoutTime}))
	p := &parts{posts: posts{info: cfg.Post}}
	errs := make([]error, len(cfg.Displays))
	var all sync.WaitGroup
	for i, d := range cfg.Displays {
		switch {
		case slices.ContainsFunc(noted, d.Uses):
			errs[i] = errors.New("a line of it switches a contactor, as was noted when stolpe run started last; it is left alone")
		case d.Kind != config.Kiosk: // whose page says so by itself when the daemon is gone
			all.Go(func() { errs[i] = screen.Last(ctx, p.showOn(cfg, d, log).options(nil)) })
		}
	}
	all.Wait()
	for i, d := range cfg.Displays {
		switch {
		case errs[i] != nil:
			fmt.Fprintf(stderr, "stolpe: display %s may still show what is over: %v\n", d.Name, errs[i])
		case d.Kind != config.Kiosk:
			drawn = append(drawn, d.Name)
		}
	}
	return drawn
}

// othersThan is who else than root may write in a folder of root's: whoever has it, also where
// it is its group that may. It is empty for whoever is not root, who may do no more than they.
func othersThan(uid int, dir string) string {
	info, err := os.Stat(dir)
	if err != nil || uid != 0 {
		return ""
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	const groupOrAll = 0o022 // may write
	if !ok || s.Uid == 0 && info.Mode()&groupOrAll == 0 {
		return ""
	}
	owner := strconv.Itoa(int(s.Uid))
	if u, err := user.LookupId(owner); err == nil {
		owner = u.Username
	}
	return owner
}

// runs says whether a daemon has its socket there, also one that does not answer.
func runs(ctx context.Context, dir string) bool {
	ctx, cancel := context.WithTimeout(ctx, aliveFor)
	defer cancel()
	err := control.Dial(dir).Get(ctx, "facts", nil, new(struct{}))
	return !errors.Is(err, control.ErrNoDaemon)
}
