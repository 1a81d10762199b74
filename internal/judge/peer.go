package judge

import (
	"fmt"
	"net/netip"
	"strings"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
)

// A peer is the other end of the conversation: it knows what was said, and says
// what the schedule wants it to.
type peer struct {
	local, remote  netip.Addr // of the host and the peer
	port, hostPort uint16
	syn            synOptions
	knows          bool // the host's first number
	hostISS        seqnum.Value
	hostScale      int
	next           int // the first number that it has not sent in order
	acked          int // of its numbers, up to where the host acknowledged
	edge           int // of the host's window
	atEdge         int // what edge was when the peer last sent something there; 0: never
	seen           int // of the host's numbers, up to where it has seen them
	told           int // of the host's numbers, up to where it has acknowledged
	tsEcho         uint32
	clock          int // of its timestamps
}

// synOptions are the options that the peer offers.
type synOptions struct {
	mss    int // 0: none
	wscale int // -1: none
	sack   bool
	ts     bool
}

func (o synOptions) String() string {
	var s []string
	if o.mss > 0 {
		s = append(s, fmt.Sprintf("mss %d", o.mss))
	}
	if o.sack {
		s = append(s, "sackOK")
	}
	if o.ts {
		s = append(s, "TS")
	}
	if o.wscale >= 0 {
		s = append(s, fmt.Sprintf("wscale %d", o.wscale))
	}
	return "<" + strings.Join(s, ",") + ">"
}

// A base is where a number of a segment counts from.
type base uint8

const (
	next   base = iota // what comes next in the conversation: for acks, all
	told               // what was acknowledged before: of seq by the host, of ack by the peer
	edge               // the edge of the host's window; for acks, as next
	origin             // the first number of the side
)

func (b base) String() string { return [...]string{"next", "told", "edge", "origin"}[b] }

// A tsKind is what timestamps a segment has, if there are any on the connection.
type tsKind uint8

const (
	tsGood   tsKind = iota
	tsOld           // a value from before
	tsWrong         // an echo of what was never sent
	tsAbsent        // none
	tsKinds
)

func (k tsKind) String() string {
	return [...]string{"", " TS old", " TS with a wrong echo", " without TS"}[k]
}

// segment is a step: the peer sends a segment.
type segment struct {
	flags    header.TCPFlags
	seq, ack base
	off      int // of seq
	ackOff   int
	length   int
	window   int // the field
	ts       tsKind
	sack     [][2]int // relative to what the peer has acknowledged
	urgent   int
	corrupt  bool
}

func (s *segment) String() string {
	out := fmt.Sprintf("< %s %v%+d(%d)", letters(s.flags), s.seq, s.off, s.length)
	if s.flags.Has(header.ACK) {
		out += fmt.Sprintf(" ack %v%+d", s.ack, s.ackOff)
	}
	out += fmt.Sprintf(" win %d", s.window)
	if s.flags.Has(header.URG) {
		out += fmt.Sprintf(" urg %d", s.urgent)
	}
	for _, b := range s.sack {
		out += fmt.Sprintf(" sack told%+d:%+d", b[0], b[1])
	}
	if out += s.ts.String(); s.corrupt {
		out += " corrupt"
	}
	return out
}

// encode makes the packet of a segment, and takes note of what it says.
func (p *peer) encode(s *segment) []byte {
	seq := map[base]int{next: p.next, told: p.acked, edge: p.edge, origin: 0}[s.seq] + s.off
	ack := map[base]int{next: p.seen, told: p.told, edge: p.seen, origin: 0}[s.ack] + s.ackOff
	if s.seq == edge {
		p.atEdge = p.edge
	}
	h := header.TCP{
		SrcPort: p.port, DstPort: p.hostPort, Seq: peerISS.Add(seq), Flags: s.flags,
		Window: uint16(s.window), Urgent: uint16(s.urgent),
	}
	if s.flags.Has(header.ACK) {
		h.Ack = p.hostISS.Add(ack)
	}
	p.clock++
	p.putOptions(s, &h)
	data := make([]byte, s.length)
	for i := range data {
		data[i] = peerByte(seq + i)
	}
	if !s.corrupt {
		end := seq + s.length
		if s.flags.Has(header.SYN) {
			end++
		}
		if s.flags.Has(header.FIN) {
			end++
		}
		if seq <= p.next && !s.flags.Has(header.RST) {
			p.next = max(p.next, end)
		}
		if s.flags.Has(header.ACK) && s.flags&(header.SYN|header.RST) == 0 && ack <= p.seen {
			p.told = max(p.told, ack)
		}
	}
	return p.packet(&h, data, s.corrupt)
}

func (p *peer) putOptions(s *segment, h *header.TCP) {
	o := &h.Options
	if s.flags.Has(header.SYN) {
		o.MSS, o.SACKPermitted = uint16(p.syn.mss), p.syn.sack
		if p.syn.wscale >= 0 {
			o.HasWScale, o.WScale = true, uint8(p.syn.wscale)
		}
	}
	if p.syn.ts && s.ts != tsAbsent {
		o.HasTS, o.TSVal = true, peerTS+uint32(p.clock)
		if s.flags.Has(header.ACK) {
			o.TSEcr = p.tsEcho
		}
		switch s.ts {
		case tsOld:
			o.TSVal -= 1000
		case tsWrong:
			o.TSEcr += 1 << 30
		}
	}
	for _, b := range s.sack {
		o.SACK[o.SACKCount] = header.SACKBlock{
			Left: p.hostISS.Add(p.told + b[0]), Right: p.hostISS.Add(p.told + b[1]),
		}
		o.SACKCount++
	}
}

// packet is an IP packet with a segment of the peer.
func (p *peer) packet(h *header.TCP, data []byte, corrupt bool) []byte {
	b := append(h.Append(nil), data...)
	sum := header.Fold(header.Sum(b, header.PseudoSum(p.remote, p.local, header.ProtocolTCP, len(b))))
	if corrupt {
		sum ^= 0x0100
	}
	b[16], b[17] = byte(sum>>8), byte(sum)
	return wrap(p.remote, p.local, header.ProtocolTCP, b)
}

// wrap puts an IP header before a payload.
func wrap(src, dst netip.Addr, protocol uint8, payload []byte) []byte {
	if src.Is6() {
		ip := header.IPv6{HopLimit: 64, NextHeader: protocol, Src: src, Dst: dst, PayloadLen: len(payload)}
		return append(ip.Append(nil), payload...)
	}
	ip := header.IPv4{TTL: 64, Protocol: protocol, DF: true, Src: src, Dst: dst, PayloadLen: len(payload)}
	return append(ip.Append(nil), payload...)
}
