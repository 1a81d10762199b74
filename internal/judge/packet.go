package judge

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
)

// A Packet is a segment that the host has sent, with numbers that count from
// where each side began.
type Packet struct {
	Flags    header.TCPFlags
	Seq, Ack int
	Len      int
	Window   int // scaled
	Urgent   int
	SACK     [][2]int
	// MSS, WScale (-1: none) and SACKPermitted are those of a SYN.
	MSS, WScale   int
	SACKPermitted bool
	// HasTS: it has timestamps, and echoes one of the peer's, counted from the
	// first.
	HasTS bool
	Echo  int
	// Again: nothing in it is new.
	Again bool
	// Bad says what is wrong with it, if anything.
	Bad string
}

// end is the number after the last that the packet takes.
func (p *Packet) end() int {
	n := p.Seq + p.Len
	if p.Flags.Has(header.SYN) {
		n++
	}
	if p.Flags.Has(header.FIN) {
		n++
	}
	return n
}

// pure tells whether it is an acknowledgment and no more.
func (p *Packet) pure() bool {
	return p.Len == 0 && p.Flags&(header.SYN|header.FIN|header.RST) == 0
}

// String writes the packet as packetdrill does, with the window as open or shut.
func (p *Packet) String() string { return p.text(leave{}) }

// leave is what of packets is left out of the comparison.
type leave struct{ echo, sack bool }

func (p *Packet) text(out leave) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d:%d(%d)", letters(p.Flags), p.Seq, p.Seq+p.Len, p.Len)
	if p.Flags.Has(header.ACK) {
		fmt.Fprintf(&b, " ack %s", number(p.Ack))
	}
	if p.Window == 0 && !p.Flags.Has(header.RST) {
		b.WriteString(" win 0")
	}
	if p.Flags.Has(header.URG) {
		fmt.Fprintf(&b, " urg %d", p.Urgent)
	}
	var opts []string
	if p.Flags.Has(header.SYN) {
		opts = append(opts, fmt.Sprintf("mss %d", p.MSS))
		if p.SACKPermitted {
			opts = append(opts, "sackOK")
		}
		if p.WScale >= 0 {
			opts = append(opts, fmt.Sprintf("wscale %d", p.WScale))
		}
	}
	switch {
	case p.HasTS && out.echo:
		opts = append(opts, "TS")
	case p.HasTS:
		opts = append(opts, fmt.Sprintf("ecr %d", p.Echo))
	}
	for _, s := range p.SACK {
		if out.sack || p.Flags.Has(header.RST) { // to whom a reset comes, it is all the same
			break
		}
		opts = append(opts, fmt.Sprintf("sack %s:%s", number(s[0]), number(s[1])))
	}
	if len(opts) > 0 {
		fmt.Fprintf(&b, " <%s>", strings.Join(opts, ","))
	}
	if p.Again {
		b.WriteString(" again")
	}
	if p.Bad != "" {
		fmt.Fprintf(&b, " BAD: %s", p.Bad)
	}
	return b.String()
}

// letters are packetdrill's.
func letters(f header.TCPFlags) string {
	s := strings.ReplaceAll(f.String(), "A", ".")
	if strings.Contains(s, ".") && s != "." {
		s = strings.ReplaceAll(s, ".", "") + "."
	}
	return s
}

// parse reads a packet of the host; ok is false if it is none of the
// connection's.
func (p *peer) parse(b []byte) (out Packet, ok bool) {
	src, dst, protocol, body := open(b)
	if protocol != header.ProtocolTCP || src != p.local || dst != p.remote {
		return out, false
	}
	var h header.TCP
	payload, err := h.Parse(body)
	if err != nil || h.SrcPort != p.hostPort || h.DstPort != p.port {
		return out, false
	}
	if header.Fold(header.Sum(body, header.PseudoSum(src, dst, protocol, len(body)))) != 0 {
		out.Bad = "checksum"
	}
	if h.Flags.Has(header.SYN) && (!p.knows || h.Seq != p.hostISS) {
		p.knows, p.hostISS, p.seen, p.told = true, h.Seq, 0, 0
	}
	out.Flags, out.Len, out.Urgent = h.Flags, len(payload), int(h.Urgent)
	out.Seq = h.Seq.Sub(p.hostISS)
	if h.Flags.Has(header.RST) && h.Seq == 0 {
		out.Seq = 0 // of a reset without a connection
	}
	if h.Flags.Has(header.ACK) {
		out.Ack = p.own(h.Ack)
	}
	p.options(&h, &out)
	for i, x := range payload {
		if x != hostByte(out.Seq+i) {
			out.Bad = fmt.Sprintf("byte %d is %#x", out.Seq+i, x)
			break
		}
	}
	return out, true
}

