package berth

import (
	"context"
	"net/netip"
	"syscall"
	"time"

	"example.com/berth/internal/header"
	"example.com/berth/internal/ipoptions"
	"example.com/berth/internal/lean"
	"example.com/berth/internal/seqnum"
	"example.com/berth/internal/tcp"
	"example.com/berth/socket"
)

// listener is the part of a stream socket that listens: the handshakes that are
// under way (the SYN queue) and the connections that wait to be accepted. Its
// fields are guarded by the lock of its socket.
//
// The SYN queue holds one more than the backlog. Beyond that the answer to a SYN
// is a cookie, or none (TCPConfig.SYNCookies). The accept queue holds one more
// than the backlog, too; while it is full, SYNs and last acknowledgments are
// dropped, and come again.
type listener struct {
	sock  *stream
	queue []*stream  // established, not yet accepted
	half  []*request // the SYN queue, in no order
	spare []*request // handshakes that are over, to be used again

	// options are what the SYN,ACK of some handshakes has in the IP header, the way
	// back of a SYN with a source route; nil while there is none.
	options map[*request]*ipoptions.Options

	// backlog is the argument of Listen. pending is the length of half, young how
	// many of those wait for the answer to their first SYN,ACK. queued is the
	// length of queue, and those that have a place in it.
	backlog, queued, pending, young int

	cookied time.Duration // when a cookie was last sent; 0: never
	closed  bool
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
	l := &listener{sock: s}
	l.setBacklog(backlog)
	s.lis = l
	if s.host.fastOpen(FastOpenServer|FastOpenEveryListener) && s.fasts().backlog == 0 {
		s.fastOpening().backlog = l.backlog
	}
	s.host.streams.insertListener(s.local.Port(), s)
	return nil
}

// setBacklog takes Linux's bounds: nothing above SOMAXCONN, or what the host has
// in its place.
func (l *listener) setBacklog(n int) {
	most := l.sock.host.maxBacklog()
	if n < 0 || n > most {
		n = most
	}
	l.backlog = n
}

// maxBacklog is the largest backlog of a listener (Linux: somaxconn).
func (h *Host) maxBacklog() int {
	if n := h.config.TCP.MaxBacklog; n > 0 {
		return n
	}
	return socket.SOMAXCONN
}

// full tells whether no further connection may become established.
func (l *listener) full() bool { return l.queued > l.backlog }

// synFull tells whether no further handshake may begin.
func (l *listener) synFull() bool { return l.pending > l.backlog }

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
	l.queue = lean.Remove(l.queue, 0)
	l.queued--
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
		// Without room for it, the connection stays in the queue, as on Linux.
		if err := s.host.admit(&s.lis.queue[0].sock); err != nil {
			return err
		}
		c = s.lis.pop()
		return nil
	}); err != nil {
		return nil, netip.AddrPort{}, err
	}
	return c, c.show(c.remote), nil
}

// synArrived answers a SYN that came to a listener: by the SYN,ACK of a handshake
// that it begins, or of one that nobody remembers (Linux: tcp_conn_request). The
// SYN has passed tcp.ListenInput; minISS is above what an earlier connection of
// the same ends has sent, or zero.
func (s *stream) synArrived(seg *tcp.Segment, local, remote netip.AddrPort, minISS seqnum.Value, options *ipoptions.Options) {
	h := s.host
	s.mu.Lock()
	l := s.lis
	if l == nil || !s.conn.Judge(seg, local, remote) {
		s.mu.Unlock()
		return
	}
	cookie, room := l.admits(minISS != 0, seg.Auth != nil)
	if !room {
		h.count.TCP.ListenDrops.Add(1)
		s.mu.Unlock()
		return
	}
	p, err := h.routeBy(options, remote.Addr(), local.Addr(), s.ip.device)
	if err != nil {
		h.count.TCP.ListenDrops.Add(1)
		s.mu.Unlock()
		return
	}
	now := h.now()
	o := h.opening(now, &p, local, remote, options)
	if minISS != 0 {
		o.ISS = seqnum.Max(o.ISS, minISS)
	}
	var out tcp.Segment
	var answer header.FastOpen
	if !cookie && seg.Auth == nil { // with a code, there is no room for a cookie
		var good bool
		if answer, good = s.judgeFastOpen(seg, local, remote); good && s.openFast(seg, local, remote, o, answer, options) {
			return
		}
	}
	if cookie {
		l.cookied = now
		h.count.TCP.SYNCookiesSent.Add(1)
		h.jar.SynAck(l.cookied, local, remote, o, seg, s.conn.Options(), &out)
	} else if !l.begin(now, seg, local, remote, o, options, &out) { // another goroutine was first
		s.mu.Unlock()
		return
	}
	out.Options.FastOpen = answer
	s.sendBy(&p, local, remote, options, &out)
}

