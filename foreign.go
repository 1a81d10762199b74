package berth

import (
	"net/netip"
	"syscall"

	"example.com/berth/internal/header"
	"example.com/berth/internal/icmp"
	"example.com/berth/internal/lean"
	"example.com/berth/internal/seqnum"
	"example.com/berth/internal/tcp"
	"example.com/berth/socket"
)

// forwards tells whether a packet for somebody else is one for the Forwarder.
func (h *Host) forwards(n *network, in *inPacket) bool {
	if h.config.Forwarder == nil || in.ifc == h.lo || in.group {
		return false
	}
	if _, own := n.isLocal(in.dst); own { // it is only tentative
		return false
	}
	if _, own := n.isLocal(in.src); own || !isElsewhere(in.dst) || !isElsewhere(in.src) || in.src.IsLinkLocalUnicast() {
		h.count.Forward.BadAddress.Add(1)
		return false
	}
	return true
}

// isElsewhere tells whether an address can be that of a host somewhere else.
func isElsewhere(a netip.Addr) bool {
	if a.Is4() {
		b := a.As4()
		return b[0] != 0 && b[0] != 127 && b[0] < 224 // RFC 1122 3.2.1.3, RFC 1112 4
	}
	return !a.Is4In6() && !a.IsUnspecified() && !a.IsLoopback() && !a.IsMulticast() && !a.IsLinkLocalUnicast()
}

// hasHops tells whether a router may send a packet on, and answers one that has
// no hops left.
func (h *Host) hasHops(in *inPacket) bool {
	if in.ttl > 1 {
		return true
	}
	h.count.IP.TTLExceeded.Add(1)
	h.timeExceeded(in)
	return false
}

// foreignInput takes a whole packet for somebody else to the Forwarder, or to what
// that has accepted.
func (h *Host) foreignInput(in *inPacket) {
	switch {
	case in.protocol == header.ProtocolTCP:
		h.tcpInput(in)
	case in.protocol == header.ProtocolUDP:
		h.udpInput(in)
	case in.protocol == header.ProtocolICMP && in.dst.Is4(), in.protocol == header.ProtocolICMPv6 && in.dst.Is6():
		h.foreignICMP(in)
	case in.protocol == header.ProtocolNoNext:
	default:
		h.ask(h.flowOf(in, netip.AddrPortFrom(in.dst, 0), netip.AddrPortFrom(in.src, 0)))
	}
}

// flowOf is what the Forwarder is asked about a packet.
// It is called seldom, and too much to have a copy at every call.
//
//go:noinline
func (h *Host) flowOf(in *inPacket, local, remote netip.AddrPort) *Flow {
	return &Flow{
		Protocol: socket.Protocol(in.protocol), Src: remote, Dst: local, Interface: in.ifc,
		host: h, packet: in.packet(header.MinMTU6), tos: in.tos,
	}
}

// ask calls the Forwarder, if there is room for the flow.
func (h *Host) ask(f *Flow) bool {
	if !h.flows.begin(f) {
		return false
	}
	if h.overtaken(f) {
		_ = h.flows.end(f, syscall.EALREADY)
		h.flows.answered(f)
		h.count.Forward.Repeated.Add(1)
		return false
	}
	if h.turns == nil {
		h.config.Forwarder(f)
		return true
	}
	// Nothing of the program may run in a turn, and what calls wait for one.
	o := Order{Host: h.name, Protocol: f.Protocol, Local: f.Dst, Remote: f.Src}
	h.turns.Wake(o, taskFunc(func() { go h.config.Forwarder(f) }))
	return true
}

// foreignSYN takes a SYN that asks for a connection to somebody else.
func (h *Host) foreignSYN(in *inPacket, seg *tcp.Segment, local, remote netip.AddrPort, minISS seqnum.Value) {
	if h.flows.again(local, remote, seg) {
		return
	}
	f := h.flowOf(in, local, remote)
	f.syn, f.minISS = *seg, minISS
	f.syn.Payload, f.syn.Buffer, f.syn.Header = nil, nil, nil // it is lent; the sender has it still
	h.ask(f)
}

// overtaken tells whether the connection that a SYN asks for has been accepted since
// it was looked for: it is a repetition.
func (h *Host) overtaken(f *Flow) bool {
	if f.syn.Flags == 0 {
		return false
	}
	s, r := h.streams.find(h.tupleOf(f.Dst, f.Src))
	return s != nil || r != nil
}

// foreignDatagram takes a datagram to the socket that was accepted for its ends,
// or begins a flow.
func (h *Host) foreignDatagram(in *inPacket, local, remote netip.AddrPort, data []byte) {
	t := h.tupleOf(local, remote)
	if s, ok := h.datagrams.udp.lookup(t); ok {
		s.deliver(in, remote, data)
		return
	}
	s := newDatagram(h, domainOfAddr(local.Addr()), socket.IPPROTO_UDP)
	s.local, s.remote, s.bound, s.foreign = local, remote, true, true
	s.queue.limit = waitingQueue
	if !h.datagrams.udp.insert(s) { // another goroutine was first
		if first, ok := h.datagrams.udp.lookup(t); ok {
			first.deliver(in, remote, data)
		}
		return
	}
	s.deliver(in, remote, data)
	f := h.flowOf(in, local, remote)
	f.queue = s
	if !h.ask(f) {
		f.dropQueue()
	}
}

// foreignICMP takes an ICMP message to somebody else: an echo request, or an error
// about what the host sent in another's name.
func (h *Host) foreignICMP(in *inPacket) {
	c := &h.count.ICMP
	c.In.Add(1)
	b := in.linear()
	four := in.dst.Is4()
	switch {
	case four && header.Fold(header.Sum(b, 0)) != 0, !four && !in.valid():
		c.BadChecksum.Add(1)
		return
	case len(b) < header.ICMPLen:
		c.Malformed.Add(1)
		return
	}
	switch {
	case four && b[0] == header.ICMPv4EchoRequest, !four && b[0] == header.ICMPv6EchoRequest:
		c.EchoRequests.Add(1)
		f := h.flowOf(in, netip.AddrPortFrom(in.dst, 0), netip.AddrPortFrom(in.src, 0))
		f.echo = lean.Bytes(b)
		h.ask(f)
	case four:
		e, err := icmp.Parse4(b)
		h.icmpError(in, &e, err)
	default:
		e, err := icmp.Parse6(b)
		h.icmpError(in, &e, err)
	}
}

// foreignError gives an ICMP error to the socket that sent the packet which it is
// about in the name of the one whom it came to.
func (h *Host) foreignError(in *inPacket, e *icmp.Error) bool {
	if e.Local.Addr() != in.dst {
		return false
	}
	switch e.Protocol {
	case header.ProtocolTCP:
		return h.tcpError(e)
	case header.ProtocolUDP:
		if s, ok := h.datagrams.udp.lookup(h.tupleOf(e.Local, e.Remote)); ok {
			s.fail(in, e, header.UDPLen)
			return true
		}
	}
	return false
}
