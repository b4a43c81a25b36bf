// Package field is what stands around a post and outlives its power: the payment
// service, the meter with the car behind it, the driver's phone, and a judge who has
// seen what really flowed.
//
// # Why
//
// A power cut must take from the post all that it has not flushed, and from the world
// nothing. So the world is not in the machine: the register of the meter is a physical
// quantity here, and the payment service has taken what it has taken.
//
// The judge does not ask the post what a charge was worth. It notes the register at each
// closing of the contactor, and which reservation was there to pay for it, and computes
// the bill itself. Then it asks three: the service's log of calls, the post's own list of
// charges, and its own notes. Both too much and too little are wrong: with a meter that
// works there is no reason for either.
package field

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"stolpe/hal"
	meter "stolpe/hal/sim"
	"stolpe/payment"
	till "stolpe/payment/sim"
)

// The post, and what it sells. Chosen by us: at this price the few seconds of a charge
// come to several kroner, and the limit is far off.
const (
	PostID  = "A12"
	serial  = "22110345"
	kwh     = 54_900     // price of a kWh, øre
	reserve = 35_000     // for each charge, øre
	most    = 22_000     // W
	before  = 4_321_000  // register of the meter at the beginning, Wh
	battery = 60_000     // what each car can take, Wh
	unit    = byte(0x01) // Modbus address

	// PaymentPort is where the post finds the payment service on its own loopback, whatever
	// the port here: a disk that was made with one site is used with others.
	PaymentPort = 8099
)

// Site is the world around one post. It is safe for concurrent use.
type Site struct {
	Till *till.Till
	Rig  *meter.Rig

	keys    till.Credentials
	service net.Listener
	meter   *meter.Server
	uart    *uart
	now     func() time.Duration
	end     context.CancelFunc
	ended   chan error // from serving the payment service

	mu       sync.Mutex    // guards what follows
	alive    time.Duration // when the post's program was last ended by whatever it was
	line     hal.Position  // what the contactor was last told
	closings []closing
}

// closing is one time that the contactor was closed.
type closing struct {
	ref     payment.Ref // of the reservation that pays for it; empty: there was none
	from    hal.Energy  // register, Wh
	to      hal.Energy  // register when the contacts had opened, Wh; below from: not yet read
	expired bool        // the reservation was from before the last end of the program
	again   bool        // the reservation had paid for a closing already
}

// Open begins to serve the payment service and the meter on loopback. The caller must
// Close the site.
func Open() (*Site, error) {
	began := time.Now()
	return open(func() time.Duration { return time.Since(began) })
}

func open(now func() time.Duration) (*Site, error) {
	s := &Site{
		now:   now,
		keys:  till.Credentials{ClientID: "id-8f2k", ClientSecret: "secret-93jd", SubscriptionKey: "subscription-7x1m", MSN: "123456"},
		ended: make(chan error, 1),
	}
	s.Rig = meter.NewRig(meter.Setup{Serial: serial, Register: before}, s.now)
	var err error
	if s.service, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("field: payment service: %w", err)
	}
	if s.meter, err = meter.ServeRTUOverTCP("127.0.0.1:0", meter.Units{unit: meter.SDM630(s.Rig)}); err != nil {
		return nil, errors.Join(fmt.Errorf("field: %w", err), s.service.Close())
	}
	host, err := url.Parse(s.meter.URL())
	if err == nil {
		s.uart, err = newUART(host.Host)
	}
	if err != nil {
		return nil, errors.Join(err, s.meter.Close(), s.service.Close())
	}
	s.Till = till.NewTill(till.Options{Accept: s.keys, PublicURL: "http://" + s.service.Addr().String(), Now: s.now})
	ctx, end := context.WithCancel(context.Background())
	s.end = end
	go func() { s.ended <- s.Till.Serve(ctx, s.service) }()
	return s, nil
}

// ServicePort is the payment service's port on this machine.
func (s *Site) ServicePort() int { return s.service.Addr().(*net.TCPAddr).Port }

// Meter is host:port of a serial port with the meter at it: frames of RTU over TCP.
func (s *Site) Meter() string { return s.uart.listener.Addr().String() }

// Secrets are the post's keys for the payment service, by their names as credentials.
func (s *Site) Secrets() map[string]string {
	return map[string]string{
		"vipps-client-id": s.keys.ClientID, "vipps-client-secret": s.keys.ClientSecret,
		"vipps-subscription-key": s.keys.SubscriptionKey,
	}
}

// Close ends both services.
func (s *Site) Close() error {
	s.end()
	return errors.Join(s.uart.close(), s.meter.Close(), <-s.ended)
}

// PlugIn puts the cable into a car that can take all the post has.
func (s *Site) PlugIn() {
	s.Rig.Do(func(b *meter.Bench, now time.Duration) { b.PlugIn(now, meter.Car{Power: most, Need: battery}) })
}

// Unplug takes the cable out.
func (s *Site) Unplug() {
	s.Rig.Do(func(b *meter.Bench, now time.Duration) { b.Unplug(now) })
}

// Died is to be called when the post's program ends, however that came about: no
// approval from before pays for a closing after it.
func (s *Site) Died() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alive = s.now()
}

// PowerCut is to be called when the post's power goes: the contactor falls open.
func (s *Site) PowerCut() {
	s.Contactor(hal.Open)
	s.Died()
}

// Contactor moves the contactor, because the post's line has changed.
func (s *Site) Contactor(p hal.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p == s.line {
		return
	}
	if p == hal.Closed {
		s.read()
		c := closing{from: s.register(), to: -1}
		c.ref, c.expired, c.again = s.payer()
		s.closings = append(s.closings, c)
	}
	s.line = p
	s.Rig.Do(func(b *meter.Bench, now time.Duration) { b.Set(now, p) })
}

// register is what the meter shows, without a wire. The lock is held.
func (s *Site) register() (wh hal.Energy) {
	s.Rig.Do(func(b *meter.Bench, now time.Duration) { wh = before + b.Truth(now).Energy })
	return wh
}

// read notes the register after the last closing. The lock is held.
func (s *Site) read() {
	if n := len(s.closings); n > 0 && s.closings[n-1].to < 0 {
		s.closings[n-1].to = s.register()
	}
}

// payer finds the reservation that pays for a closing at this moment. The lock is held.
func (s *Site) payer() (ref payment.Ref, expired, again bool) {
	var made time.Duration
	s.Till.Do(func(now time.Duration, b *till.Book) {
		for p := range b.Payments(now) {
			if f := p.Found; f.Left() > 0 && f.Taken == 0 {
				ref, made = p.Ref, p.Made // the newest
			}
		}
	})
	if ref == "" {
		return "", false, false
	}
	for _, c := range s.closings {
		again = again || c.ref == ref
	}
	return ref, made < s.alive, again
}

// Flowing says how much has gone through the meter since the site was opened, in Wh,
// and whether the contacts are closed.
func (s *Site) Flowing() (wh hal.Energy, closed bool) {
	s.Rig.Do(func(b *meter.Bench, now time.Duration) {
		t := b.Truth(now)
		wh, closed = t.Energy, t.Contacts == hal.Closed
	})
	return wh, closed
}

// Owing says how many payments are not at their end: waiting for their payer, or with
// money still held.
func (s *Site) Owing() (n int) {
	s.Till.Do(func(now time.Duration, b *till.Book) {
		for p := range b.Payments(now) {
			if p.Found.State == payment.Created || p.Found.Left() > 0 {
				n++
			}
		}
	})
	return n
}