// admits decides about a SYN: whether it is answered at all, and whether by a
// cookie. One that ends a TIME-WAIT is known to come from where it says. So is one
// that a key vouches for; it gets no cookie, which has no room for what a connection
// with keys has to remember, but a place in a queue that is full for others. Since
// it may be a repetition by somebody else, there are as many of these places as
// there are in the queue.
func (l *listener) admits(known, keyed bool) (cookie, room bool) {
	h := l.sock.host
	c, mode := &h.count.TCP, h.config.TCP.SYNCookies
	if keyed {
		mode = SYNCookiesOff
		known = known || l.pending <= 2*l.backlog+1
	}
	cookie = (mode == SYNCookiesAlways || l.synFull()) && !known
	if cookie && mode == SYNCookiesOff {
		c.SYNQueueFull.Add(1)
		return false, false
	}
	if l.full() {
		c.ListenOverflows.Add(1)
		return false, false
	}
	most := h.config.TCP.SYNBacklog
	if most <= 0 {
		most = defaultSYNBacklog
	}
	if mode == SYNCookiesOff && !known && most-l.pending < most/4 {
		// As on Linux: the last quarter is for peers that have been here before.
		c.SYNQueueFull.Add(1)
		return false, false
	}
	return cookie, true
}

// defaultSYNBacklog is the bound of a SYN queue without cookies, whatever the
// backlog.
const defaultSYNBacklog = 4096

// cookieArrived looks for a cookie in an acknowledgment that belongs to no
// connection and no handshake, and gives the connection its segment. It is false
// if there is no cookie in it, and the segment is to be answered with a reset: one
// that the listener's keys do not vouch for is not.
func (s *stream) cookieArrived(seg *tcp.Segment, local, remote netip.AddrPort, options *ipoptions.Options) bool {
	h := s.host
	s.mu.Lock()
	l, now := s.lis, h.now()
	if l != nil && !s.conn.Judge(seg, local, remote) {
		s.mu.Unlock()
		return true
	}
	if l == nil || seg.Auth != nil || l.cookied == 0 || now-l.cookied > tcp.CookieLife || h.config.TCP.SYNCookies == SYNCookiesOff {
		s.mu.Unlock()
		return false
	}
	var conn *tcp.Conn
	p, err := h.routeBy(options, remote.Addr(), local.Addr(), s.ip.device)
	if err == nil {
		o := h.opening(now, &p, local, remote, options)
		conn = h.jar.Open(now, local, remote, o, seg, s.conn.Options())
	}
	if conn == nil {
		s.mu.Unlock()
		h.count.TCP.SYNCookiesFailed.Add(1)
		return false
	}
	h.count.TCP.SYNCookiesReceived.Add(1)
	if l.full() {
		s.mu.Unlock()
		h.count.TCP.ListenOverflows.Add(1)
		h.count.TCP.ListenDrops.Add(1)
		return true // the connection is there for the peer, which will send again
	}
	c, err := s.child(local, remote, options, func(c *tcp.Conn, _ tcp.Opening) { *c = *conn })
	if err != nil {
		s.mu.Unlock()
		h.count.TCP.ListenDrops.Add(1)
		return true
	}
	l.queued++
	s.mu.Unlock()
	c.input(seg, false, nil)
	return true
}

// child makes the socket of a connection that a listener is to accept; it
// inherits the listener's options as on Linux, but for IP_OPTIONS: those are what
// the SYN asks for. What makes its machine is machine, which is told nothing of
// numbers: the handshake has them. The listener's lock is held.
func (s *stream) child(local, remote netip.AddrPort, options *ipoptions.Options, machine func(*tcp.Conn, tcp.Opening)) (*stream, error) {
	h := s.host
	p, err := h.routeBy(options, remote.Addr(), local.Addr(), s.ip.device)
	if err != nil {
		return nil, err
	}
	c := &stream{parent: s.lis}
	c.sock.init(h, s.domain, socket.STREAM, socket.IPPROTO_TCP)
	c.timer.owner = c
	if c.ip = s.ip; c.ip.groups != nil {
		c.ownIP().groups = nil
	}
	if options != c.ip.inHeader().sent {
		c.ownHeader().sent = options
	}
	c.local, c.remote, c.path = local, remote, p
	c.bound, c.opened, c.reported = true, true, true
	c.label = h.flowLabel(local, remote)
	machine(&c.conn, c.path.opening(remote, c.ip.sentTo(remote.Addr())))
	if err := h.ports.accept(s, c); err != nil {
		return nil, err
	}
	if !h.streams.insert(c) {
		h.ports.release(&c.sock)
		return nil, syscall.EADDRINUSE
	}
	return c, nil
}

// promote moves a child whose handshake has ended to the place in its listener's
// accept queue that it has, or gives that up if it failed. The caller holds no
// lock.
func (l *listener) promote(c *stream, established bool) {
	s := l.sock
	s.mu.Lock()
	switch {
	case l.closed:
		s.mu.Unlock()
		c.abort(nil)
		return
	case established:
		l.queue = append(l.queue, c)
		s.wake(socket.POLLIN)
	default:
		l.queued--
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
	l.closed = true
	for len(l.half) > 0 { // without a word, as on Linux
		l.half[0].end()
	}
	for _, r := range l.spare {
		s.host.timers.remove(&r.timer)
	}
	orphans := l.queue
	l.queue = nil
	s.wake(socket.POLLIN | socket.POLLHUP)
	s.mu.Unlock()
	for _, c := range orphans {
		c.abort(nil)
	}
	s.mu.Lock()
}
