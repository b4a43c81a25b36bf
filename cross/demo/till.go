package demo

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// tillKeys are what the payment service says of itself when it starts.
type tillKeys struct{ baseURL, msn, clientID, clientSecret, subscriptionKey string }

var tillLine = regexp.MustCompile(`^\s+(base URL|MSN|client id|client secret|subscription key) +(\S+)$`)

// read takes a line, and says whether all are known.
func (k *tillKeys) read(line string) bool {
	if m := tillLine.FindStringSubmatch(line); m != nil {
		*map[string]*string{
			"base URL": &k.baseURL, "MSN": &k.msn, "client id": &k.clientID,
			"client secret": &k.clientSecret, "subscription key": &k.subscriptionKey,
		}[m[1]] = m[2]
	}
	return k.baseURL != "" && k.msn != "" && k.clientID != "" && k.clientSecret != "" && k.subscriptionKey != ""
}

// tillWithin is how long the payment service may take to start. Chosen by us.
const tillWithin = 20 * time.Second

// startTill starts the simulated payment service. It is not killed: what it knows is
// in memory, and the real one does not fall over.
func (f *fleet) startTill(ctx context.Context) error {
	known := make(chan tillKeys, 1)
	var keys tillKeys
	f.till = &child{name: "payment service", tell: f.out.say, show: func(line string) {
		if keys.read(line) {
			select {
			case known <- keys:
			default:
			}
		}
	}, fresh: func() *exec.Cmd {
		return exec.Command(filepath.Join(f.dir, agentProgram), "demo", "--till-only", "--payer", "approves 5s")
	}}
	if err := f.till.start(); err != nil {
		return err
	}
	select {
	case f.keys = <-known:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-f.till.over:
		return errors.New("the payment service ended")
	case <-time.After(tillWithin):
		return fmt.Errorf("the payment service has not said its keys within %v", tillWithin)
	}
}
