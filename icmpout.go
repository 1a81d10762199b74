package berth

import (
	"net/netip"
	"sync"
	"syscall"

	"example.com/berth/internal/header"
	"example.com/berth/internal/icmp"
	"example.com/berth/link"
)

// icmpLimiter is the limiter of ICMP errors. Its lock guards the limiter.
type icmpLimiter struct {
	mu      sync.Mutex
	limiter *icmp.Limiter // nil: no limit
}

func (l *icmpLimiter) init(h *Host) {
	if rate := h.config.ICMPErrors; rate >= 0 {
		l.limiter = icmp.NewLimiter(icmp.Limits{HostRate: rate}, h.random.Uint64)
	}
}

func (l *icmpLimiter) allow(h *Host, dst netip.Addr) bool {
	if l.limiter == nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.limiter.Allow(h.now(), dst)
}

// sendError answers a packet with an ICMP error, if it may be answered and the
// limit allows it. Even is that of a parameter problem.
func (h *Host) sendError(in *inPacket, m header.ICMP, even bool) {
	_, sourceBroadcast := h.net.Load().broadcast.get(in.src)
	h.sendErrorAbout(in.packet(header.MinMTU6), icmp.Arrival{
		LinkGroup: in.group && !in.dst.IsMulticast(), Broadcast: in.group && in.dst.Is4(),
		SourceBroadcast: sourceBroadcast, Loopback: in.ifc == h.lo,
	}, in.src, in.dst, in.scopeDevice(), m, even)
}

func (h *Host) sendErrorAbout(packet []byte, a icmp.Arrival, src, dst netip.Addr, device int, m header.ICMP, even bool) {
	// From the address that the packet was sent to, if that is ours, so that
	// whoever sent it can tell which of his packets it was.
	from := dst
	if l, ok := h.net.Load().isLocal(dst); !ok || l.tentative {
		from = netip.Addr{}
	}
	h.sendErrorFrom(packet, a, src, from, device, m, even)
}

// sendErrorFrom sends an ICMP error from an address, or with the zero Addr from the
// one that the route has.
func (h *Host) sendErrorFrom(packet []byte, a icmp.Arrival, src, from netip.Addr, device int, m header.ICMP, even bool) {
	c := &h.count.ICMP
	allowed := false
	if src.Is4() {
		allowed = icmp.MaySend4(packet, a)
	} else {
		allowed = icmp.MaySend6(packet, a, m.Type, even)
	}
	if !allowed {
		c.NotAllowed.Add(1)
		return
	}
	p, err := h.route(src, from, device)
	if err != nil {
		h.count.IP.NoRoute.Add(1)
		return
	}
	if p.ifc != h.lo && !h.limiter.allow(h, src) {
		c.RateLimited.Add(1)
		return
	}
	if src.Is4() {
		h.sendICMP(&p, p.src, src, 0, icmp.AppendError4(nil, &m, packet), nil)
	} else {
		h.sendICMP(&p, p.src, src, 0, icmp.AppendError6(nil, &m, packet, p.src, src), nil)
	}
}

// unreachable answers with destination unreachable, with the code of each
// version.
func (h *Host) unreachable(in *inPacket, code4, code6 uint8) {
	if in.dst.Is4() {
		h.sendError(in, header.ICMP{Type: header.ICMPv4Unreachable, Code: code4}, false)
		return
	}
	h.sendError(in, header.ICMP{Type: header.ICMPv6Unreachable, Code: code6}, false)
}

func (h *Host) portUnreachable(in *inPacket) {
	h.unreachable(in, header.ICMPv4PortUnreachable, header.ICMPv6PortUnreachable)
}

// protocolUnreachable answers a packet of a protocol that nobody takes; in IPv6
// that is a bad next header (RFC 8200 section 4).
func (h *Host) protocolUnreachable(in *inPacket) {
	if in.dst.Is4() {
		h.unreachable(in, header.ICMPv4ProtocolUnreachable, 0)
		return
	}
	h.parameterProblem(in, &header.ParameterProblem{
		Code: header.ProblemNextHeader, Pointer: uint32(in.nextAt),
	})
}

// badOption answers a packet with a malformed IPv4 option (RFC 1122 section
// 3.2.2.5): at is where that stands in the header.
func (h *Host) badOption(in *inPacket, at int) {
	m := header.ICMP{Type: header.ICMPv4ParameterProblem}
	m.SetPointer4(uint8(at))
	h.sendError(in, m, false)
}

