package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// havoc kills a random post or gateway again and again until ctx ends.
func (f *fleet) havoc(ctx context.Context) {
	all := append(f.postChildren(), f.gatewayChildren()...)
	for n := 1; ; {
		select {
		case <-time.After(f.options.every/2 + rand.N(f.options.every)):
		case <-ctx.Done():
			return
		}
		if c := all[rand.IntN(len(all))]; c.kill() {
			f.out.say(fmt.Sprintf("kill %d: %s", n, c.name))
			n++
		}
	}
}