// open reads the IP header of a packet. The protocol is 0 if it is none.
func open(b []byte) (src, dst netip.Addr, protocol uint8, body []byte) {
	var ip4 header.IPv4
	if body, err := ip4.Parse(b); err == nil {
		return ip4.Src, ip4.Dst, ip4.Protocol, body
	}
	var ip6 header.IPv6
	if body, err := ip6.Parse(b); err == nil {
		return ip6.Src, ip6.Dst, ip6.NextHeader, body
	}
	return src, dst, 0, nil
}

// options reads those of a packet.
func (p *peer) options(h *header.TCP, out *Packet) {
	o := &h.Options
	out.Window, out.WScale = int(h.Window), -1
	if h.Flags.Has(header.SYN) {
		out.MSS, out.SACKPermitted = int(o.MSS), o.SACKPermitted
		p.hostScale = 0
		if o.HasWScale {
			out.WScale, p.hostScale = int(o.WScale), int(o.WScale)
		}
	} else if p.syn.wscale >= 0 {
		out.Window <<= p.hostScale
	}
	if o.HasTS {
		out.HasTS, out.Echo = true, int(int32(o.TSEcr-peerTS))
		if o.TSEcr == 0 {
			out.Echo = 0
		}
		if !h.Flags.Has(header.RST) {
			p.tsEcho = o.TSVal
		}
	}
	for _, s := range o.SACK[:o.SACKCount] {
		out.SACK = append(out.SACK, [2]int{p.own(s.Left), p.own(s.Right)})
	}
}

// own counts a number of the peer's from its first, or if it is near the edge of
// the window, where the peer has sent something, from that edge.
func (p *peer) own(v seqnum.Value) int {
	n := v.Sub(peerISS)
	if d := n - p.atEdge; p.atEdge > 0 && -edgeRange < d && d < edgeRange {
		return edgeMark + d
	}
	return n
}

// edgeMark and what is around it stands for the edge.
const edgeMark, edgeRange = 1 << 28, 1 << 13

// number writes a number of the peer's.
func number(n int) string {
	if d := n - edgeMark; -edgeRange < d && d < edgeRange {
		return fmt.Sprintf("edge%+d", d)
	}
	return fmt.Sprint(n)
}

// see takes note of a packet of the host. PSH means something where the packet
// ends what was written; elsewhere it follows from how a host keeps its queue, and
// a FIN pushes as well.
func (p *player) see(k *Packet) {
	if k.Seq+k.Len != p.written || k.Len == 0 || k.Flags.Has(header.FIN) || p.more {
		k.Flags &^= header.PSH
	}
	k.Again = k.end() > k.Seq && k.end() <= p.seen
	if !k.Flags.Has(header.RST) {
		p.seen = max(p.seen, k.end())
		if k.Flags.Has(header.ACK) {
			p.acked = max(p.acked, k.Ack)
			p.edge = max(p.edge, k.Ack+k.Window)
		}
	}
	k.SACK = slices.Clone(k.SACK)
}

// hostByte is byte n, by its sequence number, of what the host's user writes.
func hostByte(n int) byte { return byte(n ^ n>>8 ^ 0x5a) }

// peerByte is that of what the peer sends.
func peerByte(n int) byte { return byte(n ^ n>>8) }

// Where the numbers of the peer begin: so that they wrap around early.
const (
	peerISS = seqnum.Value(0xffff_f800)
	peerTS  = uint32(0xffff_ff00)
)
