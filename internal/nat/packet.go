package nat

import (
	"encoding/binary"

	"example.com/berth/internal/header"
)

// A packet is what the translator sees of one, or of one that an ICMP error
// quotes: its two endpoints, and where they are written.
type packet struct {
	b        []byte // from the IP header on
	body     []byte // what follows that, as much as there is
	protocol uint8
	id       uint16 // the identification
	more     bool   // more fragments follow
	offset   int    // of a fragment, in bytes
	flags    header.TCPFlags
	icmpType uint8
	isError  bool // an ICMP error
	src, dst endpoint
	// Where in body the ports and the checksum are; -1 for nowhere.
	srcAt, dstAt, sumAt int
}

// Offsets in the IP header.
const (
	sumInIP = 10
	srcInIP = 12
	dstInIP = 16
)

// parseIP reads the IP header.
func (p *packet) parseIP(b []byte) Reason {
	var ip header.IPv4
	body, err := ip.Parse(b)
	if err != nil {
		return BadHeader
	}
	p.take(&ip, b, body)
	return None
}

// parseQuoted reads a packet that an ICMP error quotes, which may be cut short
// behind the first 8 bytes of its transport. It must show what is to be
// translated, and its header must be undamaged (RFC 5508 REQ-3a, b).
func (p *packet) parseQuoted(b []byte) Reason {
	var ip header.IPv4
	body, err := ip.ParseQuoted(b)
	if err != nil || ip.Offset > 0 || header.Fold(header.Sum(b[:ip.HeaderLen()], 0)) != 0 {
		return BadError
	}
	p.take(&ip, b, body)
	if len(body) < 8 || p.parsePorts() != None || p.isError {
		return BadError
	}
	return None
}

func (p *packet) take(ip *header.IPv4, b, body []byte) {
	*p = packet{
		b: b[:ip.HeaderLen()+len(body)], body: body,
		protocol: ip.Protocol, id: ip.ID, more: ip.MF, offset: ip.Offset,
		src: join(ip.Protocol, word(ip.Src), 0), dst: join(ip.Protocol, word(ip.Dst), 0),
		srcAt: -1, dstAt: -1, sumAt: -1,
	}
}

// parseTransport reads the transport's header. A later fragment has none, and
// must not lie over one.
func (p *packet) parseTransport() Reason {
	least := header.ICMPLen
	switch p.protocol {
	case header.ProtocolTCP:
		least = header.TCPMinLen
	case header.ProtocolUDP, header.ProtocolICMP:
	default:
		return Unsupported
	}
	switch {
	case p.offset > 0 && p.offset < least:
		return Truncated
	case p.offset > 0:
		return None
	case len(p.body) < least:
		return Truncated
	}
	return p.parsePorts()
}

// parsePorts reads the ports of a body of at least 8 bytes, and finds the
// checksum if it is there.
func (p *packet) parsePorts() Reason {
	switch p.protocol {
	case header.ProtocolTCP:
		p.srcAt, p.dstAt, p.sumAt = 0, 2, 16
		if len(p.body) > 13 {
			p.flags = header.TCPFlags(p.body[13])
		}
	case header.ProtocolUDP:
		p.srcAt, p.dstAt, p.sumAt = 0, 2, 6
	case header.ProtocolICMP:
		if r := p.parseICMP(); r != None {
			return r
		}
	default:
		return Unsupported
	}
	if p.sumAt+2 > len(p.body) {
		p.sumAt = -1
	}
	if p.srcAt >= 0 {
		p.src = p.src.with(binary.BigEndian.Uint16(p.body[p.srcAt:]))
	}
	if p.dstAt >= 0 {
		p.dst = p.dst.with(binary.BigEndian.Uint16(p.body[p.dstAt:]))
	}
	return None
}

// parseICMP finds the identifier of a query. It stands for a port of who asks:
// of a request the source, of a reply the destination.
func (p *packet) parseICMP() Reason {
	p.icmpType, p.sumAt = p.body[0], 2
	switch p.icmpType {
	case header.ICMPv4EchoRequest, header.ICMPv4Timestamp, header.ICMPv4AddressMask:
		p.srcAt = 4
	case header.ICMPv4EchoReply, header.ICMPv4TimestampReply, header.ICMPv4AddressMaskReply:
		p.dstAt = 4
	default:
		p.isError = header.ICMPv4IsError(p.icmpType)
		// A redirect is of one link, and is not forwarded (RFC 5508 REQ-11).
		if !p.isError || p.icmpType == header.ICMPv4Redirect {
			return Unsupported
		}
	}
	return None
}

// opens tells whether a packet from inside may begin a mapping.
func (p *packet) opens() bool { return p.flags&header.RST == 0 }

// isReply tells whether the packet answers a query of ICMP.
func (p *packet) isReply() bool { return p.protocol == header.ProtocolICMP && p.dstAt >= 0 }

// setSrc and setDst write an endpoint in place of another.
func (p *packet) setSrc(e endpoint) {
	p.rewrite(srcInIP, p.srcAt, p.src, e)
	p.src = e
}

func (p *packet) setDst(e endpoint) {
	p.rewrite(dstInIP, p.dstAt, p.dst, e)
	p.dst = e
}

func (p *packet) rewrite(addrAt, portAt int, was, is endpoint) {
	binary.BigEndian.PutUint32(p.b[addrAt:], is.addr())
	update(p.b[sumInIP:], was.sum(), is.sum())
	var from, to uint32
	if hasPorts(p.protocol) { // the pseudo-header
		from, to = was.sum(), is.sum()
	}
	if portAt >= 0 {
		binary.BigEndian.PutUint16(p.body[portAt:], is.port())
		from, to = from+uint32(was.port()), to+uint32(is.port())
	}
	if p.sumAt < 0 {
		return
	}
	sum := p.body[p.sumAt:]
	none := sum[0] == 0 && sum[1] == 0
	if p.protocol == header.ProtocolUDP && none {
		return // there is no checksum (RFC 768)
	}
	update(sum, from, to)
	if sum[0] != 0 || sum[1] != 0 {
		return
	}
	// Ones' complement has two zeros. UDP never sends the one that says that
	// there is no checksum. And of a message of nothing but zeros, which only a
	// reply of ICMP can be, the sum is the other one.
	if p.protocol == header.ProtocolUDP || p.protocol == header.ProtocolICMP && allZero(p.body) {
		sum[0], sum[1] = 0xff, 0xff
	}
}

// update changes a checksum for bytes whose partial sum has changed.
func update(field []byte, was, is uint32) {
	if was != is {
		binary.BigEndian.PutUint16(field, header.UpdateChecksum(binary.BigEndian.Uint16(field), was, is))
	}
}

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}
