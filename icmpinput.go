package berth

import (
	"net/netip"

	"example.com/berth/internal/header"
	"example.com/berth/internal/icmp"
	"example.com/berth/internal/ipoptions"
	"example.com/berth/socket"
)

// icmpInput takes an ICMPv4 message.
func (h *Host) icmpInput(in *inPacket) {
	c := &h.count.ICMP
	c.In.Add(1)
	b := in.linear()
	if header.Fold(header.Sum(b, 0)) != 0 {
		c.BadChecksum.Add(1)
		return
	}
	if len(b) < header.ICMPLen {
		c.Malformed.Add(1)
		return
	}
	switch b[0] {
	case header.ICMPv4EchoRequest:
		c.EchoRequests.Add(1)
		if in.group { // RFC 1122 3.2.2.6: smurf
			c.Ignored.Add(1)
			return
		}
		h.echoReply(in, icmp.AppendEchoReply4(nil, b))
	case header.ICMPv4EchoReply:
		c.EchoReplies.Add(1)
		h.echoInput(&h.datagrams.ping4, in, b)
	default:
		e, err := icmp.Parse4(b)
		if err == nil && e.Type == header.ICMPv4Redirect {
			h.redirect4(in, &e)
			return
		}
		h.icmpError(in, &e, err)
	}
}

// icmpv6Input takes an ICMPv6 message.
func (h *Host) icmpv6Input(in *inPacket) {
	c := &h.count.ICMP
	c.In.Add(1)
	if !in.valid() {
		c.BadChecksum.Add(1)
		return
	}
	b := in.linear()
	if len(b) < header.ICMPLen {
		c.Malformed.Add(1)
		return
	}
	switch b[0] {
	case header.ICMPv6EchoRequest:
		c.EchoRequests.Add(1)
		h.echoReply6(in, b)
	case header.ICMPv6EchoReply:
		c.EchoReplies.Add(1)
		h.echoInput(&h.datagrams.ping6, in, b)
	case header.ICMPv6RouterSolicit, header.ICMPv6RouterAdvert, header.ICMPv6NeighborSolicit,
		header.ICMPv6NeighborAdvert, header.ICMPv6Redirect:
		in.ifc.ndInput(in, b)
	case header.ICMPv6MLDQuery, header.ICMPv6MLDReport, header.ICMPv6MLDDone, header.ICMPv6MLDv2Report:
		in.ifc.mldInput(in, b)
	default:
		e, err := icmp.Parse6(b)
		h.icmpError(in, &e, err)
	}
}

// echoReply answers an echo request to an address of this host.
func (h *Host) echoReply(in *inPacket, reply []byte) {
	options := in.returnOptions()
	p, err := h.routeBy(options, in.src, in.dst, in.scopeDevice())
	if err != nil {
		h.count.IP.NoRoute.Add(1)
		return
	}
	h.sendICMP(&p, in.dst, in.src, in.tos, reply, options)
}

// echoReply6 answers an echo request, also one to a group: from an address of
// the host then (RFC 4443 section 4.2).
func (h *Host) echoReply6(in *inPacket, b []byte) {
	from := in.dst
	if in.group {
		from = netip.Addr{}
	}
	p, err := h.route(in.src, from, in.scopeDevice())
	if err != nil {
		h.count.IP.NoRoute.Add(1)
		return
	}
	h.sendICMP(&p, p.src, in.src, in.tos, icmp.AppendEchoReply6(nil, b, p.src, in.src), nil)
}

// scopeDevice is the interface that an answer must go out of: the one that a
// packet from a link-local address came in on.
func (in *inPacket) scopeDevice() int {
	if needsZone(in.src) {
		return in.ifc.index
	}
	return 0
}

// sendICMP sends a whole message, its checksum in place.
func (h *Host) sendICMP(p *path, src, dst netip.Addr, tos uint8, message []byte, options *ipoptions.Options) {
	d := datagramOut{
		transport: transport{
			protocol: header.ProtocolICMP, src: src, dst: dst, tos: tos,
			ttl: p.ifc.defaultHopLimit(dst), id: uint16(h.fragmentID()),
		},
		payload: message, checksumAt: -1,
	}
	if dst.Is6() {
		d.protocol = header.ProtocolICMPv6
	}
	d.withOptions(h, options)
	h.count.ICMP.Out.Add(1)
	if h.emit(p, &d) != nil { // too long even for fragments
		h.count.IP.DeviceError.Add(1)
	}
}

// echoInput takes an echo reply to the ping socket that has its identifier.
func (h *Host) echoInput(d *demux[*datagram], in *inPacket, b []byte) {
	var m header.ICMP
	if _, err := m.Parse(b); err != nil {
		h.count.ICMP.Malformed.Add(1)
		return
	}
	s, ok := best(d.onPort(m.ID()), in.dst, netip.AddrPort{}, in.ifc.index, noFlow)
	if !ok {
		return // a raw socket's, or nobody's
	}
	copied := *in
	copied.buf = nil
	s.deliver(&copied, netip.AddrPortFrom(in.src, 0), b)
}

