package pinger

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"os"
	"syscall"
	"time"

	"example.com/berth/socket"
)

// Config says what to ask.
type Config struct {
	Addr netip.Addr
	// Count is how many requests are sent; 0 has no end.
	Count int
	// Interval is the time from one request to the next.
	Interval time.Duration
	// Wait is how long the last answer is waited for.
	Wait time.Duration
	// Size is that of the data behind the ICMP header, in bytes.
	Size int
	// TTL is the hop limit; 0 leaves the default.
	TTL int
}

// An Event is an answer, or an error about a request.
type Event struct {
	Seq  int
	From netip.Addr
	// Size is that of the ICMP message in bytes.
	Size      int
	TTL       int
	RTT       time.Duration
	Duplicate bool
	// Reason is set instead of all but Seq and From if it is an error.
	Reason string
}

// Pinger asks one host.
type Pinger struct {
	cfg Config
	s   socket.Socket
	v4  bool
	raw bool
	id  uint16

	start time.Time
	sent  int
	asked map[uint16]question // by sequence number; at most as many as there are
	stats Stats
	buf   []byte
	tell  func(Event)
}

// question is a request that was sent.
type question struct {
	n        int // which one, from 1
	at       time.Time
	answered bool
}

// New makes a Pinger on a provider's socket.
func New(p socket.Provider, cfg Config) (*Pinger, error) {
	g := &Pinger{
		cfg: cfg, v4: cfg.Addr.Is4(), id: uint16(rand.Uint32()),
		asked: make(map[uint16]question), buf: make([]byte, 1<<16),
	}
	var err error
	if g.s, g.raw, err = open(p, g.v4); err == nil && cfg.TTL != 0 {
		err = setTTL(g.s, g.v4, cfg.TTL)
	}
	if err != nil && g.s != nil {
		g.s.Close()
	}
	return g, err
}

// Run asks until all answers are in, or those that are missing have been waited
// for, or ctx ends, which is no error. It closes the socket.
func (g *Pinger) Run(ctx context.Context, tell func(Event)) (*Stats, error) {
	defer g.s.Close()
	defer context.AfterFunc(ctx, func() {
		_ = g.s.SetDeadline(time.Unix(1, 0)) // it fails on one that is closed, where nothing waits
	})()
	g.tell, g.start = tell, time.Now()
	for {
		now := time.Now()
		next := g.start.Add(time.Duration(g.sent) * g.cfg.Interval)
		switch last := g.cfg.Count > 0 && g.sent == g.cfg.Count; {
		case !last && !now.Before(next):
			if err := g.send(now); err != nil {
				return g.finish(), err
			}
			continue
		case last:
			next = g.start.Add(time.Duration(g.sent-1)*g.cfg.Interval + g.cfg.Wait)
			if g.settled() || !now.Before(next) {
				return g.finish(), nil
			}
		}
		if err := g.s.SetReadDeadline(next); err != nil {
			return g.finish(), err
		}
		if ctx.Err() != nil { // its end may have come before the deadline
			return g.finish(), nil
		}
		if err := g.receive(); err != nil {
			return g.finish(), err
		}
	}
}

// settled tells whether nothing is missing.
func (g *Pinger) settled() bool { return g.stats.Received+g.stats.Errors >= g.sent }

func (g *Pinger) finish() *Stats {
	g.stats.Sent, g.stats.Time = g.sent, time.Since(g.start)
	return &g.stats
}

// send sends the next request. An error that may go away counts as one about
// that request.
func (g *Pinger) send(now time.Time) error {
	g.sent++
	seq := uint16(g.sent)
	g.asked[seq] = question{n: g.sent, at: now}
	_, err := g.s.SendTo(request(g.buf, g.v4, g.id, seq, g.cfg.Size), 0, to(g.cfg.Addr))
	switch {
	case err == nil:
	case errors.Is(err, os.ErrDeadlineExceeded):
	case g.sent == 1 && !g.queued(err):
		g.sent = 0
		return err // there is no way, or no permission: the next ones will not fare better
	case !g.queued(err):
		g.stats.Errors++
		g.tell(Event{Seq: g.sent, Reason: err.Error()})
	}
	return nil
}

// queued reads the error queue where err is the news that it has something.
func (g *Pinger) queued(err error) bool {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return false
	}
	found := false
	for g.takeError() {
		found = true
	}
	return found
}

// receive waits for one answer or error until the deadline.
func (g *Pinger) receive() error {
	m := socket.Message{Buffers: [][]byte{g.buf}}
	n, err := g.s.RecvMsg(&m, 0)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil
	case err != nil && g.queued(err):
		return nil
	case err != nil:
		return err
	}
	now := time.Now()
	e, ttl, ok := reply(g.buf[:n], g.v4, g.raw)
	if !ok || g.raw && e.id != g.id {
		return nil // somebody else's
	}
	if m.Control.Has(socket.ControlTTL) {
		ttl = m.Control.TTL
	}
	q, ok := g.asked[e.seq]
	if !ok {
		return nil
	}
	ev := Event{
		Seq: q.n, From: m.Addr.Addr().Unmap(), Size: e.size, TTL: ttl,
		RTT: now.Sub(q.at), Duplicate: q.answered,
	}
	if q.answered {
		g.stats.Duplicates++
	} else {
		g.stats.add(ev.RTT)
		q.answered = true
		g.asked[e.seq] = q
	}
	g.tell(ev)
	return nil
}

// takeError takes one entry from the error queue; false if there is none.
func (g *Pinger) takeError() bool {
	var quote [128]byte
	m := socket.Message{Buffers: [][]byte{quote[:]}}
	n, err := g.s.RecvMsg(&m, socket.MSG_ERRQUEUE|socket.MSG_DONTWAIT)
	if err != nil || !m.Control.Has(socket.ControlErr) {
		return false
	}
	e, ok := quoted(quote[:n])
	q, known := g.asked[e.seq]
	if !ok || !known || g.raw && e.id != g.id {
		return true
	}
	g.stats.Errors++
	g.tell(Event{Seq: q.n, From: m.Control.Err.Offender.Unmap(), Reason: reason(&m.Control.Err)})
	return true
}
