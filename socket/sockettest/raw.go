package sockettest

import (
	"encoding/binary"
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

// testing1 and testing2 are protocol numbers for experiments (RFC 3692).
const testing1, testing2 = socket.Protocol(253), socket.Protocol(254)

var rawCases = needingRaw(
	both("raw/protocol", "packets of the socket's protocol are received, and no others", rawProtocol),
	on4("raw/header", "what is received over IPv4 begins with the IP header, in network byte order", rawHeader4),
	on6("raw/no-header", "what is received over IPv6 has no IP header", rawNoHeader6),
	both("raw/empty", "a packet may be empty", rawEmpty),
	both("raw/fragments", "a packet longer than the MTU arrives whole", rawFragments),
	both("raw/copies", "every raw socket of the protocol gets a copy", rawCopies),
	both("raw/beside-udp", "a raw socket hears UDP beside the UDP socket", rawBesideUDP),
	both("raw/bound", "a bound socket takes what is sent to its address only", rawBound),
	both("raw/connected", "a connected socket takes what its peer sends only", rawConnected),
	both("raw/ports", "the port of a raw socket's address is 0, whatever was given", rawPorts),
	both("raw/no-destination", "without destination or peer it is EDESTADDRREQ", rawNoDestination),
	both("raw/accept", "Accept is EOPNOTSUPP", rawAccept),
	both("raw/echo", "an echo request is answered by the host", rawEcho),
	both("raw/control", "TTL, TOS and PktInfo come and go as with datagrams", rawControl),
	on4("raw/hdrincl", "with IP_HDRINCL the caller writes the IP header; length, checksum, and a zero source and ID are filled in", rawHdrincl),
	on4("raw/hdrincl-short", "a header too short for one is EINVAL", rawHdrinclShort),
	on4("raw/hdrincl-too-long", "with IP_HDRINCL a packet longer than the MTU is EMSGSIZE", rawHdrinclTooLong).needing(link),
	on4("raw/ipproto-raw", "IPPROTO_RAW has IP_HDRINCL on, and receives nothing", rawIPProtoRaw),
	on4("raw/icmp-filter", "ICMP_FILTER keeps types out", rawICMPFilter4),
	on6("raw/icmp-filter-v6", "ICMPV6_FILTER keeps types out", rawICMPFilter6),
	both("raw/icmp-filter-other", "the filter of ICMP on another protocol is EOPNOTSUPP", rawICMPFilterOther),
	on6("raw/icmp-checksum", "the checksum of ICMPv6 is filled in", rawICMPChecksum6),
	on6("raw/icmp-checksum-fixed", "IPV6_CHECKSUM of an ICMPv6 socket cannot be set: EINVAL", rawICMPChecksumFixed),
	on6("raw/checksum", "IPV6_CHECKSUM fills a checksum in where it is told to", rawChecksum6),
	on6("raw/checksum-verified", "IPV6_CHECKSUM drops what comes with a wrong checksum", rawChecksumVerified6),
	on6("raw/checksum-range", "IPV6_CHECKSUM is even, or -1 for none, which is the default", rawChecksumRange6),
	on4("raw/protocol-unreachable", "a host without the protocol makes Recv ENOPROTOOPT", rawProtocolUnreachable4),
	on6("raw/protocol-unreachable-v6", "a host without the protocol makes Recv EPROTO", rawProtocolUnreachable6),
	both("raw/shutdown", "Shutdown without a peer is ENOTCONN", rawShutdown),
)

// needingRaw makes every case need raw sockets.
func needingRaw(tables ...rows) []rows {
	for i := range tables {
		tables[i] = tables[i].needing(raw)
	}
	return tables
}

// rawReceives fails unless the next payload is want.
func (t *T) rawReceives(s socket.Socket, f family, want string) {
	t.Helper()
	packet, _ := t.next(s, f, whatever)
	if got := string(f.payload(packet)); got != want {
		t.Errorf("received %q, want %q", got, want)
	}
}

func rawProtocol(t *T, f family) {
	a1, b1 := t.rawPair(f, testing1)
	a2, b2 := t.rawPair(f, testing2)
	t.send(a1, "one")
	t.send(a2, "two")
	t.rawReceives(b2, f, "two")
	t.rawReceives(b1, f, "one")
	t.nothing(b1)
	t.nothing(b2)
}

func rawHeader4(t *T, f family) {
	a, b := t.rawPair(f, testing1)
	set(t, a, socket.IP_TTL, 33)
	set(t, a, socket.IP_TOS, 0x28)
	t.send(a, "payload")
	p, from := t.next(b, f, whatever)
	equal(t, "sender", from, at(f.a, 0))
	equal(t, "version and header length", p[0], 0x45)
	equal(t, "TOS", p[1], 0x28)
	equal(t, "total length", int(binary.BigEndian.Uint16(p[2:])), len(p))
	equal(t, "length", len(p), 20+len("payload"))
	equal(t, "TTL", p[8], 33)
	equal(t, "protocol", p[9], byte(testing1))
	equal(t, "header checksum", checksum(p[:20]), 0)
	equal(t, "source", netip.AddrFrom4([4]byte(p[12:16])), f.a)
	equal(t, "destination", netip.AddrFrom4([4]byte(p[16:20])), f.b)
	equal(t, "payload", string(p[20:]), "payload")
}

func rawNoHeader6(t *T, f family) {
	a, b := t.rawPair(f, testing1)
	t.send(a, "payload")
	p, from := t.next(b, f, whatever)
	equal(t, "sender", from, at(f.a, 0))
	equal(t, "payload", string(p), "payload")
}

func rawEmpty(t *T, f family) {
	a, b := t.rawPair(f, testing1)
	t.send(a, "")
	t.rawReceives(b, f, "")
}

func rawFragments(t *T, f family) {
	a, b := t.rawPair(f, testing1)
	for _, n := range []int{1480, 1481, 5000} {
		data := string(pattern(n))
		t.send(a, data)
		t.rawReceives(b, f, data)
	}
}

func rawCopies(t *T, f family) {
	a, b := t.rawPair(f, testing1)
	also := t.raw(t.B, f, testing1)
	t.send(a, "x")
	t.rawReceives(b, f, "x")
	t.rawReceives(also, f, "x")
}

func rawBesideUDP(t *T, f family) {
	a, b := t.udpPair(f)
	s := t.raw(t.B, f, socket.IPPROTO_UDP)
	t.send(a, "x")
	t.receives(b, "x")
	port := b.LocalAddr().Port()
	packet, _ := t.next(s, f, func(p []byte) bool { return len(p) >= 8 && binary.BigEndian.Uint16(p[2:]) == port })
	equal(t, "data", string(f.payload(packet)[8:]), "x")
}

func rawBound(t *T, f family) {
	if f.b == f.loopback {
		t.Skip("needs two addresses")
	}
	s, from := t.raw(t.B, f, testing1), t.raw(t.B, f, testing1)
	t.ok(s.Bind(at(f.b, 0)))
	t.sendTo(from, "elsewhere", at(f.loopback, 0))
	t.sendTo(from, "here", at(f.b, 0))
	t.rawReceives(s, f, "here")
}

func rawConnected(t *T, f family) {
	if f.b == f.loopback {
		t.Skip("needs two addresses")
	}
	s := t.raw(t.B, f, testing1)
	t.connect(s, at(f.loopback, 0))
	for _, source := range []netip.Addr{f.b, f.loopback} {
		from := t.raw(t.B, f, testing1)
		t.ok(from.Bind(at(source, 0)))
		t.sendTo(from, source.String(), s.LocalAddr())
	}
	t.rawReceives(s, f, f.loopback.String())
}

func rawPorts(t *T, f family) {
	a, b := t.raw(t.A, f, testing1), t.raw(t.B, f, testing1)
	equal(t, "fresh", a.LocalAddr(), at(f.any, 0))
	t.ok(a.Bind(at(f.a, 77)))
	equal(t, "bound", a.LocalAddr(), at(f.a, 0))
	t.sendTo(a, "x", at(f.b, 88))
	_, from := t.next(b, f, whatever)
	equal(t, "sender", from, at(f.a, 0))
	t.connect(b, at(f.a, 99))
	peer, err := b.PeerAddr()
	t.ok(err)
	equal(t, "peer", peer, at(f.a, 0))
}

func rawNoDestination(t *T, f family) {
	t.sendErr(t.raw(t.A, f, testing1), syscall.EDESTADDRREQ)
}

func rawAccept(t *T, f family) {
	_, _, err := t.raw(t.A, f, testing1).Accept(background)
	t.fails("Accept", err, syscall.EOPNOTSUPP)
}

func rawEcho(t *T, f family) {
	s := t.raw(t.A, f, f.icmp)
	const id = 0x4242
	t.sendTo(s, string(f.echo(id, 7, "hello")), at(f.b, 0))
	packet, from := t.next(s, f, isEcho(f.echoReply(), id))
	equal(t, "sender", from, at(f.b, 0))
	reply := f.payload(packet)
	equal(t, "sequence", binary.BigEndian.Uint16(reply[6:]), 7)
	equal(t, "data", string(reply[8:]), "hello")
}

func rawControl(t *T, f family) {
	a, b := t.rawPair(f, testing1)
	for _, o := range []socket.Option[int]{f.recvPktInfo(), f.recvTTL(), f.recvTOS()} {
		set(t, b, o, 1)
	}
	t.ok(t.sendWith(a, netip.AddrPort{}, socket.Control{
		Present: socket.ControlTTL | socket.ControlTOS, TTL: 9, TOS: 0x20,
	}))
	equal(t, "Control", t.recvMsg(b).Control, socket.Control{
		Present: socket.ControlPktInfo | socket.ControlTTL | socket.ControlTOS,
		PktInfo: socket.PktInfo{Interface: t.IndexB, Dst: f.b, Local: f.b},
		TTL:     9,
		TOS:     0x20,
	})
}

func rawHdrincl(t *T, f family) {
	b := t.udpAt(t.B, f, f.b)
	copyOf := t.raw(t.B, f, socket.IPPROTO_UDP)
	s := t.raw(t.A, f, socket.IPPROTO_UDP)
	set(t, s, socket.IP_HDRINCL, 1)
	h := f.header(netip.IPv4Unspecified(), f.b, socket.IPPROTO_UDP, 8+5)
	h[2], h[3], h[10], h[11] = 0xff, 0xff, 0xff, 0xff // length and checksum: wrong
	h[8] = 44
	packet := append(append(h, udpHeader(4711, b.LocalAddr().Port(), 5)...), "hello"...)
	t.sendTo(s, string(packet), at(f.b, 0))
	t.receivesFrom(b, "hello", at(f.a, 4711))
	got, _ := t.next(copyOf, f, func(p []byte) bool { return len(p) >= 8 && binary.BigEndian.Uint16(p) == 4711 })
	equal(t, "TTL", got[8], 44)
	equal(t, "total length", int(binary.BigEndian.Uint16(got[2:])), 33)
	equal(t, "header checksum", checksum(got[:20]), 0)
	if id := binary.BigEndian.Uint16(got[4:]); id == 0 {
		t.Error("the ID was not filled in")
	}
}

func rawHdrinclShort(t *T, f family) {
	s := t.raw(t.A, f, testing1)
	set(t, s, socket.IP_HDRINCL, 1)
	h := f.header(f.a, f.b, testing1, 0)
	for n := range len(h) {
		_, err := s.SendTo(h[:n], 0, at(f.b, 0))
		t.fails("SendTo", err, syscall.EINVAL)
	}
	h[0] = 4<<4 | 15 // a header longer than the packet
	_, err := s.SendTo(h, 0, at(f.b, 0))
	t.fails("SendTo with a header longer than the packet", err, syscall.EINVAL)
}

func rawHdrinclTooLong(t *T, f family) {
	s := t.raw(t.A, f, testing1)
	set(t, s, socket.IP_HDRINCL, 1)
	packet := append(f.header(f.a, f.b, testing1, t.MTU), make([]byte, t.MTU)...)
	_, err := s.SendTo(packet, 0, at(f.b, 0))
	t.fails("SendTo", err, syscall.EMSGSIZE)
	t.sendTo(s, string(packet[:t.MTU]), at(f.b, 0))
}

func rawIPProtoRaw(t *T, f family) {
	b := t.raw(t.B, f, testing1)
	s := t.raw(t.A, f, socket.IPPROTO_RAW)
	equal(t, "IP_HDRINCL", get(t, s, socket.IP_HDRINCL), 1)
	t.sendTo(s, string(append(f.header(f.a, f.b, testing1, 1), 'x')), at(f.b, 0))
	t.rawReceives(b, f, "x")
	t.nothing(s)
}

func rawICMPFilter4(t *T, f family) {
	s := t.raw(t.A, f, f.icmp)
	equal(t, "ICMP_FILTER", get(t, s, socket.ICMP_FILTER), 0)
	set(t, s, socket.ICMP_FILTER, 1<<echoReply4)
	equal(t, "ICMP_FILTER", get(t, s, socket.ICMP_FILTER), 1<<echoReply4)
	t.filtered(s, f)
	set(t, s, socket.ICMP_FILTER, ^uint32(1<<echoReply4))
	t.sendTo(s, string(f.echo(3, 1, "")), at(f.b, 0))
	packet, _ := t.next(s, f, whatever)
	equal(t, "the one type that passes", f.payload(packet)[0], echoReply4)
}

func rawICMPFilter6(t *T, f family) {
	s := t.raw(t.A, f, f.icmp)
	var filter [8]uint32
	equal(t, "ICMPV6_FILTER", get(t, s, socket.ICMPV6_FILTER), filter)
	filter[echoReply6/32] = 1 << (echoReply6 % 32)
	set(t, s, socket.ICMPV6_FILTER, filter)
	equal(t, "ICMPV6_FILTER", get(t, s, socket.ICMPV6_FILTER), filter)
	t.filtered(s, f)
	for i := range filter {
		filter[i] = ^filter[i]
	}
	set(t, s, socket.ICMPV6_FILTER, filter)
	t.sendTo(s, string(f.echo(3, 1, "")), at(f.b, 0))
	packet, _ := t.next(s, f, whatever)
	equal(t, "the one type that passes", packet[0], echoReply6)
}

// filtered sends two echo requests of which s does not hear the replies, though
// another socket does.
func (t *T) filtered(s socket.Socket, f family) {
	t.Helper()
	open := t.raw(t.A, f, f.icmp)
	for id := uint16(1); id <= 2; id++ {
		t.sendTo(s, string(f.echo(id, 1, "")), at(f.b, 0))
		t.next(open, f, isEcho(f.echoReply(), id))
	}
	b := make([]byte, 1500)
	for {
		n, err := s.Recv(b, socket.MSG_DONTWAIT)
		if err != nil {
			t.fails("Recv", err, syscall.EAGAIN)
			return
		}
		if isEcho(f.echoReply(), 1)(f.payload(b[:n])) || isEcho(f.echoReply(), 2)(f.payload(b[:n])) {
			t.Error("an echo reply passed the filter")
		}
	}
}

func rawICMPFilterOther(t *T, f family) {
	s := t.raw(t.A, f, testing1)
	err := socket.Set(s, socket.ICMP_FILTER, 1)
	if f.domain == socket.INET6 {
		err = socket.Set(s, socket.ICMPV6_FILTER, [8]uint32{})
	}
	t.fails("the filter", err, syscall.EOPNOTSUPP)
}

func rawICMPChecksum6(t *T, f family) {
	a, b := t.raw(t.A, f, f.icmp), t.raw(t.B, f, f.icmp)
	const id = 0x4343
	t.sendTo(a, string(f.echo(id, 1, "odd")), at(f.b, 0))
	p, _ := t.next(b, f, isEcho(echoRequest6, id))
	equal(t, "sum with the pseudo-header", sum(p, pseudo6(f.a, f.b, f.icmp, len(p))), 0xffff)
}

func rawICMPChecksumFixed(t *T, f family) {
	s := t.raw(t.A, f, f.icmp)
	for _, offset := range []int{-1, 2, 4} {
		t.fails("IPV6_CHECKSUM", socket.Set(s, socket.IPV6_CHECKSUM, offset), syscall.EINVAL)
	}
}

func rawChecksum6(t *T, f family) {
	a, b := t.rawPair(f, testing1)
	set(t, a, socket.IPV6_CHECKSUM, 4)
	equal(t, "IPV6_CHECKSUM", get(t, a, socket.IPV6_CHECKSUM), 4)
	t.send(a, "abcd\x00\x00xyz")
	p, _ := t.next(b, f, whatever)
	equal(t, "before and behind", string(p[:4])+string(p[6:]), "abcdxyz")
	equal(t, "sum with the pseudo-header", sum(p, pseudo6(f.a, f.b, testing1, len(p))), 0xffff)
	_, err := a.Send([]byte("short"), 0)
	t.fails("Send of a packet without room for it", err, syscall.EINVAL)
}

func rawChecksumVerified6(t *T, f family) {
	a, b := t.rawPair(f, testing1)
	set(t, b, socket.IPV6_CHECKSUM, 0)
	t.send(a, "wrong")
	set(t, a, socket.IPV6_CHECKSUM, 0)
	t.send(a, "\x00\x00right")
	p, _ := t.next(b, f, whatever)
	equal(t, "received", string(p[2:]), "right")
}

func rawChecksumRange6(t *T, f family) {
	s := t.raw(t.A, f, testing1)
	equal(t, "IPV6_CHECKSUM", get(t, s, socket.IPV6_CHECKSUM), -1)
	t.fails("odd", socket.Set(s, socket.IPV6_CHECKSUM, 3), syscall.EINVAL)
	set(t, s, socket.IPV6_CHECKSUM, 2)
	set(t, s, socket.IPV6_CHECKSUM, -1)
	equal(t, "IPV6_CHECKSUM", get(t, s, socket.IPV6_CHECKSUM), -1)
}

// unspoken is a connected raw socket of a protocol that B does not speak.
func (t *T) unspoken(f family) socket.Socket {
	t.Helper()
	if t.oneHost() {
		t.Skip("needs a host that does not speak the protocol")
	}
	s := t.raw(t.A, f, testing2)
	t.connect(s, at(f.b, 0))
	// An error that quotes less than 8 bytes behind the IP header says nothing.
	t.send(s, "12345678")
	return s
}

func rawProtocolUnreachable4(t *T, f family) {
	t.recvErr(t.unspoken(f), 0, syscall.ENOPROTOOPT)
}

func rawProtocolUnreachable6(t *T, f family) {
	t.recvErr(t.unspoken(f), 0, syscall.EPROTO)
}

func rawShutdown(t *T, f family) {
	t.fails("Shutdown", t.raw(t.A, f, testing1).Shutdown(socket.SHUT_RDWR), syscall.ENOTCONN)
}
