package vm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"stolpe/cross/vm/field"
	"stolpe/hal"
)

// How long each part may take. Chosen by us, several times what it takes on an emulated
// processor that shares a busy machine.
const (
	servesWithin  = 2 * time.Minute // from a start until a driver is served: payments are read back first
	closesWithin  = time.Minute
	flowsWithin   = 40 * time.Second
	opensWithin   = 20 * time.Second
	settledWithin = 5 * time.Minute // with as many calls before as the budget allows, a settlement waits
)

// status is what `stolpe status --json` tells, as far as it matters here.
type status struct {
	EVSEs []struct {
		Phase  string `json:"phase"`
		Faults []struct {
			Code string `json:"code"`
		} `json:"faults"`
	} `json:"evses"`
}

// ask asks the program how it is.
func (p *post) ask(ctx context.Context) (phase string, faults []string, err error) {
	out, err := p.m.Run(ctx, "stolpe", "status", "--json")
	if err != nil {
		return "", nil, err
	}
	var s status
	if err := json.Unmarshal([]byte(out), &s); err != nil || len(s.EVSEs) != 1 {
		return "", nil, fmt.Errorf("status: %w: %s", err, out)
	}
	for _, f := range s.EVSEs[0].Faults {
		faults = append(faults, f.Code)
	}
	return s.EVSEs[0].Phase, faults, nil
}

// serve waits until the post has let a driver ask for a charge. A post that was started
// too often in a short time waits for ten minutes, unless a technician says that it may
// go on: here one does.
func (p *post) serve(ctx context.Context) error {
	return until(ctx, servesWithin, "a driver is served", func(ctx context.Context) error {
		err := p.phone.Ask(ctx)
		if err == nil || !errors.Is(err, field.ErrTurnedAway) {
			return err
		}
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		phase, faults, e := p.ask(late)
		if e == nil && len(faults) == 1 && faults[0] == "SAF-001" {
			_, e = p.m.Run(late, "stolpe", "service", "in")
		}
		return fmt.Errorf("%w; %s, faults %v; %w", err, phase, faults, e)
	})
}

// approve approves as soon as the page shows the way.
func (p *post) approve(ctx context.Context) error {
	return until(ctx, closesWithin, "the way to the app", func(ctx context.Context) error {
		if _, _, err := p.phone.Scene(ctx); err != nil {
			return err
		}
		return p.phone.Approve(ctx)
	})
}

// closed waits until the contactor is closed.
func (p *post) closed(ctx context.Context) error {
	return until(ctx, closesWithin, "the contactor is closed", func(ctx context.Context) error {
		if _, closed := p.site.Flowing(); !closed {
			scene, _, err := p.phone.Scene(ctx)
			return fmt.Errorf("open; the page shows %q; %w", scene, err)
		}
		return nil
	})
}

// open waits until it is open.
func (p *post) open(ctx context.Context) error {
	return until(ctx, opensWithin, "the contactor is open", func(ctx context.Context) error {
		if _, closed := p.site.Flowing(); closed {
			return errors.New("closed")
		}
		return nil
	})
}

// flows waits until so much more has gone through the meter.
func (p *post) flows(ctx context.Context, more hal.Energy) error {
	before, _ := p.site.Flowing()
	return until(ctx, flowsWithin, fmt.Sprintf("%d Wh flow", int64(more)), func(ctx context.Context) error {
		wh, closed := p.site.Flowing()
		if wh >= before+more {
			return nil
		}
		return fmt.Errorf("%d Wh, contacts closed: %v", int64(wh-before), closed)
	})
}

// begin goes from the page to energy that flows.
func (p *post) begin(ctx context.Context, wh hal.Energy) error {
	if err := p.serve(ctx); err != nil {
		return err
	}
	if err := p.approve(ctx); err != nil {
		return err
	}
	if err := p.closed(ctx); err != nil {
		return err
	}
	if wh == 0 {
		return nil
	}
	return p.flows(ctx, wh)
}

// stop stops the charge on the phone and waits until the contactor is open.
func (p *post) stop(ctx context.Context) error {
	if err := p.phone.Stop(ctx); err != nil {
		return err
	}
	return p.open(ctx)
}

// settled waits until the payment service has nothing open.
func (p *post) settled(ctx context.Context) error {
	return until(ctx, settledWithin, "all is settled", func(ctx context.Context) error {
		if n := p.site.Owing(); n > 0 {
			return fmt.Errorf("%d payments are open", n)
		}
		return nil
	})
}

// judge waits until all is settled and judges it.
func (p *post) judge(ctx context.Context) (field.Verdict, error) {
	if err := p.settled(ctx); err != nil {
		return p.site.Judge(nil), err
	}
	var v field.Verdict
	// The post writes its account after the service has answered.
	err := until(ctx, 20*time.Second, "the accounts agree", func(ctx context.Context) error {
		out, err := p.m.Run(ctx, "stolpe", "sessions", "export", "json")
		if err != nil {
			return err
		}
		sales, err := field.ReadSales(strings.NewReader(out))
		if err != nil {
			return err
		}
		if v = p.site.Judge(sales); len(v.Faults) > 0 {
			return errors.New(v.String())
		}
		return nil
	})
	return v, err
}
