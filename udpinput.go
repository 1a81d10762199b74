package berth

import (
	"net/netip"

	"example.com/berth/internal/header"
	"example.com/berth/link"
)

// udpInput takes a datagram to its socket, or to all that joined its group, or
// answers that nobody is there.
func (h *Host) udpInput(in *inPacket) {
	c := &h.count.UDP
	c.In.Add(1)
	var u header.UDP
	data, err := in.udp(&u)
	if err != nil {
		c.Malformed.Add(1)
		return
	}
	if !in.udpChecksum(&u) {
		c.BadChecksum.Add(1)
		return
	}
	local := netip.AddrPortFrom(in.dst, u.DstPort)
	remote := netip.AddrPortFrom(in.src, u.SrcPort)
	if in.group {
		h.udpToGroup(in, local, remote, data)
		return
	}
	if in.foreign {
		h.foreignDatagram(in, local, remote, data)
		return
	}
	s, ok := h.datagram(&h.datagrams.udp, in, local, remote)
	if !ok {
		c.NoPort.Add(1)
		h.portUnreachable(in)
		return
	}
	s.deliver(in, remote, data)
}

// udp reads the header and returns the data, cut to the length that it states.
// What IP carries beyond that goes.
func (in *inPacket) udp(u *header.UDP) ([]byte, error) {
	rest, err := u.ParseQuoted(in.first())
	if err != nil {
		return nil, err
	}
	if len(in.head) == 0 {
		if len(rest) < u.PayloadLen {
			return nil, header.ErrTruncated
		}
		in.body = in.body[:header.UDPLen+u.PayloadLen]
		return rest, nil
	}
	if len(in.head) != header.UDPLen || u.PayloadLen > len(in.body) {
		return nil, header.ErrTruncated
	}
	in.body = in.body[:u.PayloadLen]
	return in.body, nil
}

// udpChecksum verifies the checksum. Without one a datagram is fine over IPv4
// only (RFC 768, RFC 8200 section 8.1).
func (in *inPacket) udpChecksum(u *header.UDP) bool {
	if u.Checksum == 0 && in.checksum == link.ChecksumFull {
		return in.dst.Is4()
	}
	return in.valid()
}

// datagram returns the socket that a packet is for.
func (h *Host) datagram(d *demux[*datagram], in *inPacket, local, remote netip.AddrPort) (*datagram, bool) {
	candidates := d.onPort(local.Port())
	if len(candidates) != 1 { // one that is alone on its port is found without its peer
		if s, ok := d.lookup(h.tupleOf(local, remote)); ok {
			return s, true
		}
	}
	return best(candidates, local.Addr(), remote, in.ifc.index, func() uint64 { return h.flowHash(local, remote) })
}

// deliver queues a datagram in the socket, if the socket takes it from remote; of a
// large frame, which has several of one length, each.
func (s *datagram) deliver(in *inPacket, remote netip.AddrPort, data []byte) {
	c := &s.host.count.UDP
	size := len(data)
	if in.gso == link.GSOUDP && in.segSize > 0 {
		size = in.segSize
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		one := data[:min(size, len(data))]
		data = data[len(one):]
		full, noMemory := s.enqueue(in, remote, one)
		if full {
			c.QueueFull.Add(1)
		}
		if noMemory {
			c.NoMemory.Add(1)
		}
		if len(data) == 0 {
			return
		}
	}
}

// udpToGroup gives a multicast or broadcast to every socket that is bound to
// fit and, of a multicast, has joined.
func (h *Host) udpToGroup(in *inPacket, local, remote netip.AddrPort, data []byte) {
	found := false
	for _, b := range h.datagrams.udp.onPort(local.Port()) {
		if b.match(local.Addr(), remote, in.ifc.index) < 0 || !b.sock.wantsGroup(in, remote) {
			continue
		}
		found = true
		b.sock.deliver(in, remote, data)
	}
	if !found {
		h.count.UDP.NoPort.Add(1)
	}
}

// wantsGroup tells whether the socket takes a packet from remote to a group.
func (s *datagram) wantsGroup(in *inPacket, remote netip.AddrPort) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.remote.IsValid() && s.remote != remote {
		return false
	}
	return s.inGroup(in)
}
