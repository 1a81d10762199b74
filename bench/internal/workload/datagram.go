package workload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"example.com/berth/bench/internal/host"
	"example.com/berth/bench/internal/pattern"
	"example.com/berth/bench/internal/stat"
	"example.com/berth/bench/internal/usage"
)

// datagramPair opens a sender on A that is connected to a receiver on B.
func datagramPair(p *host.Pair) (net.Conn, net.PacketConn, error) {
	r, err := p.B.ListenPacket("udp", target(p.B, 0))
	if err != nil {
		return nil, nil, err
	}
	s, err := p.A.Dial(context.Background(), "udp", target(p.B, 0))
	if err != nil {
		r.Close()
		return nil, nil, err
	}
	return s, r, nil
}

// flow is datagrams one way. What the sender and the receiver write lies in cache
// lines of their own, as otherwise each would wait for the other's whatever the
// stack between them does.
type flow struct {
	background
	size   int
	window int64
	over   atomic.Bool

	_        [cacheLine]byte
	sent     atomic.Int64
	seen     int64 // what the sender knows to have arrived
	lost     int64 // that the sender waits for no longer
	_        [cacheLine]byte
	received atomic.Int64
	_        [cacheLine]byte
	resume   atomic.Int64  // how many have to arrive for a sender that waits; 0: it does not
	room     chan struct{} // tells it that they have
}

const cacheLine = 128 // two, as processors fetch them in pairs

// datagrams sends one way and counts what arrives. With a window the sender has
// at most that many on the way, which measures what the stack can carry; without
// one it floods, which shows what overload does.
func datagrams(size int, window int64) func(*host.Pair, Options) (host.Metrics, error) {
	return func(p *host.Pair, opts Options) (host.Metrics, error) {
		s, r, err := datagramPair(p)
		if err != nil {
			return nil, err
		}
		f := &flow{size: size, window: window, room: make(chan struct{}, 1)}
		f.run(func() error { return f.send(s) })
		f.run(func() error { return f.receive(r) })
		m := f.measure(opts)
		err = f.end()
		f.over.Store(true)
		s.Close()
		r.Close()
		return m, err
	}
}

func (f *flow) send(c net.Conn) error {
	out := pattern.Bytes(f.size)[:f.size]
	forgiven := time.NewTimer(patienceForLost)
	defer forgiven.Stop()
	for !f.over.Load() {
		f.await(forgiven)
		switch _, err := c.Write(out); {
		case err == nil:
			f.sent.Add(1)
		case errors.Is(err, net.ErrClosed):
			return nil
		default: // a full queue, as some stacks say it
			runtime.Gosched()
		}
	}
	return nil
}

// await waits until there is room in the window, and if it has to, until half of it
// is. The goroutine blocks: one that yields instead is always ready to run, so that on
// one processor nobody asks the kernel what has come for the receiver, but Go's
// monitor each 10 ms. What has not come after a while is lost.
func (f *flow) await(forgiven *time.Timer) {
	for f.window > 0 && !f.over.Load() {
		out := f.sent.Load() - f.lost
		if out-f.seen < f.window {
			return
		}
		if f.seen = f.received.Load(); out-f.seen < f.window {
			return
		}
		f.resume.Store(out - f.window/2)
		if f.received.Load() >= out-f.window/2 {
			f.resume.Store(0)
			continue
		}
		forgiven.Reset(patienceForLost)
		select {
		case <-f.room:
		case <-forgiven.C:
			f.resume.Store(0)
			f.seen = f.received.Load()
			f.lost = f.sent.Load() - f.seen
		}
	}
}

// patienceForLost is how long a sender waits for datagrams on the way.
const patienceForLost = 20 * time.Millisecond

// arrived counts a datagram, and tells a sender that waits for it.
func (f *flow) arrived() {
	n := f.received.Add(1)
	if want := f.resume.Load(); want > 0 && n >= want && f.resume.CompareAndSwap(want, 0) {
		select {
		case f.room <- struct{}{}:
		default:
		}
	}
}

func (f *flow) receive(c net.PacketConn) error {
	buf, want := make([]byte, 2048), pattern.Bytes(f.size)[:f.size]
	read := reader(c)
	for {
		n, err := read(buf)
		if f.over.Load() {
			return nil
		}
		if err != nil && !errors.Is(err, io.ErrShortBuffer) {
			return err
		}
		if !bytes.Equal(buf[:n], want) {
			return fmt.Errorf("a datagram of %d bytes differs", n)
		}
		f.arrived()
	}
}

// reader receives without making a net.Addr of each sender, where there is a way.
func reader(c net.PacketConn) func([]byte) (int, error) {
	type addrPorter interface {
		ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error)
	}
	if c, ok := c.(addrPorter); ok {
		return func(b []byte) (int, error) { n, _, err := c.ReadFromUDPAddrPort(b); return n, err }
	}
	return func(b []byte) (int, error) { n, _, err := c.ReadFrom(b); return n, err }
}

func (f *flow) measure(opts Options) host.Metrics {
	time.Sleep(opts.Warm)
	u, s0, r0 := usage.Read(), f.sent.Load(), f.received.Load()
	time.Sleep(opts.Time)
	v := usage.Read()
	sent, received := float64(f.sent.Load()-s0), float64(f.received.Load()-r0)
	secs := v.At.Sub(u.At).Seconds()
	m := host.Metrics{
		"pps":      received / secs,
		"sent_pps": sent / secs,
		"loss":     max(0, 1-stat.Ratio(received, sent)),
	}
	v.Since(u, m)
	v.PerOp(u, received, m)
	return m
}

// datagramRequests sends a datagram of one byte and waits for it to come back.
func datagramRequests(p *host.Pair, opts Options) (host.Metrics, error) {
	c, r, err := datagramPair(p)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	defer r.Close()
	// One that is lost ends the run with an error, where the stack has deadlines.
	_ = c.SetReadDeadline(time.Now().Add(opts.Warm + opts.Time + patience))
	go func() {
		buf := make([]byte, 64)
		for {
			n, from, err := r.ReadFrom(buf)
			if err != nil {
				return
			}
			if _, err := r.WriteTo(buf[:n], from); err != nil {
				return
			}
		}
	}()
	return timed(1, opts, func(_ int, ph *phase) ([]time.Duration, error) {
		return pingPong(c, ph)
	})
}