// icmpError tells the socket whose packet an ICMP error is about.
func (h *Host) icmpError(in *inPacket, e *icmp.Error, err error) {
	c := &h.count.ICMP
	switch {
	case err == header.ErrType || err == nil && e.Errno == 0:
		c.Ignored.Add(1)
		return
	case err != nil:
		c.Malformed.Add(1)
		return
	}
	c.Errors.Add(1)
	e.Local = netip.AddrPortFrom(in.ifc.seen(e.Local.Addr()), e.Local.Port())
	e.Remote = netip.AddrPortFrom(in.ifc.seen(e.Remote.Addr()), e.Remote.Port())
	if _, ours := h.net.Load().isLocal(e.Local.Addr()); !ours && !in.foreign {
		c.BadQuote.Add(1)
		return
	}
	if !e.HasTransport {
		c.BadQuote.Add(1)
		return
	}
	if in.foreign && !h.foreignError(in, e) || !in.foreign && !h.deliverError(in, e) {
		c.BadQuote.Add(1)
	}
}

// deliverError gives an error to the transport. It is false if no socket sent
// the packet that is quoted.
func (h *Host) deliverError(in *inPacket, e *icmp.Error) (known bool) {
	switch e.Protocol {
	case header.ProtocolTCP:
		known = h.tcpError(e)
	case header.ProtocolUDP:
		known = h.udpError(in, e)
	case header.ProtocolICMP, header.ProtocolICMPv6:
		known = h.pingError(in, e)
	}
	return h.rawError(in, e) || known
}

// tcpError gives an error to a connection, which knows whether it sent the
// segment (RFC 5927).
func (h *Host) tcpError(e *icmp.Error) bool {
	s, ok := h.connection(h.tupleOf(e.Local, e.Remote))
	if !ok {
		return h.requestError(e)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.opened {
		return false
	}
	switch before := s.conn.MTU(); {
	case e.MTU == 0:
		// While a connection is being opened Linux takes every error for hard
		// (RFC 5461 section 4.1): better an error now than a time-out.
		hard := e.Hard || s.conn.State() == socket.TCP_SYN_SENT
		if h.config.TCP.KeepConnecting && !s.wantsErrors(e.Remote.Addr()) {
			hard = e.Hard && !e.SoftForTCP()
		}
		s.conn.Error(h.now(), e.Errno, hard, e.Seq)
	case s.ip.mtuDiscover(e.Remote.Addr()) < socket.IP_PMTUDISC_PROBE:
		s.conn.SetMTU(h.now(), e.MTU, e.Seq, true)
		if s.conn.MTU() < before { // it was believed: now it is for all
			h.mtus.update(e.Remote.Addr(), e.MTU)
		}
	}
	s.pump()
	s.finishHandshake()
	return true
}

// udpError gives an error to the socket that sent the datagram.
func (h *Host) udpError(in *inPacket, e *icmp.Error) bool {
	s, ok := h.datagrams.udp.lookup(h.tupleOf(e.Local, e.Remote))
	if !ok {
		s, ok = best(h.datagrams.udp.onPort(e.Local.Port()), e.Local.Addr(), e.Remote, in.ifc.index, noFlow)
	}
	if !ok {
		return false
	}
	s.fail(in, e, header.UDPLen)
	return true
}

// pingError gives an error to the ping socket that sent the echo request.
func (h *Host) pingError(in *inPacket, e *icmp.Error) bool {
	d := &h.datagrams.ping4
	if e.Remote.Addr().Is6() {
		d = &h.datagrams.ping6
	}
	s, ok := best(d.onPort(e.Local.Port()), e.Local.Addr(), netip.AddrPort{}, in.ifc.index, noFlow)
	if !ok {
		return false
	}
	s.fail(in, e, 0)
	return true
}

// rawError gives an error to the raw sockets of the protocol.
func (h *Host) rawError(in *inPacket, e *icmp.Error) (known bool) {
	for _, s := range h.raws.of(socket.Protocol(e.Protocol)) {
		if (s.domain == socket.INET) != e.Remote.Addr().Is4() {
			continue
		}
		if s.concerns(e) {
			s.fail(in, e, 0)
			known = true
		}
	}
	return known
}

// concerns tells whether an error can be about a packet of this socket.
func (s *raw) concerns(e *icmp.Error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return (!s.remote.IsValid() || s.remote.Addr() == e.Remote.Addr()) &&
		(s.local.Addr().IsUnspecified() || s.local.Addr() == e.Local.Addr())
}