// netUnreachable answers a packet that cannot be forwarded, for the reason that
// the routes gave.
func (h *Host) netUnreachable(in *inPacket, err error) {
	code4, code6 := unreachableCodes(err)
	h.unreachable(in, code4, code6)
}

// unreachableCodes are the codes of destination unreachable that say why.
func unreachableCodes(err error) (code4, code6 uint8) {
	switch err {
	case syscall.EACCES:
		return header.ICMPv4Filtered, header.ICMPv6Prohibited
	case syscall.EHOSTUNREACH:
		return header.ICMPv4HostUnreachable, header.ICMPv6AddressUnreachable
	}
	return header.ICMPv4NetUnreachable, header.ICMPv6NoRoute
}

// sourceRouteFailed answers a packet whose source route leads on from here, and
// does not.
func (h *Host) sourceRouteFailed(in *inPacket) {
	h.sendError(in, header.ICMP{Type: header.ICMPv4Unreachable, Code: header.ICMPv4SourceRouteFailed}, false)
}

// timeExceeded answers a packet whose hops are used up.
func (h *Host) timeExceeded(in *inPacket) {
	m := header.ICMP{Type: header.ICMPv4TimeExceeded, Code: header.ICMPHopLimitExceeded}
	if in.dst.Is6() {
		m.Type = header.ICMPv6TimeExceeded
	}
	h.sendError(in, m, false)
}

// packetTooBig answers a packet that is too long for the next link.
func (h *Host) packetTooBig(in *inPacket, mtu int) {
	var m header.ICMP
	if in.dst.Is4() {
		m.Type, m.Code = header.ICMPv4Unreachable, header.ICMPv4FragmentationNeeded
		m.SetMTU4(uint16(mtu))
	} else {
		m.Type = header.ICMPv6PacketTooBig
		m.SetMTU(uint32(mtu))
	}
	h.sendError(in, m, false)
}

func (h *Host) parameterProblem(in *inPacket, p *header.ParameterProblem) {
	h.sendError(in, icmp.Problem6(p), p.EvenMulticast)
}

// reassemblyExceeded answers the first fragment of a packet that did not become
// complete.
func (h *Host) reassemblyExceeded(packet []byte) {
	src, dst, ok := packetEnds(packet)
	if !ok {
		return
	}
	m := header.ICMP{Type: header.ICMPv4TimeExceeded, Code: header.ICMPReassemblyExceeded}
	if src.Is6() {
		m.Type = header.ICMPv6TimeExceeded
	}
	h.sendErrorAbout(packet, icmp.Arrival{}, src, dst, 0, m, false)
}

// unreachableNeighbor tells the sender of a packet that its next hop does not
// answer: another host by ICMP, a socket of this host as if by ICMP.
func (h *Host) unreachableNeighbor(ifc *Interface, k *link.Kept) {
	packet := k.AppendTo(nil)[ifc.linkHeader:]
	src, dst, ok := packetEnds(packet)
	if !ok {
		return
	}
	src, dst = ifc.scoped(src), ifc.scoped(dst)
	m := header.ICMP{Type: header.ICMPv4Unreachable, Code: header.ICMPv4HostUnreachable}
	if src.Is6() {
		m = header.ICMP{Type: header.ICMPv6Unreachable, Code: header.ICMPv6AddressUnreachable}
	}
	if _, own := h.net.Load().isLocal(src); !own {
		h.sendErrorAbout(packet, icmp.Arrival{}, src, dst, 0, m, false)
		return
	}
	in := inPacket{ifc: h.lo, src: src, dst: src}
	if src.Is4() {
		e, err := icmp.Parse4(icmp.AppendError4(nil, &m, packet))
		h.icmpError(&in, &e, err)
	} else {
		e, err := icmp.Parse6(icmp.AppendError6(nil, &m, packet, src, src))
		h.icmpError(&in, &e, err)
	}
}

// packetEnds reads the addresses of a packet.
func packetEnds(b []byte) (src, dst netip.Addr, ok bool) {
	if len(b) > 0 && b[0]>>4 == 4 {
		var ip header.IPv4
		_, err := ip.ParseQuoted(b)
		return ip.Src, ip.Dst, err == nil
	}
	var ip header.IPv6
	_, err := ip.ParseQuoted(b)
	return ip.Src, ip.Dst, err == nil
}
