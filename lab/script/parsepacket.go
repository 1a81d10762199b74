package script

import (
	"strconv"
	"strings"

	"example.com/berth/internal/header"
)

// packet reads a packet, from the < or > on.
func (p *parser) packet() (*packet, error) {
	dir := p.next()
	k := &packet{pos: dir.pos, out: dir.is(">"), icmp: message{mtu: -1}}
	for _, layer := range []string{"ipv4", "ipv6", "gre", "GREv0", "mpls"} {
		if t := p.peek(); t.is(layer) {
			return nil, unsupported(t.pos, "packets within %s", layer)
		}
	}
	var err error
	if k.ip, err = p.ipInfo(k.out); err != nil {
		return nil, err
	}
	switch {
	case p.accept("udp"):
		k.protocol, err = header.ProtocolUDP, p.udp(k)
	case p.peek().is("icmp"):
		p.next()
		k.protocol, err = header.ProtocolICMP, p.icmp(k)
	case p.peek().is("sctp"):
		return nil, unsupported(p.peek().pos, "SCTP")
	case p.peek().is("["):
		// The older place of the packet that an ICMP error quotes.
		if err = p.echoed(k); err == nil {
			if err = p.expect("icmp"); err == nil {
				k.protocol, err = header.ProtocolICMP, p.icmp(k)
			}
		}
	default:
		k.protocol, err = header.ProtocolTCP, p.segment(k)
	}
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.is("{") {
		return nil, unsupported(t.pos, "packets that are damaged at random")
	}
	k.text = p.src[dir.first:p.tokens[p.at-1].last]
	return k, nil
}

// unsigned reads a number of so many bits.
func (p *parser) unsigned(what string, bits int) (uint64, error) {
	t := p.next()
	switch {
	case t.kind != integer && t.kind != hexadecimal:
		return 0, errorf(t.pos, "%s is expected, not %v", what, t)
	case t.num < 0 || uint64(t.num)>>bits != 0:
		return 0, errorf(t.pos, "%s %s is out of range", what, t.text)
	}
	return uint64(t.num), nil
}

// ipInfo reads what may stand in brackets about the IP header.
func (p *parser) ipInfo(out bool) (i ipInfo, err error) {
	end := "]"
	switch {
	case p.peek().is("(") && p.ahead(1).kind == word:
		end = ")"
	case p.peek().is("[") && p.ahead(1).kind == word && !p.ahead(1).is("udp") && !p.ahead(1).is("raw"):
	default:
		return i, nil
	}
	p.next()
	for {
		if err := p.ipItem(&i, out); err != nil {
			return i, err
		}
		if p.accept(end) {
			return i, nil
		}
		if err := p.expect(","); err != nil {
			return i, err
		}
	}
}

func (p *parser) ipItem(i *ipInfo, out bool) error {
	t := p.next()
	var v uint64
	var err error
	switch t.text {
	case "noecn", "ect1", "ect0", "ce":
		i.check = tosECN
		i.tos = map[string]uint8{"noecn": 0, "ect1": 1, "ect0": 2, "ce": 3}[t.text]
	case "ect01":
		if i.check = tosECT01; !out {
			return errorf(t.pos, "[ect01] is for packets that go out")
		}
	case "tos":
		v, err = p.unsigned("a traffic class", 8)
		i.check, i.tos = tosWhole, uint8(v)
	case "flowlabel":
		v, err = p.unsigned("a flow label", 20)
		i.label = uint32(v)
	case "ttl":
		v, err = p.unsigned("a hop limit", 8)
		i.ttl = uint8(v)
	default:
		return errorf(t.pos, "ect0, ect1, ect01, ce, noecn, tos, ttl or flowlabel is expected, not %v", t)
	}
	return err
}

// ports reads "1000 > 2000", if it stands here.
func (p *parser) ports(k *packet) error {
	if p.peek().kind != integer || !p.ahead(1).is(">") {
		return nil
	}
	src, err := p.unsigned("a port", 16)
	if err != nil {
		return err
	}
	p.next()
	dst, err := p.unsigned("a port", 16)
	k.srcPort, k.dstPort = uint16(src), uint16(dst)
	return err
}

// udp reads what follows that word: ports, and the length in parentheses.
func (p *parser) udp(k *packet) error {
	if err := p.ports(k); err != nil {
		return err
	}
	return p.parenthesised(&k.payload)
}

// parenthesised reads a length in parentheses.
func (p *parser) parenthesised(n *int) error {
	if err := p.expect("("); err != nil {
		return err
	}
	v, err := p.unsigned("a length", 16)
	if err != nil {
		return err
	}
	*n = int(v)
	return p.expect(")")
}

