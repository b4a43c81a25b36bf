// Package disk is a disk that loses what was not flushed when its power is cut: a raw
// image behind a volatile write cache, served over NBD on a unix socket as qemu takes
// it.
//
// # Why
//
// A machine that is only killed has lost nothing: what left the guest's page cache
// lies in the host's, in every cache mode of qemu. So no cut of such a machine can
// show a missing flush. This disk keeps what it was not told to flush in its own
// memory, and a cut throws it away: all of it, or each write by itself, some of them
// torn between their sectors, so that a later write may be there without an earlier
// one. That is what a card does.
//
// It can lie as well: it says that it has flushed and has not. No program survives
// that, so a check of power cuts that finds nothing wrong on a disk that lies checks
// nothing.
package disk

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
)

// Policy is what becomes of unflushed writes when the power is cut.
type Policy uint8

// The policies.
const (
	Drop   Policy = iota // all of them are lost
	Random               // each is lost, survives, or is torn, by itself

	torn  // a write of which some sectors survive
	fates // how many fates a write may have
)

// String gives the policy as a word.
func (p Policy) String() string {
	if p == Random {
		return "random"
	}
	return "drop"
}

// Lost counts what became of unflushed writes in a cut.
type Lost struct {
	Lost, Torn, Kept int // writes
}

func (l *Lost) count(survived, sectors int) {
	switch survived {
	case 0:
		l.Lost++
	case sectors:
		l.Kept++
	default:
		l.Torn++
	}
}

// String says it in a few words.
func (l Lost) String() string {
	return fmt.Sprintf("%d unflushed writes lost, %d torn, %d kept", l.Lost, l.Torn, l.Kept)
}

// Mood is what is wrong with a disk. The zero Mood is a sound one.
type Mood struct {
	Lies bool // flushes are answered and not done
	Dies bool // writes and flushes fail with EIO
}

// Disk is such a disk. It is safe for concurrent use.
type Disk struct {
	listener net.Listener
	running  sync.WaitGroup

	mu      sync.Mutex // guards what follows
	cache   *cache
	mood    Mood
	clients map[net.Conn]bool
	closed  bool
}

// Serve begins to serve the image on a new unix socket. The caller must Close the disk.
func Serve(image, socket string) (*Disk, error) {
	medium, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	c, err := newCache(medium)
	if err != nil {
		medium.Close()
		return nil, fmt.Errorf("disk: %w", err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		medium.Close()
		return nil, fmt.Errorf("disk: %w", err)
	}
	d := &Disk{listener: l, cache: c, clients: map[net.Conn]bool{}}
	d.running.Go(d.accept)
	return d, nil
}

func (d *Disk) accept() {
	for {
		c, err := d.listener.Accept()
		if err != nil {
			return // closed
		}
		d.running.Go(func() { d.serve(c) })
	}
}

// serve serves one client until it leaves or the power is cut. What is wrong with a
// client is for the client to tell: it finds its disk gone.
func (d *Disk) serve(c net.Conn) {
	if !d.enter(c) {
		return
	}
	defer d.leave(c)
	if greet(c, d.cache.size) != nil {
		return
	}
	for {
		q, data, err := next(c)
		if err != nil || q.Kind == cmdLeave {
			return
		}
		number, data := d.do(c, q, data)
		if answer(c, q, number, data) != nil {
			return
		}
	}
}

func (d *Disk) enter(c net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		c.Close()
		return false
	}
	d.clients[c] = true
	return true
}

func (d *Disk) leave(c net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.clients, c)
	c.Close()
}

// do does what a client asks, and gives the protocol's number of an error. A client
// whose power has been cut in between has no effect any more.
func (d *Disk) do(c net.Conn, q request, data []byte) (number uint32, read []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.clients[c] || d.mood.Dies && q.Kind != cmdRead {
		return eIO, nil
	}
	var err error
	switch q.Kind {
	case cmdRead:
		read = make([]byte, q.Length)
		err = d.cache.read(read, int64(q.At))
	case cmdWrite:
		put := d.cache.write
		if q.Flags&flagFUA != 0 && !d.mood.Lies {
			put = d.cache.through
		}
		err = put(data, int64(q.At))
	case cmdFlush:
		if !d.mood.Lies {
			err = d.cache.flush()
		}
	default:
		err = errPlace
	}
	switch {
	case errors.Is(err, errPlace):
		return eINVAL, nil
	case err != nil:
		return eIO, nil
	}
	return 0, read
}

// Be changes what is wrong with the disk.
func (d *Disk) Be(m Mood) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mood = m
}

// Cut cuts the power: clients are gone, and of what they have not flushed survives
// what the policy and the seed say. The disk can be used again at once.
func (d *Disk) Cut(p Policy, seed uint64) (Lost, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hangUp()
	lost, err := d.cache.cut(p, seed)
	if err != nil {
		return lost, fmt.Errorf("disk: cut: %w", err)
	}
	return lost, nil
}

func (d *Disk) hangUp() {
	for c := range d.clients {
		c.Close()
	}
	clear(d.clients)
}

// Close ends in good order: what was written is kept.
func (d *Disk) Close() error {
	err := d.listener.Close()
	d.mu.Lock()
	d.closed = true
	d.hangUp()
	err = errors.Join(err, d.cache.flush())
	d.mu.Unlock()
	d.running.Wait()
	if err = errors.Join(err, d.cache.medium.Close()); err != nil {
		return fmt.Errorf("disk: close: %w", err)
	}
	return nil
}
