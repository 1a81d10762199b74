package berth

import (
	"context"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/berth/internal/ipoptions"
	"example.com/berth/internal/lean"
	"example.com/berth/socket"
)

// messageSock is what datagram and raw sockets have in common: a queue of
// messages received, a queue of errors, and a path to the peer.
type messageSock struct {
	sock
	queue messageQueue
	share share // of the queue: the readers'
	// template is nil until several datagrams went to one destination, and whenever a
	// datagram may not go just like the one before.
	template atomic.Pointer[template]
	errors   errorQueue
	err      error // pending: what SO_ERROR gives
	path     path  // to remote, if connected
	readEnd  bool  // SHUT_RD
	sendEnd  bool  // SHUT_WR
	sndbuf   int   // SO_SNDBUF
	lowat    int   // SO_RCVLOWAT
	unsent   int   // bytes that wait for a turn
}

// Buffers of datagram and raw sockets (Linux: rmem_default, rmem_max).
const (
	defaultMessageBuffer = 212992
	maxBuffer            = 212992
	minRcvBuf, minSndBuf = 2304, 4608
)

func (s *messageSock) init(h *Host, domain socket.Domain, typ socket.Type, protocol socket.Protocol) {
	s.sock.init(h, domain, typ, protocol)
	s.share.domain = domain
	s.queue.limit, s.sndbuf, s.lowat = defaultMessageBuffer, defaultMessageBuffer, 1
}

// Recv takes the first message.
func (s *messageSock) Recv(b []byte, flags socket.Flags) (int, error) {
	n, _, err := s.RecvFrom(b, flags)
	return n, err
}

// RecvFrom takes the first message and tells who sent it.
func (s *messageSock) RecvFrom(b []byte, flags socket.Flags) (n int, from netip.AddrPort, err error) {
	if n, from, ok := s.recv(b, flags); ok {
		return n, from, nil
	}
	var m socket.Message
	bufs := [1][]byte{b} // in the message it would move to the heap, as its address is returned
	n, err = s.recvMsg(bufs[:], &m, flags)
	return n, m.Addr, err
}

// RecvMsg takes the first message, or an entry of the error queue, with all
// that is known about it.
func (s *messageSock) RecvMsg(m *socket.Message, flags socket.Flags) (n int, err error) {
	return s.recvMsg(m.Buffers, m, flags)
}

func (s *messageSock) recvMsg(bufs [][]byte, m *socket.Message, flags socket.Flags) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.Addr, m.Control, m.Flags = netip.AddrPort{}, socket.Control{}, 0
	if flags&socket.MSG_ERRQUEUE != 0 {
		if s.closed {
			return 0, syscall.EBADF
		}
		s.changed()
		return s.errors.take(s, bufs, m)
	}
	if flags&socket.MSG_OOB != 0 {
		return 0, syscall.EOPNOTSUPP
	}
	// The deadline goes first: as in package net, a read after it fails even if
	// there is something to read.
	for err = s.ended(&s.readers); err == nil; err = s.await(&s.readers, flags) {
		if s.err != nil {
			return 0, s.takeError()
		}
		if n, ok := s.next(bufs, m, flags); ok || s.readEnd { // at the end of the readable half there is nothing, and no error
			return n, nil
		}
	}
	return 0, err
}

// scatter copies data into buffers one after the other.
func scatter(bufs [][]byte, data []byte) (n int) {
	for _, b := range bufs {
		n += copy(b, data[n:])
	}
	return n
}

// gather makes one piece of several; one piece is left where it is.
func gather(bufs [][]byte) []byte {
	if len(bufs) == 1 {
		return bufs[0]
	}
	var all []byte
	for _, b := range bufs {
		all = append(all, b...)
	}
	return all
}

// control gives the ancillary data that options ask for.
func (s *sock) control(c *socket.Control, m *message) {
	o := s.ip
	v4 := m.from.Addr().Is4()
	if v4 && o.pktInfo4 || o.pktInfo6 && s.domain == socket.INET6 {
		c.Present |= socket.ControlPktInfo
		dst := netip.AddrPortFrom(m.dst, 0)
		c.PktInfo = socket.PktInfo{Interface: int(m.ifindex), Dst: m.dst, Local: m.dst}
		if s.domain == socket.INET6 && o.pktInfo6 {
			c.PktInfo.Dst = s.show(dst).Addr()
			c.PktInfo.Local = c.PktInfo.Dst
		} else if m.dst.IsMulticast() || s.host.isBroadcast(m.dst) {
			c.PktInfo.Local = s.host.addressOn(int(m.ifindex), m.dst)
		}
	}
	if v4 && o.recvTTL4 || !v4 && o.recvHops6 {
		c.Present |= socket.ControlTTL
		c.TTL = int(m.ttl)
	}
	if h := o.inHeader(); m.options != nil && (h.recvOpts || h.retOpts) {
		m.options.tell(c, h)
	}
	if v4 && o.recvTOS4 || !v4 && o.recvTClass6 {
		c.Present |= socket.ControlTOS
		c.TOS = int(m.tos)
	}
}

