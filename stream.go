package berth

import (
	"context"
	"net/netip"
	"syscall"
	"time"

	"example.com/berth/internal/ipoptions"
	"example.com/berth/internal/tcp"
	"example.com/berth/socket"
)

// stream is a STREAM socket: a TCP connection, or a listener. The rules of TCP
// are those of its conn, the pure machine; stream gives it time, a place in the
// demultiplexer, packets out and callers in.
type stream struct {
	sock
	conn tcp.Conn
	lis  *listener // not nil on a listening socket

	parent   *listener // whose child this is until it has been queued there
	opened   bool      // a handshake has begun: conn is in the demultiplexer
	reported bool      // the result of a connect has been given to the caller, or is no matter any more
	dropped  bool      // shut down in SYN-SENT: the next connect begins anew
	shut     bool      // shut down later, and before the result was given: no connect will
	flushing bool      // somebody empties the outbox
	again    bool      // and is to look again, since something has changed meanwhile
	orphan   bool      // the user is gone
	waiting  bool      // the port's table knows of TIME-WAIT
	due      bool      // a batch of arrivals has it in its list
	left     bool      // an acknowledgment is left to the reader, who was woken
	advised  bool      // IP knows that the peer does not answer
	inRow    uint8     // how many segments went without a template
	label    uint32    // IPv6 flow label
	path     path
	timer    timerEntry
	template *segmentTemplate // nil until some segments went out, and when it is idle
	reports  *reports         // nil without TCP_REPORTS and MSG_ZEROCOPY

	confirmed time.Duration // when the next hop was last said to be reachable
}

func newStream(h *Host, domain socket.Domain) *stream {
	s := &stream{}
	s.conn.Init(h.tcp)
	s.sock.init(h, domain, socket.STREAM, socket.IPPROTO_TCP)
	s.timer.owner = s
	return s
}

// Connect opens a connection, or with the zero AddrPort ends the one there is,
// so that the socket can be used again.
func (s *stream) Connect(ctx context.Context, addr netip.AddrPort) error {
	deepen()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !addr.IsValid() && !s.closed {
		s.disconnect()
		return nil
	}
	started := false
	return s.block(ctx, &s.writers, 0, func() error {
		if s.dropped && !started {
			s.forgetConnection()
		}
		if started || s.opened {
			return s.connectResult(&started)
		}
		if s.lis != nil {
			return syscall.EISCONN
		}
		if err := s.startConnectInTurn(addr); err != nil {
			return err
		}
		started = true
		if s.fasts().held {
			s.reported = true
			return nil
		}
		s.pump()
		if s.nonblock {
			return syscall.EINPROGRESS
		}
		return s.connectResult(&started)
	})
}

// startConnectInTurn calls startConnect, in a turn if the host has them: that the
// way through a turn allocates is no matter for others.
func (s *stream) startConnectInTurn(addr netip.AddrPort) error {
	if !s.host.waitsForTurn() {
		return s.startConnectOrHold(addr)
	}
	return s.inTurn(s.local, addr, func() error { return s.startConnectOrHold(addr) })
}

func (s *stream) startConnectOrHold(addr netip.AddrPort) error {
	if err := s.startConnect(addr); err != nil {
		return err
	}
	s.holdConnect()
	return nil
}

// connectResult is what a call of Connect gives once a handshake has begun:
// by this call, by an earlier one that did not wait, or long ago.
func (s *stream) connectResult(started *bool) error {
	switch st := s.conn.State(); {
	case s.fasts().held:
		return syscall.EISCONN
	case s.shut && !*started:
		return syscall.EINVAL
	case s.reported && !*started:
		return syscall.EISCONN
	case st == socket.TCP_SYN_SENT || st == socket.TCP_SYN_RECV:
		if !*started {
			if s.nonblock {
				return syscall.EALREADY
			}
			*started = true
		}
		return syscall.EAGAIN
	case st == socket.TCP_CLOSE:
		if err := s.conn.TakeError(); err != nil {
			s.forgetConnection()
			return err
		}
		s.forgetConnection()
		return syscall.ECONNABORTED
	}
	s.reported = true
	return nil
}

// startConnect picks the ends, enters the connection into the demultiplexer
// and sends the SYN.
func (s *stream) startConnect(addr netip.AddrPort) error {
	switch {
	case s.closed:
		return syscall.EBADF
	case s.opened: // by another call, while this one waited for its turn
		return syscall.EALREADY
	case s.domain == socket.INET6 && addr.Addr().Is4():
		return syscall.EINVAL
	}
	remote, err := s.take(addr)
	if err != nil {
		return err
	}
	h := s.host
	if remote.Addr().IsUnspecified() { // as Linux: this host
		remote = netip.AddrPortFrom(loopbackOf(remote.Addr()), remote.Port())
	}
	if remote.Addr().IsMulticast() || h.isBroadcast(remote.Addr()) {
		return syscall.ENETUNREACH
	}
	from := netip.Addr{}
	if s.bound && !s.local.Addr().IsUnspecified() {
		from = s.local.Addr()
		if from.Is4() != remote.Addr().Is4() {
			return syscall.ENETUNREACH
		}
	}
	options := s.ip.sentTo(remote.Addr())
	p, err := h.routeBy(options, remote.Addr(), from, s.ip.device)
	if err != nil {
		return err
	}
	first := options.FirstHop(remote.Addr())
	if first.IsMulticast() || h.isBroadcast(first) || s.ip.dontRoute && !p.direct(first) {
		return syscall.ENETUNREACH
	}
	remote = p.zoned(remote)
	if err := s.conn.Refuses(remote.Addr()); err != nil {
		return err
	}
	if err := s.enter(netip.AddrPortFrom(p.src, s.local.Port()), remote); err != nil {
		return err
	}
	s.conn.Authenticate(s.local, s.remote)
	s.path = p
	s.bound, s.opened, s.reported = true, true, false
	now := h.now()
	return s.conn.Connect(now, s.opening(now))
}

