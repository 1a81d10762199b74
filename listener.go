package berth

import (
	"context"
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"

	"example.com/berth/internal/seqnum"
	"example.com/berth/internal/tcp"
	"example.com/berth/socket"
)

// listener is the part of a stream socket that listens: the connections that
// are being made (the SYN queue) and those that wait to be accepted. Its fields
// are guarded by the lock of its socket, the counts excepted, which the
// children read while they hold their own.
type listener struct {
	sock  *stream
	queue []*stream            // established, not yet accepted
	half  map[*stream]struct{} // in SYN-RECEIVED

	// backlog is the argument of Listen; queued and pending are the lengths of
	// queue and half.
	backlog, queued, pending atomic.Int32
}

// Listen makes the socket accept connections.
func (s *stream) Listen(backlog int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return syscall.EBADF
	case s.lis != nil:
		s.lis.setBacklog(backlog)
		return nil
	case s.opened:
		return syscall.EINVAL
	}
	if err := s.bindInTurn(s.local, func() error { return s.host.ports.listen(s) }); err != nil {
		return err
	}
	s.bound = true
	l := &listener{sock: s, half: make(map[*stream]struct{})}
	l.setBacklog(backlog)
	s.lis = l
	s.host.streams.insertListener(s.local.Port(), s)
	return nil
}

// setBacklog takes Linux's bounds: nothing above SOMAXCONN, and a queue of at
// least one, since a queue is full when it is longer than its backlog.
func (l *listener) setBacklog(n int) {
	if n < 0 || n > socket.SOMAXCONN {
		n = socket.SOMAXCONN
	}
	l.backlog.Store(int32(n))
}

// full tells whether no further connection may become established.
func (l *listener) full() bool { return l.queued.Load() > l.backlog.Load() }

// synFull tells whether no further handshake may begin.
func (l *listener) synFull() bool { return l.pending.Load() > max(l.backlog.Load(), 1) }

func (l *listener) events() socket.Events {
	if len(l.queue) > 0 {
		return socket.POLLIN
	}
	return 0
}

// pop takes the first connection from the queue, which is not empty. The others
// move up, so that the queue's memory is used again: that is a fraction of a
// microsecond where thousands wait.
func (l *listener) pop() *stream {
	c := l.queue[0]
	l.queue = slices.Delete(l.queue, 0, 1)
	l.queued.Add(-1)
	return c
}

// Accept takes the first connection from the queue.
func (s *stream) Accept(ctx context.Context) (socket.Socket, netip.AddrPort, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var c *stream
	if err := s.block(ctx, &s.readers, 0, func() error {
		switch {
		case s.lis == nil:
			return syscall.EINVAL
		case len(s.lis.queue) == 0:
			return syscall.EAGAIN
		}
		c = s.lis.pop()
		return nil
	}); err != nil {
		return nil, netip.AddrPort{}, err
	}
	return c, c.show(c.remote), nil
}

// synArrived begins a connection for a SYN that came to a listener. The SYN has
// passed tcp.ListenInput; minISS is above what an earlier connection of the
// same ends has sent, or zero.
func (s *stream) synArrived(seg *tcp.Segment, local, remote netip.AddrPort, minISS seqnum.Value) {
	h := s.host
	s.mu.Lock()
	l := s.lis
	if l == nil || l.full() {
		s.mu.Unlock()
		h.count.TCP.ListenOverflows.Add(1)
		return
	}
	if l.synFull() {
		s.mu.Unlock()
		h.count.TCP.SYNQueueFull.Add(1)
		return
	}
	c, err := s.child(seg, local, remote, minISS)
	if err == nil {
		l.half[c] = struct{}{}
		l.pending.Add(1)
	}
	s.mu.Unlock()
	if err != nil {
		h.count.TCP.ListenDrops.Add(1)
		return
	}
	c.mu.Lock()
	c.pump()
	c.mu.Unlock()
}

// child makes the socket of a connection that a listener is to accept; it
// inherits the listener's options as on Linux.
func (s *stream) child(seg *tcp.Segment, local, remote netip.AddrPort, minISS seqnum.Value) (*stream, error) {
	h := s.host
	p, err := h.route(remote.Addr(), local.Addr(), s.ip.device)
	if err != nil {
		return nil, err
	}
	c := &stream{parent: s.lis}
	c.sock.init(h, s.domain, socket.STREAM, socket.IPPROTO_TCP)
	c.timer.owner = c
	if c.ip = s.ip; c.ip.groups != nil {
		c.ownIP().groups = nil
	}
	c.local, c.remote, c.path = local, remote, p
	c.bound, c.opened, c.reported = true, true, true
	o := c.opening()
	if minISS != 0 {
		o.ISS = seqnum.Max(o.ISS, minISS)
	}
	c.conn = tcp.Passive(h.tcp, h.now(), o, seg, s.conn.Options())
	if err := h.ports.accept(s, c); err != nil {
		return nil, err
	}
	if !h.streams.insert(c) {
		h.ports.release(&c.sock)
		return nil, syscall.EADDRINUSE
	}
	return c, nil
}

// promote moves a child whose handshake has ended to its listener's accept
// queue, or out of the SYN queue if it failed. The caller holds no lock.
func (l *listener) promote(c *stream, established bool) {
	s := l.sock
	s.mu.Lock()
	if _, ok := l.half[c]; !ok {
		s.mu.Unlock()
		return
	}
	delete(l.half, c)
	l.pending.Add(-1)
	if established {
		l.queue = append(l.queue, c)
		l.queued.Add(1)
		s.wake(socket.POLLIN)
	}
	s.mu.Unlock()
}

// stopListening refuses new connections and resets those that nobody accepted.
// The socket's lock is held; it is let go while the children are reset.
func (s *stream) stopListening() {
	l := s.lis
	s.lis = nil
	s.host.streams.removeListener(s.local.Port(), s)
	s.host.ports.release(&s.sock)
	s.bound = false
	orphans := slices.Collect(func(yield func(*stream) bool) {
		for c := range l.half {
			if !yield(c) {
				return
			}
		}
	})
	slices.SortFunc(orphans, func(a, b *stream) int { return a.remote.Compare(b.remote) })
	orphans = append(orphans, l.queue...)
	l.queue, l.half = nil, nil
	s.wake(socket.POLLIN | socket.POLLHUP)
	s.mu.Unlock()
	for _, c := range orphans {
		c.abort(nil)
	}
	s.mu.Lock()
}