// takeError returns the pending error and clears it.
func (s *messageSock) takeError() error {
	err := s.err
	s.err = nil
	return err
}

// Shutdown ends one half or both of a connected socket.
func (s *messageSock) Shutdown(how socket.How) error {
	if how < socket.SHUT_RD || how > socket.SHUT_RDWR {
		return syscall.EINVAL
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return syscall.EBADF
	}
	s.readEnd = s.readEnd || how != socket.SHUT_WR
	s.sendEnd = s.sendEnd || how != socket.SHUT_RD
	s.changed()
	s.wake(socket.POLLIN | socket.POLLOUT | socket.POLLHUP)
	if !s.remote.IsValid() {
		return syscall.ENOTCONN
	}
	return nil
}

// Listen and Accept are for streams.
func (s *messageSock) Listen(int) error { return s.withLock(notForDatagrams) }

// Accept is for streams.
func (s *messageSock) Accept(context.Context) (socket.Socket, netip.AddrPort, error) {
	return nil, netip.AddrPort{}, s.withLock(notForDatagrams)
}

// AtMark is for streams.
func (s *messageSock) AtMark() (bool, error) {
	return false, s.withLock(func() error { return syscall.ENOTTY })
}

func notForDatagrams() error { return syscall.EOPNOTSUPP }

// events is what poll(2) would report.
func (s *messageSock) events() (e socket.Events) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return socket.POLLNVAL
	}
	e = socket.POLLOUT
	if s.readEnd || s.ready() {
		e |= socket.POLLIN
	}
	if s.err != nil || s.errors.n() > 0 {
		e |= socket.POLLERR
	}
	if s.readEnd {
		e |= socket.POLLRDHUP
		if s.sendEnd {
			e |= socket.POLLHUP
		}
	}
	return e
}

// finish is the part of Close that both types share; the lock is held.
func (s *messageSock) finish() {
	s.closed = true
	s.changed()
	s.drop()
	s.errors.clear()
	s.setDeadline(&s.readers, time.Time{})
	s.setDeadline(&s.writers, time.Time{})
	s.wake(socket.POLLNVAL)
}

// take a message in, unless the queue is full.
func (s *messageSock) enqueue(in *inPacket, from netip.AddrPort, data []byte) (full, noMemory bool) {
	if s.closed || s.readEnd {
		return true, false
	}
	buf := in.buf
	if len(in.head) > 0 && len(in.body) == 0 {
		buf = nil // the head is lent
	}
	full, noMemory = s.queue.push(&origin{
		from: from, dst: in.dst, ifindex: int32(in.ifc.index), tos: in.tos, ttl: in.ttl,
		options: (*gotOptions)(in.options),
	}, data, buf, s.host.budget)
	if !full && !noMemory {
		s.wake(socket.POLLIN)
	}
	return full, noMemory
}

// destination is where a packet of this socket goes and how: what SendTo, the
// control data and the options say together.
type destination struct {
	_ lean.Incomparable

	path    path
	to      netip.AddrPort
	options *ipoptions.Options
	ttl     uint8
	tos     uint8
}

// aim finds the way for one packet. The lock is held.
func (s *messageSock) aim(to netip.AddrPort, c *socket.Control) (d destination, err error) {
	connected := !to.IsValid()
	if connected {
		if !s.remote.IsValid() {
			return d, syscall.EDESTADDRREQ
		}
		to = s.remote
	} else if to, err = s.take(to); err != nil {
		return d, err
	}
	if to.Addr().IsUnspecified() {
		to = netip.AddrPortFrom(loopbackOf(to.Addr()), to.Port())
	}
	d.to = to
	d.tos = s.ip.trafficClass(to.Addr())
	if d.options, err = s.optionsFor(to.Addr(), c); err != nil {
		return d, err
	}
	first := d.options.FirstHop(to.Addr()) // or to itself
	device, from := s.ip.device, s.sourceFor(to.Addr())
	if c.Has(socket.ControlPktInfo) {
		if c.PktInfo.Interface != 0 {
			if s.host.interfaceByIndex(c.PktInfo.Interface) == nil {
				return d, syscall.ENODEV
			}
			device = c.PktInfo.Interface
		}
		if a := c.PktInfo.Local.Unmap(); a.IsValid() && !a.IsUnspecified() {
			if !s.host.isBindable(a) || s.host.isBroadcast(a) { // RFC 1122 3.2.1.3
				return d, syscall.EINVAL
			}
			from = a
		}
	}
	if device == 0 {
		switch a := first; {
		case a.IsMulticast():
			device = s.ip.multicastDevice(a.Is4())
		case needsZone(a) && a.Zone() == "":
			device = s.host.anyLink() // as on Linux: Connect asks for a zone, SendTo does not
		}
	}
	plain := connected && c.Present&(socket.ControlPktInfo|socket.ControlRetOpts) == 0
	if plain && s.path.ifc != nil && !s.path.stale(s.host) {
		d.path = s.path
	} else {
		if d.path, err = s.host.routeBy(d.options, to.Addr(), from, device); err != nil {
			return d, err
		}
		if plain {
			s.path = d.path
		}
	}
	d.to = d.path.zoned(to)
	if s.host.isBroadcast(first) && !s.ip.broadcast {
		return d, syscall.EACCES
	}
	if s.ip.mtu6 != 0 && to.Addr().Is6() {
		d.path.mtu = min(d.path.mtu, int(s.ip.mtu6))
	}
	d.ttl = s.ip.hopLimit(first, d.path.ifc)
	return d, d.override(c)
}

