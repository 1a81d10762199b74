package berth

import (
	"context"
	"net/netip"
	"syscall"

	"example.com/berth/internal/buffer"
	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// datagram is a DGRAM socket: UDP, or ICMP echo. Of the latter the port is the
// identifier of the echo messages.
type datagram struct {
	messageSock
	wildcard bool   // Connect chose the local address
	keepPort bool   // Bind asked for this very port
	foreign  bool   // accepted from a Forwarder: connected for good, from an address that is not the host's
	corked   []byte // what MSG_MORE holds back
	corkTo   netip.AddrPort
	asked    netip.AddrPort // the destination of the last one, as the call named it
	inRow    int            // how many went there without a template
}

func newDatagram(h *Host, domain socket.Domain, protocol socket.Protocol) *datagram {
	s := &datagram{}
	s.messageSock.init(h, domain, socket.DGRAM, protocol)
	s.ownIP().reuseAddr = s.isPing() // as on Linux
	return s
}

// isPing tells whether the socket sends ICMP echo requests.
func (s *datagram) isPing() bool { return s.protocol != socket.IPPROTO_UDP }

// table is the demultiplexer that the socket is entered in.
func (s *datagram) table() *demux[*datagram] {
	switch s.protocol {
	case socket.IPPROTO_ICMP:
		return &s.host.datagrams.ping4
	case socket.IPPROTO_ICMPV6:
		return &s.host.datagrams.ping6
	}
	return &s.host.datagrams.udp
}

// datagramTables are the demultiplexers of datagram sockets.
type datagramTables struct{ udp, ping4, ping6 demux[*datagram] }

// Bind gives the socket a local address and port.
func (s *datagram) Bind(addr netip.AddrPort) error {
	return s.withLock(func() error {
		return s.bindInTurn(addr, func() error {
			if s.bound {
				return syscall.EINVAL
			}
			return s.bind(addr)
		})
	})
}

func (s *datagram) bind(addr netip.AddrPort) error {
	local, err := s.takeBind(addr)
	if err != nil {
		return err
	}
	if err := s.host.ports.bind(&s.sock, &local); err != nil {
		return err
	}
	s.keepPort = addr.Port() != 0
	s.local, s.bound = local, true
	insertBound(s.table(), local.Port(), s)
	return nil
}

// autobind gives an unbound socket a port, as sending or connecting does.
func (s *datagram) autobind() error {
	if s.bound && s.local.Port() != 0 {
		return nil
	}
	return s.inTurn(s.local, s.remote, s.takePort)
}

func (s *datagram) takePort() error {
	switch {
	case s.closed:
		return syscall.EBADF
	case s.bound && s.local.Port() != 0: // another call was first
		return nil
	}
	port, err := s.host.ports.autobind(&s.sock)
	if err != nil {
		return err
	}
	s.local, s.bound = netip.AddrPortFrom(s.local.Addr(), port), true
	insertBound(s.table(), port, s)
	return nil
}

// Connect fixes the peer, or with the zero AddrPort dissolves that.
func (s *datagram) Connect(_ context.Context, addr netip.AddrPort) error {
	return s.withLock(func() error {
		if s.foreign {
			return syscall.EISCONN
		}
		s.changed()
		if !addr.IsValid() {
			s.disconnect()
			return nil
		}
		if s.lacksZone(addr.Addr()) {
			return syscall.EINVAL
		}
		d, err := s.aim(addr, &socket.Control{})
		if err != nil {
			return err
		}
		if err := s.autobind(); err != nil {
			return err
		}
		s.unlist()
		if s.local.Addr().IsUnspecified() {
			s.wildcard = true
			s.local = netip.AddrPortFrom(d.path.src, s.local.Port())
		}
		s.remote, s.path = d.to, d.path
		insertBound(s.table(), s.local.Port(), s)
		s.table().insert(s)
		return nil
	})
}

// unlist takes the socket out of the demultiplexer.
func (s *datagram) unlist() {
	if s.remote.IsValid() {
		s.table().remove(s)
	}
	if s.foreign { // its port is another's
		return
	}
	removeBound(s.table(), s.local.Port(), s)
}

// disconnect makes the socket take datagrams from anybody again. As on Linux
// the address is what Bind gave it, and so is the port: one that was chosen is
// given back.
func (s *datagram) disconnect() {
	if !s.remote.IsValid() {
		return
	}
	s.unlist()
	s.remote, s.path = netip.AddrPort{}, path{}
	if s.wildcard {
		s.wildcard = false
		s.local = netip.AddrPortFrom(s.anyAddr(), s.local.Port())
	}
	if !s.keepPort {
		s.host.ports.release(&s.sock)
		s.bound = !s.local.Addr().IsUnspecified()
		s.local = netip.AddrPortFrom(s.local.Addr(), 0)
		return
	}
	insertBound(s.table(), s.local.Port(), s)
}

// Send sends to the peer.
func (s *datagram) Send(b []byte, flags socket.Flags) (int, error) {
	return s.SendTo(b, flags, netip.AddrPort{})
}

// SendTo sends to an address.
func (s *datagram) SendTo(b []byte, flags socket.Flags, to netip.AddrPort) (int, error) {
	if t := s.template.Load(); t != nil && t.takes(s, len(b), flags, to) {
		t.send(s.host, b)
		return len(b), nil
	}
	var none socket.Control
	return s.sendTheLongWay(b, flags, to, &none)
}

// SendMsg sends several pieces as one datagram.
func (s *datagram) SendMsg(m *socket.Message, flags socket.Flags) (int, error) {
	return s.sendTheLongWay(gather(m.Buffers), flags, m.Addr, &m.Control)
}

func (s *datagram) sendTheLongWay(b []byte, flags socket.Flags, to netip.AddrPort, c *socket.Control) (int, error) {
	s.mu.Lock()
	d, err := s.prepare(len(b), flags, to, c)
	if err == nil {
		s.learn(&d, flags, to, c)
	}
	s.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return s.transmit(&d, b, flags)
}

// prepare checks a Send and finds the way. The lock is held.
func (s *datagram) prepare(length int, flags socket.Flags, to netip.AddrPort, c *socket.Control) (d destination, err error) {
	if err := s.over(context.Background(), &s.writers); err != nil {
		return d, err
	}
	switch {
	case flags&socket.MSG_OOB != 0 && s.domain == socket.INET:
		return d, syscall.EOPNOTSUPP
	case len(s.corked)+length > header.MaxPacket:
		return d, syscall.EMSGSIZE
	case s.sendEnd:
		return d, syscall.EPIPE
	case s.err != nil:
		return d, s.takeError()
	case to.IsValid() && to.Port() == 0 && !s.isPing():
		return d, syscall.EINVAL
	}
	if d, err = s.aim(to, c); err != nil {
		return d, err
	}
	if err := s.mayRoute(&d, flags); err != nil {
		return d, err
	}
	return d, s.autobind()
}

// transmit sends one datagram. No lock is held: the frame goes through the
// device on this goroutine, maybe as far as the socket of the receiver.
func (s *datagram) transmit(d *destination, b []byte, flags socket.Flags) (int, error) {
	s.mu.Lock()
	local := s.local
	whole, hold := s.cork(d, b, flags)
	s.mu.Unlock()
	if hold {
		return len(b), nil
	}
	var err error
	if s.host.waitsForTurn() {
		err = s.outputLater(*d, local, whole, flags)
	} else {
		err = s.output(d, local, whole)
	}
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

// outputLater is output in the host's next turn.
func (s *datagram) outputLater(d destination, local netip.AddrPort, b []byte, flags socket.Flags) error {
	df, probe := s.fragmentation(d.to.Addr())
	length := header.UDPLen + len(b)
	if s.isPing() {
		length = len(b)
	}
	if err := d.path.fits(d.to.Addr(), d.options.Len()+length, df, probe); err != nil {
		return s.refuse(&d, err)
	}
	return s.later(b, flags, func(b []byte) error { return s.output(&d, local, b) })
}

// cork gathers what MSG_MORE holds back (Linux: UDP_CORK). It gives the whole
// datagram when the last piece has come.
func (s *datagram) cork(d *destination, b []byte, flags socket.Flags) (whole []byte, hold bool) {
	if flags&socket.MSG_MORE != 0 {
		s.changed()
		s.corked = append(s.corked, b...)
		s.corkTo = d.to
		return nil, true
	}
	if s.corkTo.IsValid() {
		whole = append(s.corked, b...)
		d.to = s.corkTo
		s.corked, s.corkTo = nil, netip.AddrPort{}
		return whole, false
	}
	return b, false
}

func (s *datagram) output(d *destination, local netip.AddrPort, b []byte) error {
	return s.outputSegments(d, local, b, len(b))
}

// outputSegments is output for datagrams of size bytes, which go as one frame if b is
// longer: the device cuts it.
func (s *datagram) outputSegments(d *destination, local netip.AddrPort, b []byte, size int) error {
	src := d.path.src
	out := datagramOut{
		transport: transport{
			protocol: uint8(s.protocol), src: src, dst: d.to.Addr(), tos: d.tos, ttl: d.ttl,
			id: uint16(s.host.fragmentID()), label: s.host.flowLabel(local, d.to),
		},
		loop:    s.loops(d.to.Addr()),
		segSize: size,
	}
	out.withOptions(s.host, d.options)
	out.df, out.probe = s.fragmentation(d.to.Addr())
	// The header lies before the payload in one block: in an array of this
	// function it would move to the heap with each datagram.
	out.buf = buffer.Get(header.UDPLen + len(b))
	defer out.buf.Release()
	room := out.buf.Bytes()[:0:header.UDPLen]
	var err error
	if s.isPing() {
		err = s.echo(&out, room, local.Port(), b)
	} else {
		u := header.UDP{SrcPort: local.Port(), DstPort: d.to.Port(), PayloadLen: len(b)}
		out.head, out.payload, out.checksumAt = u.Append(room), b, udpChecksumAt
	}
	if err != nil {
		return err
	}
	out.payload = append(out.buf.Bytes()[header.UDPLen:header.UDPLen], out.payload...)
	if err = s.host.emit(&d.path, &out); err != nil {
		return s.refuse(d, err)
	}
	if !s.isPing() {
		s.host.count.UDP.Out.Add(max(1, uint64((len(b)+size-1)/max(1, size))))
	}
	return nil
}

// echo makes the header of an echo request of what a ping socket sends: the
// user gives it whole, the identifier is the socket's, the checksum the host's.
func (s *datagram) echo(out *datagramOut, room []byte, id uint16, b []byte) error {
	var h header.ICMP
	rest, err := h.Parse(b)
	if err != nil {
		return syscall.EINVAL
	}
	request := uint8(header.ICMPv4EchoRequest)
	if s.protocol == socket.IPPROTO_ICMPV6 {
		request = header.ICMPv6EchoRequest
	}
	if h.Type != request || h.Code != 0 {
		return syscall.EINVAL
	}
	h.SetID(id)
	h.Checksum = 0
	out.head, out.payload, out.checksumAt = h.Append(room), rest, icmpChecksumAt
	return nil
}

// loops tells whether the host hears its own multicasts.
func (s *sock) loops(dst netip.Addr) bool {
	if dst.Is4() {
		return s.ip.loop4
	}
	return s.ip.loop6
}

// fragmentation gives what IP_MTU_DISCOVER means for a datagram to dst: whether
// it may be cut, and whether the known path MTU is passed over.
func (s *sock) fragmentation(dst netip.Addr) (df, probe bool) {
	switch s.ip.mtuDiscover(dst) {
	case socket.IP_PMTUDISC_DO:
		return true, false
	case socket.IP_PMTUDISC_PROBE:
		return true, true
	}
	return dst.Is6() && s.ip.dontFrag6, false
}

// Close closes the socket.
func (s *datagram) Close() error {
	defer s.applyChanges()
	return s.withLock(func() error {
		s.release()
		return nil
	})
}

func (s *datagram) abort(error) {
	defer s.applyChanges()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.release()
	}
}

func (s *datagram) release() {
	if s.bound {
		s.unlist()
		s.host.ports.release(&s.sock)
	}
	s.host.forget(&s.sock)
	s.leaveGroups()
	s.finish()
}
