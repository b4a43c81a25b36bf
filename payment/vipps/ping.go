package vipps

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Ping is what came of asking the service for a token, and nothing else.
type Ping struct {
	Took time.Duration // for the whole call
	Life time.Duration // of the token

	// Ahead is how far the clock of this machine is ahead of the service's, to half a
	// second; behind if it is below 0. Only if Dated: else the service did not tell.
	Ahead time.Duration
	Dated bool
}

// Ping asks for a token of its own, past the one that is held: keys that have been
// changed are found out now, and not when that one ends. The clock is compared even if
// the keys are refused, as long as anybody has answered. No money can move.
func (c *Client) Ping(ctx context.Context) (Ping, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	asked := time.Now()
	g, got, fail := c.askToken(ctx)
	p := Ping{Took: time.Since(asked)}
	if date, err := http.ParseTime(got.header.Get("Date")); err == nil {
		// The service cut off the parts of a second, and wrote the date somewhere
		// between the question and the answer.
		p.Ahead, p.Dated = asked.Add(p.Took/2).Round(0).Sub(date.Add(time.Second/2)), true
	}
	if fail != nil {
		return p, fmt.Errorf("vipps: %w", fail)
	}
	p.Life = g.end.Sub(asked)
	return p, nil
}