// optionsFor are the options that a packet to dst has: those of the control data,
// or of the socket.
func (s *messageSock) optionsFor(dst netip.Addr, c *socket.Control) (*ipoptions.Options, error) {
	if c.Has(socket.ControlRetOpts) && dst.Is4() {
		return ipoptions.Compile(c.RetOpts)
	}
	return s.ip.sentTo(dst), nil
}

// mayRoute refuses a way over a gateway to SO_DONTROUTE and MSG_DONTROUTE.
func (s *sock) mayRoute(d *destination, flags socket.Flags) error {
	if (s.ip.dontRoute || flags&socket.MSG_DONTROUTE != 0) && !d.path.direct(d.options.FirstHop(d.to.Addr())) {
		return syscall.ENETUNREACH
	}
	return nil
}

// override takes the TTL and the TOS that control data give.
func (d *destination) override(c *socket.Control) error {
	v4 := d.to.Addr().Is4()
	if c.Has(socket.ControlTTL) {
		if c.TTL > 255 || v4 && c.TTL < 1 || c.TTL < -1 {
			return syscall.EINVAL
		}
		if c.TTL >= 0 {
			d.ttl = uint8(c.TTL)
		}
	}
	if c.Has(socket.ControlTOS) {
		if c.TOS < -1 || c.TOS > 255 {
			return syscall.EINVAL
		}
		if c.TOS >= 0 {
			d.tos = uint8(c.TOS)
		}
	}
	return nil
}

// sourceFor is the source address that the socket was given, if it can be that
// of a packet to dst.
func (s *sock) sourceFor(dst netip.Addr) netip.Addr {
	a := s.local.Addr()
	if !s.bound || a.IsUnspecified() || a.IsMulticast() || a.Is4() != dst.Is4() || s.host.isBroadcast(a) {
		return netip.Addr{}
	}
	return a
}

// refuse is the answer to a packet that could not be sent. No lock is held.
func (s *messageSock) refuse(d *destination, err error) error {
	if err != syscall.EMSGSIZE {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tooLong(d)
}

// later has a copy of b sent in the host's next turn, and waits only while
// SO_SNDBUF says that enough is waiting. The caller has checked what can be
// checked: what goes wrong then is the socket's pending error. No lock is held.
func (s *messageSock) later(b []byte, flags socket.Flags, send func([]byte) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.block(context.Background(), &s.writers, flags, func() error {
		if s.unsent > 0 && s.unsent+len(b) > s.sndbuf {
			return syscall.EAGAIN
		}
		return nil
	}); err != nil {
		return err
	}
	s.unsent += len(b)
	b = lean.Bytes(b)
	s.host.turns.Post(s.order(), taskFunc(func() {
		err := send(b)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.unsent -= len(b)
		e := socket.POLLOUT
		if err != nil && s.err == nil {
			s.err, e = err, e|socket.POLLERR // (with a Scheduler there is no share to shut)
		}
		s.wake(e)
	}))
	return nil
}

// tooLong is the answer to a packet that is longer than the path takes: it goes
// into the error queue too, with the MTU (Linux: ip_local_error).
func (s *messageSock) tooLong(d *destination) error {
	if s.wantsErrors(d.to.Addr()) {
		s.errors.push(queuedError{
			ExtendedError: socket.ExtendedError{
				Errno: syscall.EMSGSIZE, Origin: socket.SO_EE_ORIGIN_LOCAL, Info: uint32(d.path.mtu),
			},
			to: d.to,
		})
	}
	return syscall.EMSGSIZE
}

// wantsErrors tells whether IP_RECVERR or IPV6_RECVERR is on for packets to dst.
func (s *sock) wantsErrors(dst netip.Addr) bool {
	if dst.Is4() {
		return s.ip.recvErr4
	}
	return s.ip.recvErr6
}
