package judge

import (
	"fmt"

	"example.com/berth/internal/header"
)

// An icmpError is a step: a router on the way says that it could not forward a
// segment of the host's, or somebody who says so. It quotes the header of one with
// a number that counts as an acknowledgment's does.
type icmpError struct {
	typ4, code4 uint8 // of ICMP
	typ6, code6 uint8 // of ICMPv6
	mtu         int   // 0: none
	seq         base
	off         int
	short       bool // eight bytes of the segment are quoted, and no more
}

func (s *icmpError) String() string {
	out := fmt.Sprintf("< icmp %d/%d, icmpv6 %d/%d", s.typ4, s.code4, s.typ6, s.code6)
	if s.mtu > 0 {
		out += fmt.Sprintf(" mtu %d", s.mtu)
	}
	return out + fmt.Sprintf(" [%v%+d]", s.seq, s.off)
}

func (s *icmpError) do(p *player) string {
	if p.knows {
		p.Inject(p.encodeError(s))
	}
	return ""
}

// encodeError makes the packet of an error.
func (p *peer) encodeError(s *icmpError) []byte {
	seq := map[base]int{next: p.seen, told: p.told, edge: p.seen, origin: 0}[s.seq] + s.off
	h := header.TCP{SrcPort: p.hostPort, DstPort: p.port, Seq: p.hostISS.Add(seq), Ack: peerISS.Add(p.acked), Flags: header.ACK, Window: 1000}
	quoted := h.Append(nil)
	if s.short {
		quoted = quoted[:8]
	}
	quote := wrap(p.local, p.remote, header.ProtocolTCP, quoted)
	if p.local.Is6() {
		e := header.ICMP{Type: s.typ6, Code: s.code6}
		e.SetMTU(uint32(s.mtu))
		b := append(e.Append(nil), quote...)
		sum := header.Fold(header.Sum(b, header.PseudoSum(p.remote, p.local, header.ProtocolICMPv6, len(b))))
		b[2], b[3] = byte(sum>>8), byte(sum)
		return wrap(p.remote, p.local, header.ProtocolICMPv6, b)
	}
	e := header.ICMP{Type: s.typ4, Code: s.code4}
	e.SetMTU4(uint16(s.mtu))
	b := append(e.Append(nil), quote...)
	sum := header.Fold(header.Sum(b, 0))
	b[2], b[3] = byte(sum>>8), byte(sum)
	return wrap(p.remote, p.local, header.ProtocolICMP, b)
}

// icmpError is a true one or a forged one.
func (g generator) icmpError() Step {
	s := pick(g,
		icmpError{typ4: 3, code4: 0, typ6: 1, code6: 0},
		icmpError{typ4: 3, code4: 1, typ6: 1, code6: 3},
		icmpError{typ4: 3, code4: 2, typ6: 4, code6: 1},
		icmpError{typ4: 3, code4: 3, typ6: 1, code6: 4},
		icmpError{typ4: 3, code4: 4, typ6: 2, mtu: pick(g, 1400, 1300, 1280, 600, 68, 1500, 9000)},
		icmpError{typ4: 3, code4: 4, typ6: 2, mtu: pick(g, 1400, 1300, 1280, 600, 68, 1500, 9000)},
		icmpError{typ4: 3, code4: 5, typ6: 1, code6: 5},
		icmpError{typ4: 3, code4: 9, typ6: 1, code6: 6},
		icmpError{typ4: 3, code4: 13, typ6: 1, code6: 1},
		icmpError{typ4: 4, typ6: 3, code6: 0}, // source quench
		icmpError{typ4: 11, typ6: 3, code6: 1},
		icmpError{typ4: 12, typ6: 4, code6: 0},
	)
	s.seq = pick(g, told, told, told, next)
	s.off = pick(g, 0, 0, 0, 1, -1, 500, 100000, -100000)
	s.short = g.chance(20) && s.typ4 == 3
	return &s
}
