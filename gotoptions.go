package berth

import (
	"encoding/binary"
	"net/netip"

	"example.com/berth/internal/header"
	"example.com/berth/internal/ipoptions"
	"example.com/berth/internal/lean"
	"example.com/berth/internal/tcp"
	"example.com/berth/socket"
)

// receiveOptions reads the options of an IPv4 packet (RFC 1122 section 3.2.1.8).
// Malformed ones are answered with a parameter problem, where the packet was for
// this host. It is false if the packet goes no further.
func (in *inPacket) receiveOptions(n *network) bool {
	h := in.ifc.host
	r := new(ipoptions.Received)
	if at, ok := r.Parse(in.ip[header.IPv4MinLen:], in.src); !ok {
		h.count.IP.BadOption.Add(1)
		if in.ifc.plausibleSource(n, in.src) && in.ifc.accepts(n, in) {
			h.badOption(in, at)
		}
		return false
	}
	in.options, in.alert = r, r.RouterAlert()
	if r.HasRoute() && !in.sourceRouted(n) {
		h.count.IP.BadOption.Add(1)
		return false
	}
	return true
}

// sourceRouted looks where the source route of a packet leads. That is a way
// around filters, and is refused without a word unless the host is told otherwise
// (RFC 6274 section 3.13.2.3).
func (in *inPacket) sourceRouted(n *network) bool {
	h := in.ifc.host
	if !h.config.AcceptSourceRoute || h.config.Forwarder != nil || in.group || !in.ifc.plausibleSource(n, in.src) {
		return false
	}
	ours := func(a netip.Addr) bool {
		l, ok := n.isLocal(a)
		return ok && !l.tentative && (!a.IsLoopback() || in.ifc == h.lo)
	}
	if !ours(in.dst) {
		// A router between two hops of a loose one; a strict one has none.
		if in.options.Strict() && n.forwarding && forwardable(in) {
			h.badOption(in, destinationAt)
		}
		return !in.options.Strict()
	}
	next, on, at := in.options.NextHop(ours)
	switch {
	case at != 0:
		h.badOption(in, at)
		return false
	case on:
		in.dst, in.routed = next, true
		if _, broadcast := n.broadcast.get(next); broadcast || !forwardable(in) {
			return false
		}
	case next.IsValid(): // this host has all the rest of it
		in.dst = next
		in.rewrite()
	}
	return true
}

// destinationAt is where the destination stands in an IPv4 header.
const destinationAt = 16

// arrive records in the options of a packet that it has arrived (RFC 1122 section
// 3.2.1.8 d and e).
func (in *inPacket) arrive() {
	if in.options.Remembers() {
		in.record(in.ifc.host.answerFrom(in))
	}
}

// record has an address of this host recorded in the options of a packet.
func (in *inPacket) record(addr netip.Addr) {
	h := in.ifc.host
	n := h.net.Load()
	ours := func(a netip.Addr) bool {
		_, ok := n.isLocal(a)
		return ok
	}
	if in.options.Write(addr, h.dayClock(), ours) {
		in.rewrite()
	}
}

// answerFrom is the address that an answer to a packet would come from.
func (h *Host) answerFrom(in *inPacket) netip.Addr {
	if !in.group {
		return in.dst
	}
	if p, err := h.route(in.src, netip.Addr{}, 0); err == nil {
		return p.src
	}
	return netip.IPv4Unspecified()
}

// passOn records in the options of a packet that it goes on by p (RFC 1812 section
// 5.2.4), from the address that this router has there.
func (in *inPacket) passOn(p *path) {
	if in.options == nil || !in.routed && !in.options.Remembers() {
		return
	}
	out, err := in.ifc.host.route(in.dst, netip.Addr{}, p.ifc.index)
	if err != nil {
		return
	}
	if in.routed {
		in.options.Follow(in.dst, out.src)
	}
	in.record(out.src)
	in.rewrite()
}

// rewrite gives the packet a header with the options and the destination that it
// has now. The one that came is others' to read.
func (in *inPacket) rewrite() {
	in.ip = lean.Bytes(in.ip)
	dst := in.dst.As4()
	copy(in.ip[destinationAt:], dst[:])
	copy(in.ip[header.IPv4MinLen:], in.options.Bytes())
	binary.BigEndian.PutUint16(in.ip[10:], 0)
	binary.BigEndian.PutUint16(in.ip[10:], header.Fold(header.Sum(in.ip, 0)))
}

// returnRoute is the source route of what answers a packet: the reverse of its
// own (RFC 1122 section 3.2.1.8 c), if it has one that this host accepts.
func (in *inPacket) returnRoute() *ipoptions.Options {
	if in.options == nil || !in.options.HasRoute() {
		return nil
	}
	return returned(in.options.ReturnRoute())
}

// returnOptions are all the options of what answers a packet (RFC 1122 section
// 3.2.2.6).
func (in *inPacket) returnOptions() *ipoptions.Options {
	if in.options == nil {
		return nil
	}
	return returned(in.options.Return())
}

// returned readies options that came for the way back: none, if they are such that
// nobody may send them.
func returned(text string) *ipoptions.Options {
	o, err := ipoptions.Compile(text)
	if err != nil || o == nil {
		return nil
	}
	o.Returned = true
	return o
}

// gotOptions are those of a message that waits to be received.
type gotOptions ipoptions.Received

// tell gives them to a receiver: as they came, or as an answer is to have them.
func (g *gotOptions) tell(c *socket.Control, h *headerOptions) {
	r := (*ipoptions.Received)(g)
	if h.recvOpts {
		c.Present |= socket.ControlRecvOpts
		c.RecvOpts = string(r.Bytes())
	}
	if h.retOpts {
		c.Present |= socket.ControlRetOpts
		c.RetOpts = r.Return()
	}
}

// returnBy takes the way back of a segment for that of a connection that was
// opened passively (RFC 9293 section 3.9.2.1), if the program has not set options
// itself. Only the next segment of the stream is believed: others, anybody could
// have sent.
func (s *stream) returnBy(in *inPacket, seg *tcp.Segment) {
	options := in.returnRoute()
	if options == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.ip.inHeader().sent
	if !s.opened || !s.conn.Answers(seg) || now != nil && !now.Returned || now.String() == options.String() {
		return
	}
	s.ownHeader().sent = options
	s.sentChanged()
}
