package berth

import (
	"net/netip"

	"example.com/berth/internal/header"
)

// plausibleSource tells whether a packet that came in on ifc can come from src
// (RFC 1122 section 3.2.1.3, RFC 4291 section 2.7).
func (ifc *Interface) plausibleSource(n *network, src netip.Addr) bool {
	if src.IsMulticast() {
		return false
	}
	if src.Is4() {
		if _, ok := n.broadcast.get(src); ok {
			return false
		}
	}
	return !src.IsLoopback() || ifc == ifc.host.lo
}

// accepts tells whether a packet is for this host, and notes whether it is
// addressed to a group.
//
// As on Linux this is the weak host model (RFC 1122 section 3.3.4.2): a packet
// for any address of the host is taken on any interface. Loopback addresses
// are taken on lo alone.
func (ifc *Interface) accepts(n *network, in *inPacket) bool {
	dst := in.dst
	if l, ok := n.isLocal(dst); ok {
		if dst.IsLoopback() && ifc != ifc.host.lo {
			return false
		}
		return !l.tentative || in.protocol == header.ProtocolICMPv6
	}
	if dst.IsMulticast() {
		in.group = true
		return ifc.hasGroup(dst, in.src)
	}
	if on, ok := n.broadcast.get(dst); ok {
		in.group = true
		return on == nil || on == ifc || ifc == ifc.host.lo
	}
	return false
}

// deliver hands a packet to the transport that it is for, and to the raw
// sockets.
func (h *Host) deliver(in *inPacket) {
	h.count.IP.Delivered.Add(1)
	if in.foreign {
		h.foreignInput(in)
		return
	}
	raw := h.rawInput(in)
	switch in.protocol {
	case header.ProtocolTCP:
		h.tcpInput(in)
	case header.ProtocolUDP:
		h.udpInput(in)
	case header.ProtocolICMP:
		if in.dst.Is4() {
			h.icmpInput(in)
		}
	case header.ProtocolICMPv6:
		if in.dst.Is6() {
			h.icmpv6Input(in)
		}
	case header.ProtocolIGMP:
		if in.dst.Is4() {
			in.ifc.igmpInput(in)
		}
	case header.ProtocolNoNext:
	default:
		if !raw {
			h.count.IP.UnknownProtocol.Add(1)
			h.protocolUnreachable(in)
		}
	}
}