// sequence reads seq:seq(len).
func (p *parser) sequence(seq *uint32, n *int) error {
	at := p.peek().pos
	first, err := p.unsigned("a sequence number", 32)
	if err != nil {
		return err
	}
	if err := p.expect(":"); err != nil {
		return err
	}
	last, err := p.unsigned("a sequence number", 32)
	if err != nil {
		return err
	}
	if err := p.parenthesised(n); err != nil {
		return err
	}
	if *seq = uint32(first); *seq+uint32(*n) != uint32(last) {
		return errorf(at, "%d and %d do not differ by the length %d", first, last, *n)
	}
	return nil
}

// segment reads a TCP segment.
func (p *parser) segment(k *packet) error {
	if err := p.ports(k); err != nil {
		return err
	}
	if err := p.flags(&k.tcp); err != nil {
		return err
	}
	if err := p.sequence(&k.tcp.seq, &k.payload); err != nil {
		return err
	}
	s := &k.tcp
	if p.accept("ack") {
		v, err := p.unsigned("an acknowledgment number", 32)
		if s.ack = uint32(v); err != nil {
			return err
		}
	}
	if p.accept("win") {
		v, err := p.unsigned("a window", 16)
		if s.win, s.hasWin = uint16(v), true; err != nil {
			return err
		}
	}
	if p.accept("urg") {
		v, err := p.unsigned("an urgent pointer", 16)
		if s.urg = uint16(v); err != nil {
			return err
		}
	}
	// "<" begins options here, since the next event begins with a time.
	if p.accept("<") {
		return p.tcpOptions(k)
	}
	return nil
}

var flagLetters = map[byte]header.TCPFlags{
	'F': header.FIN, 'S': header.SYN, 'R': header.RST, 'P': header.PSH, '.': header.ACK,
	'U': header.URG, 'E': header.ECE, 'W': header.CWR, 'A': header.AE, 'C': header.CWR,
}

// flags reads the flags: letters, a dot for ACK, "-" for none, and for AccECN the
// three flags of its counter as a number behind the dot.
func (p *parser) flags(s *segment) error {
	first := p.next()
	if first.is("-") {
		return nil
	}
	letters := first.text
	if first.kind == word && !p.peek().space && (p.peek().is(".") || p.peek().kind == float) {
		letters += p.next().text
	}
	for i := range len(letters) {
		if f, ok := flagLetters[letters[i]]; ok {
			s.flags |= f
			continue
		}
		ace, err := strconv.Atoi(letters[i:])
		if err != nil || ace > 7 || !strings.HasSuffix(letters[:i], ".") {
			return errorf(first.pos, "%q are not TCP flags: they are of SFRPUEWA and '.', or '-'", letters)
		}
		s.ace = true
		for bit, f := range []header.TCPFlags{header.ECE, header.CWR, header.AE} {
			if ace>>bit&1 != 0 {
				s.flags |= f
			}
		}
		return nil
	}
	return nil
}

// icmp reads what follows that word: type, code, MTU, id, and the packet quoted.
func (p *parser) icmp(k *packet) error {
	t := p.next()
	if t.kind != word {
		return errorf(t.pos, "the type of an ICMP message is expected, not %v", t)
	}
	k.icmp.kind = t.text
	if t := p.peek(); t.kind == word && !t.is("mtu") && !t.is("id") {
		k.icmp.code = p.next().text
	}
	if p.accept("mtu") {
		v, err := p.unsigned("an MTU", 32)
		if k.icmp.mtu = int(v); err != nil {
			return err
		}
	}
	if p.accept("id") {
		v, err := p.unsigned("an identifier", 16)
		if k.icmp.id = int(v); err != nil {
			return err
		}
	}
	if p.peek().is("[") {
		return p.echoed(k)
	}
	return nil
}

// echoed reads the packet that an ICMP error quotes: [1:1001(1000)], [udp (10)].
func (p *parser) echoed(k *packet) error {
	if k.hasEchoed {
		return errorf(p.peek().pos, "a second packet in one ICMP message")
	}
	p.next()
	k.hasEchoed = true
	var err error
	switch {
	case p.accept("udp"):
		k.echoed.protocol, err = header.ProtocolUDP, p.parenthesised(&k.echoed.payload)
	case p.accept("raw"):
		err = p.parenthesised(&k.echoed.payload)
	default:
		k.echoed.protocol, err = header.ProtocolTCP, p.sequence(&k.echoed.seq, &k.echoed.payload)
	}
	if err != nil {
		return err
	}
	return p.expect("]")
}
