package berth_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// FuzzHostInput brings arbitrary frames into a host that has sockets of all
// kinds. Whatever comes, the host sends nothing malformed, never more than a
// few packets for one, and no answer where there must be none.
//
// The first byte says whether the link is Ethernet, whether checksums are
// put right, so that what is wrong lies deeper, and whether the host has a
// Forwarder. Each frame is preceded by its
// length in two bytes and by the length of its first piece in one: what devices
// hand in may lie in two.
func FuzzHostInput(f *testing.F) {
	for _, frames := range inputSeeds() {
		for mode := range byte(8) {
			data, medium := []byte{mode}, mode&1
			for _, b := range frames {
				if medium == 1 {
					b = ethernetFrame(b)
				}
				for _, head := range []byte{0, byte(14*int(medium) + 40)} {
					data = binary.BigEndian.AppendUint16(data, uint16(len(b)))
					data = append(append(data, head), b...)
				}
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 4 {
			return
		}
		synctest.Test(t, func(t *testing.T) { fuzzInput(t, data[0], data[1:]) })
	})
}

// inputLimits bound what one frame may bring about at once: an answer and what
// goes before it to find the way, or the fragments of a long echo reply.
const (
	maxAnswers     = 4
	maxFragments   = 64
	maxFuzzFrames  = 32
	fuzzAfterwards = 10 * time.Minute
)

func fuzzInput(t *testing.T, mode byte, data []byte) {
	var opts []wire.Option
	if mode&1 != 0 {
		opts = append(opts, wire.Ethernet())
	}
	cfg := berth.Config{Seed: [32]byte{1}, IPv6: berth.IPv6Config{AcceptRouters: true}}
	if mode&4 != 0 {
		cfg.Forwarder = answerSomehow
	}
	h, st := stationed(t, cfg, opts...)
	fuzzSockets(t, h, st)
	st.take(nil)
	for range maxFuzzFrames {
		if len(data) < 3 {
			break
		}
		n, cut := min(int(binary.BigEndian.Uint16(data)), len(data)-3), int(data[2])
		b := bytes.Clone(data[3 : 3+n])
		data = data[3+n:]
		p, group := b, false
		if mode&1 != 0 && n > header.EthernetLen {
			p, group = b[header.EthernetLen:], b[0]&1 == 1
		}
		if mode&2 != 0 {
			repair(p)
		}
		fr := link.Frame{Payload: b}
		if cut > 0 && cut <= n {
			fr.Head, fr.Payload = b[:cut:cut], b[cut:]
		}
		judge(t, p, group, func() { st.dev.Output([]link.Frame{fr}) }, st)
	}
	time.Sleep(fuzzAfterwards)
}

// answerSomehow answers a flow in a way that depends on where it goes.
func answerSomehow(f *berth.Flow) {
	switch f.Dst.Addr().As16()[15] % 8 {
	case 0:
		f.Refuse()
	case 1:
		f.Prohibit()
	case 2:
		f.Drop()
	case 3: // nothing: it is forgotten
	case 4:
		f.Reply()
	default:
		if s, err := f.Accept(); err == nil {
			time.AfterFunc(time.Minute, func() { s.Close() })
		}
	}
}

// fuzzSockets gives the host a listener, a connection, and sockets of UDP, ICMP
// and raw ones, some of them in groups.
func fuzzSockets(t *testing.T, h *berth.Host, st *station) {
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, local := range []netip.Addr{alice4, alice6} {
		d := domainOf(local)
		listenOn(t, h, netip.AddrPortFrom(local, 80), 2)
		u := newSocket(t, h, d, socket.DGRAM, 0)
		id, proto, option, group := uint16(99), socket.IPPROTO_ICMP, socket.IP_ADD_MEMBERSHIP, groupA4
		if local.Is6() {
			id, proto, option, group = 98, socket.IPPROTO_ICMPV6, socket.IPV6_JOIN_GROUP, groupA6
			must(socket.Set(u, socket.IPV6_V6ONLY, 1))
		}
		must(u.Bind(netip.AddrPortFrom(netip.Addr{}, 53)))
		must(socket.Set(u, option, socket.Group{Group: group, Interface: 2}))
		newSocket(t, h, d, socket.RAW, proto)
		ping := newSocket(t, h, d, socket.DGRAM, proto)
		must(ping.Bind(netip.AddrPortFrom(netip.Addr{}, id)))
	}
	st.serve()
	for _, remote := range []netip.Addr{bob4, bob6} {
		c := newSocket(t, h, domainOf(remote), socket.STREAM, 0)
		must(c.Connect(t.Context(), netip.AddrPortFrom(remote, 443)))
	}
	st.onPacket(nil)
	st.mu.Lock()
	st.blind = false
	st.mu.Unlock()
}

// judge brings a frame in, whose packet is b, and holds what the host answers
// to the rules.
func judge(t *testing.T, b []byte, group bool, input func(), st *station) {
	q := question(b, group)
	input()
	answers := st.take(nil)
	limit := maxAnswers
	if q.fragment {
		limit = maxFragments
	}
	if len(answers) > limit {
		t.Errorf("%d answers to %x", len(answers), b)
	}
	for _, a := range answers {
		icmpError := a.protocol == header.ProtocolICMP && header.ICMPv4IsError(a.payload[0]) ||
			a.protocol == header.ProtocolICMPv6 && header.ICMPv6IsError(a.payload[0])
		switch {
		case a.arp != nil || q.fragment: // what is answered is not this frame alone
		case q.reset && a.isTCP(header.RST), q.reset && a.isTCP(header.RST|header.ACK):
			t.Errorf("a reset is answered with a reset: %x, %x", b, a.frame)
		case q.icmpError && icmpError:
			t.Errorf("an ICMP error is answered with one: %x, %x", b, a.frame)
		case q.group && icmpError && a.dst.Is4():
			t.Errorf("a packet to a group is answered with an ICMP error: %x, %x", b, a.frame)
		case q.group && a.protocol == header.ProtocolTCP:
			t.Errorf("a segment to a group is answered: %x, %x", b, a.frame)
		case q.badChecksum && a.protocol != header.ProtocolIGMP && !solicits(a) && !aboutOptions(a):
			t.Errorf("a bad checksum is answered: %x, %x", b, a.frame)
		}
	}
}

func solicits(p *packet) bool {
	_, ok := p.solicit()
	return ok
}

// aboutOptions tells whether an answer is an error about the options of the IPv4
// header that was asked in, which are looked at before the checksum of what is
// behind them.
func aboutOptions(p *packet) bool {
	if p.protocol != header.ProtocolICMP || len(p.payload) <= header.ICMPLen || p.payload[header.ICMPLen]&15 <= 5 {
		return false
	}
	switch p.payload[0] {
	case header.ICMPv4ParameterProblem:
		return p.payload[4] >= header.IPv4MinLen
	case header.ICMPv4Unreachable:
		return p.payload[1] == header.ICMPv4SourceRouteFailed
	}
	return false
}

// asked is what a frame is that must not be answered in some way.
type asked struct{ reset, icmpError, group, badChecksum, fragment bool }

// outline reads a packet apart from the code that is tested, as far as it is
// simple: of one with extension headers, or a fragment, only that it is.
func outline(b []byte) (p packet, fragment, ok bool) {
	switch {
	case len(b) >= 20 && b[0]>>4 == 4:
		hlen := int(b[0]&15) * 4
		length := int(binary.BigEndian.Uint16(b[2:]))
		if hlen < 20 || length < hlen || length > len(b) {
			return p, false, false
		}
		p.src, p.dst = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
		p.protocol, p.payload = b[9], b[hlen:length]
		fragment = binary.BigEndian.Uint16(b[6:])&0x3fff != 0
	case len(b) >= 40 && b[0]>>4 == 6:
		length := int(binary.BigEndian.Uint16(b[4:]))
		if length > len(b)-40 {
			return p, false, false
		}
		p.src, p.dst = netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
		p.protocol, p.payload = b[6], b[40:40+length]
		fragment = b[6] == 0 || b[6] == 43 || b[6] == 44 || b[6] == 60
	default:
		return p, false, false
	}
	return p, fragment, true
}

// repair puts the checksums of a packet right.
func repair(b []byte) {
	p, fragment, ok := outline(b)
	if !ok {
		return
	}
	if p.dst.Is4() {
		hlen := int(b[0]&15) * 4
		b[10], b[11] = 0, 0
		binary.BigEndian.PutUint16(b[10:], header.Fold(header.Sum(b[:hlen], 0)))
	}
	at, known := map[uint8]int{header.ProtocolTCP: 16, header.ProtocolUDP: 6, header.ProtocolICMP: 2, header.ProtocolIGMP: 2, header.ProtocolICMPv6: 2}[p.protocol]
	if !known || fragment || len(p.payload) < at+2 {
		return
	}
	binary.BigEndian.PutUint16(p.payload[at:], 0)
	acc := uint32(0)
	if p.protocol != header.ProtocolICMP && p.protocol != header.ProtocolIGMP {
		acc = header.PseudoSum(p.src, p.dst, p.protocol, len(p.payload))
	}
	binary.BigEndian.PutUint16(p.payload[at:], header.Fold(header.Sum(p.payload, acc)))
}

// question tells what a packet asks for.
func question(b []byte, group bool) (q asked) {
	p, fragment, ok := outline(b)
	q.group, q.fragment = group, fragment
	if !ok || fragment {
		return q
	}
	q.group = group || p.dst.IsMulticast() || p.dst == netip.MustParseAddr("10.0.0.255") || p.dst == netip.MustParseAddr("255.255.255.255")
	if len(p.payload) < 8 {
		return q
	}
	switch p.protocol {
	case header.ProtocolTCP:
		q.reset = len(p.payload) >= 20 && p.payload[13]&4 != 0
		q.badChecksum = !p.checksumGood()
	case header.ProtocolICMP:
		q.icmpError = header.ICMPv4IsError(p.payload[0])
		q.badChecksum = !p.checksumGood() && p.dst.Is4()
	case header.ProtocolICMPv6:
		q.icmpError = header.ICMPv6IsError(p.payload[0])
		q.badChecksum = !p.checksumGood() && p.dst.Is6()
	}
	if p.protocol == header.ProtocolICMP && p.dst.Is6() || p.protocol == header.ProtocolICMPv6 && p.dst.Is4() {
		q.icmpError = false // just a protocol that nobody has
	}
	return q
}

func ethernetFrame(b []byte) []byte {
	eth := header.Ethernet{Dst: hostMAC, Src: stationMAC, Type: header.EtherTypeIPv4}
	switch {
	case b[0]>>4 == 6:
		eth.Type = header.EtherTypeIPv6
		if dst := netip.AddrFrom16([16]byte(b[24:])); dst.IsMulticast() {
			eth.Dst = header.MulticastMAC(dst)
		}
	case b[0]>>4 != 4:
		eth.Type = header.EtherTypeARP
	}
	return append(eth.Append(nil), b...)
}

// inputSeeds are valid packets of every kind, in groups that belong together.
func inputSeeds() [][][]byte {
	ll := netip.MustParseAddr("fe80::2")
	message := func(src, dst netip.Addr, b []byte) []byte {
		p := packet{src: src, dst: dst, protocol: header.ProtocolICMP, payload: b, ttl: 255}
		if dst.Is6() {
			p.protocol = header.ProtocolICMPv6
			header.PutICMPv6Checksum(b, src, dst)
		} else {
			header.PutICMPv4Checksum(b)
		}
		return encode(p)
	}
	segment := func(flags header.TCPFlags, from, to uint16, data string) []byte {
		src, dst := netip.AddrPortFrom(bob4, from), netip.AddrPortFrom(alice4, to)
		h := header.TCP{Flags: flags, Seq: 100, Ack: 1, Window: 1000}
		return encode(packet{src: bob4, dst: alice4, protocol: header.ProtocolTCP, payload: tcpSegment(src, dst, h, []byte(data))})
	}
	segmentTo := func(dst netip.AddrPort, flags header.TCPFlags) []byte {
		src := netip.AddrPortFrom(bob4, 5001)
		h := header.TCP{Flags: flags, Seq: 100, Ack: 1, Window: 1000}
		return encode(packet{src: bob4, dst: dst.Addr(), protocol: header.ProtocolTCP, payload: tcpSegment(src, dst, h, nil)})
	}
	datagram := func(src, dst netip.Addr, to uint16) []byte {
		b := udpDatagram(netip.AddrPortFrom(src, 9), netip.AddrPortFrom(dst, to), []byte("hello"))
		return encode(packet{src: src, dst: dst, protocol: header.ProtocolUDP, payload: b})
	}
	echo4 := header.ICMP{Type: header.ICMPv4EchoRequest}
	echo6 := header.ICMP{Type: header.ICMPv6EchoRequest}
	port4 := header.ICMP{Type: header.ICMPv4Unreachable, Code: header.ICMPv4PortUnreachable}
	big4 := header.ICMP{Type: header.ICMPv4Unreachable, Code: header.ICMPv4FragmentationNeeded}
	big4.SetMTU4(600)
	big6 := header.ICMP{Type: header.ICMPv6PacketTooBig}
	big6.SetMTU(1280)
	quote4 := encode(packet{src: alice4, dst: bob4, protocol: header.ProtocolUDP, payload: udpDatagram(netip.AddrPortFrom(alice4, 53), netip.AddrPortFrom(bob4, 9), nil)})
	quote6 := encode(packet{src: alice6, dst: bob6, protocol: header.ProtocolUDP, payload: udpDatagram(netip.AddrPortFrom(alice6, 53), netip.AddrPortFrom(bob6, 9), nil)})
	ns := header.NeighborSolicit{Target: alice6, HasSourceHW: true, SourceHW: stationMAC}
	na := header.NeighborAdvert{Target: bob6, Override: true, HasTargetHW: true, TargetHW: stationMAC}
	ra := header.RouterAdvert{
		CurHopLimit: 33, RouterLifetime: time.Hour, HasSourceHW: true, SourceHW: stationMAC, MTU: 1400,
		Prefixes: []header.PrefixInfo{{Prefix: netip.MustParsePrefix("2001:db8::/64"), OnLink: true, Autonomous: true, Valid: time.Hour, Preferred: time.Hour}},
		RDNSS:    []header.RDNSS{{Lifetime: time.Hour, Servers: []netip.Addr{bob6}}},
	}
	igmp := header.IGMPQuery{Version: 3, MaxResp: time.Second, Group: netip.IPv4Unspecified()}
	mld := header.MLDQuery{Version: 2, MaxResp: time.Second, Group: netip.IPv6Unspecified()}
	arp := header.ARP{Op: header.ARPRequest, SenderHW: stationMAC, Sender: bob4, Target: alice4}
	half := func(dst netip.Addr, off int, more bool) []byte {
		src := bob4
		if dst.Is6() {
			src = bob6
		}
		b := udpDatagram(netip.AddrPortFrom(src, 9), netip.AddrPortFrom(dst, 53), make([]byte, 24))
		p := packet{src: src, dst: dst, protocol: header.ProtocolUDP, payload: b[off:min(off+16, len(b))], offset: off, mf: more, id: 7}
		return encode(p)
	}
	return [][][]byte{
		{segment(header.SYN, 5000, 80, ""), segment(header.ACK, 5000, 80, "GET /"), segment(header.FIN|header.ACK, 5000, 80, "")},
		{segment(header.RST, 443, 80, ""), segment(header.ACK, 443, 32768, "x"), segment(header.SYN, 1, 2, "")},
		{datagram(bob4, alice4, 53), datagram(bob4, alice4, 54), datagram(bob4, groupA4, 53), datagram(bob4, netip.MustParseAddr("10.0.0.255"), 53)},
		{datagram(bob6, alice6, 53), datagram(bob6, alice6, 54), datagram(bob6, groupA6, 53)},
		{message(bob4, alice4, echo4.Append(nil)), message(bob6, alice6, echo6.Append(nil))},
		{message(bob4, alice4, append(port4.Append(nil), quote4...)), message(bob4, alice4, append(big4.Append(nil), quote4...))},
		{message(bob6, alice6, append(big6.Append(nil), quote6...))},
		{message(bob6, alice6, ns.Append(nil)), message(bob6, alice6, na.Append(nil)), message(ll, netip.MustParseAddr("ff02::1"), ra.Append(nil))},
		{encode(packet{src: bob4, dst: netip.MustParseAddr("224.0.0.1"), ttl: 1, protocol: header.ProtocolIGMP, alert: true, payload: igmp.Append(nil)})},
		{message(ll, netip.MustParseAddr("ff02::1"), mld.Append(nil))},
		{arp.Append(nil)},
		{half(alice4, 16, false), half(alice4, 0, true)},
		{half(alice6, 16, false), half(alice6, 0, true)},
		{segmentTo(netip.MustParseAddrPort("198.51.100.5:80"), header.SYN), segmentTo(netip.MustParseAddrPort("198.51.100.5:80"), header.ACK)},
		{segmentTo(netip.MustParseAddrPort("198.51.100.8:80"), header.SYN), datagram(bob4, netip.MustParseAddr("198.51.100.6"), 53), datagram(bob6, netip.MustParseAddr("2001:db8::9"), 53)},
		{message(bob4, netip.MustParseAddr("198.51.100.4"), echo4.Append(nil)), message(bob6, netip.MustParseAddr("2001:db8::4"), echo6.Append(nil))},
		{half(netip.MustParseAddr("198.51.100.7"), 16, false), half(netip.MustParseAddr("198.51.100.7"), 0, true)},
		{encode(packet{src: bob4, dst: alice4, protocol: header.ProtocolTCP, options: "\x30\x30\x30\x30", payload: make([]byte, 8)})}, // options past the header's end, and a bad checksum behind
		{encode(packet{src: bob4, dst: alice4, protocol: header.ProtocolTCP, options: "\x83\x07\x04\x0a\x00\x00\x09\x00", payload: make([]byte, 20)})},
		{encode(packet{src: bob4, dst: alice4, protocol: 132, payload: []byte("sctp")}), encode(packet{src: bob6, dst: alice6, protocol: 132, payload: []byte("sctp")})},
	}
}
