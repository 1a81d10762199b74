package ladder

import (
	"net/netip"

	"example.com/berth/internal/header"
)

// ends is one direction of a connection.
type ends struct{ src, dst netip.AddrPort }

// flow is what is known of one direction of a TCP connection. Numbers are
// distances from first; a direction of the trace is shorter than 4 GiB.
type flow struct {
	first uint32 // the initial sequence number
	next  uint32 // the highest that was sent, and one
}

// flows are the directions of all connections that were seen.
type flows map[ends]*flow

// see makes a segment's numbers relative and tells whether it was sent before.
func (fs flows) see(p *Packet) {
	h := &p.TCP
	f := fs.of(ends{p.Src, p.Dst}, uint32(h.Seq), h.Flags.Has(header.SYN))
	p.Seq = uint32(h.Seq) - f.first
	end := p.Seq + uint32(p.Len)
	if h.Flags&(header.SYN|header.FIN) != 0 {
		end++
	}
	if end != p.Seq && int32(p.Seq-f.next) < 0 {
		p.Resent = true
	}
	if int32(end-f.next) > 0 {
		f.next = end
	}
	if !h.Flags.Has(header.ACK) {
		return
	}
	back := fs.of(ends{p.Dst, p.Src}, uint32(h.Ack)-1, false)
	p.Ack = uint32(h.Ack) - back.first
	for _, b := range h.Options.SACK[:h.Options.SACKCount] {
		p.SACK = append(p.SACK, [2]uint32{uint32(b.Left) - back.first, uint32(b.Right) - back.first})
	}
}

// of finds a direction. A SYN with another number begins a new connection on
// the same addresses.
func (fs flows) of(e ends, seq uint32, syn bool) *flow {
	f := fs[e]
	if f == nil || syn && f.first != seq {
		f = &flow{first: seq}
		fs[e] = f
	}
	return f
}