// enter takes the local port and the five-tuple for this socket.
func (s *stream) enter(local, remote netip.AddrPort) error {
	if err := s.host.ports.connect(s, &local, remote); err != nil {
		return err
	}
	before := s.local
	s.local, s.remote, s.template = local, remote, nil
	if !s.host.streams.insert(s) {
		s.host.ports.disconnect(&s.sock)
		s.local, s.remote = before, netip.AddrPort{}
		return syscall.EADDRNOTAVAIL
	}
	return nil
}

// opening is what the host tells the machine about a connection that begins now.
func (s *stream) opening(now time.Duration) tcp.Opening {
	s.label = s.host.flowLabel(s.local, s.remote)
	return s.host.opening(now, &s.path, s.local, s.remote, s.ip.sentTo(s.remote.Addr()))
}

// opening is what the host tells about one that sends with options in the IP header.
func (h *Host) opening(now time.Duration, p *path, local, remote netip.AddrPort, options *ipoptions.Options) tcp.Opening {
	o := p.opening(remote, options)
	o.ISS = h.initialSequence(now, local, remote)
	o.TSOffset = h.timestampOffset(local, remote)
	return o
}

// opening is what the way out says of a connection.
func (p *path) opening(remote netip.AddrPort, options *ipoptions.Options) tcp.Opening {
	return tcp.Opening{
		MTU:       p.mtu,
		IPv6:      remote.Addr().Is6(),
		IPOptions: options.Len(),
		LargeSend: p.largeSend(),
		Woken:     p.woken(),

		MaxSegments: p.ifc.info.Load().MaxSegments,
	}
}

// Bind gives the socket a local address and port.
func (s *stream) Bind(addr netip.AddrPort) error {
	return s.withLock(func() error {
		return s.bindInTurn(addr, func() error {
			if s.bound || s.opened {
				return syscall.EINVAL
			}
			return s.bind(addr)
		})
	})
}

func (s *stream) bind(addr netip.AddrPort) error {
	local, err := s.takeBind(addr)
	if err != nil {
		return err
	}
	if err := s.host.ports.bind(&s.sock, &local); err != nil {
		return err
	}
	s.local, s.bound = local, true
	return nil
}

// forgetConnection makes the socket one that can connect again, after a
// connect that failed.
func (s *stream) forgetConnection() {
	if !s.opened {
		return
	}
	s.unlist()
	s.bound = s.host.ports.disconnect(&s.sock)
	local := netip.AddrPortFrom(s.anyAddr(), 0)
	if s.bound {
		local = s.host.ports.local(&s.sock)
	}
	s.local = local
	before, opts := s.conn, s.conn.Options()
	s.conn.Init(s.host.tcp)
	s.conn.SetOptions(*opts)
	s.conn.KeepKeys(&before)
	s.opened, s.dropped, s.shut, s.remote = false, false, false, netip.AddrPort{}
	s.setReports(s.reports != nil && s.reports.asked)
	s.letGo()
}

// disconnect is a connect to AF_UNSPEC (Linux: tcp_disconnect).
func (s *stream) disconnect() {
	if s.lis != nil {
		s.stopListening()
	}
	if s.opened {
		s.conn.Abort(s.host.now())
		s.pump()
	}
	s.forgetConnection()
	s.wake(socket.POLLIN | socket.POLLOUT | socket.POLLHUP)
}

// unlist takes the connection out of the demultiplexer and of the timers.
func (s *stream) unlist() {
	s.host.streams.remove(s)
	s.host.timers.remove(&s.timer)
}

// leave is unlist for good: the port is given back too.
func (s *stream) leave() {
	s.unlist()
	s.host.ports.release(&s.sock)
}

// PeerAddr is getpeername(2).
func (s *stream) PeerAddr() (netip.AddrPort, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return netip.AddrPort{}, syscall.EBADF
	}
	switch s.conn.State() {
	case socket.TCP_CLOSE, socket.TCP_LISTEN, socket.TCP_SYN_SENT, socket.TCP_TIME_WAIT:
		return netip.AddrPort{}, syscall.ENOTCONN
	}
	return s.show(s.remote), nil
}
