package sockettest

import (
	"encoding/binary"
	"fmt"
	"syscall"

	"example.com/berth/socket"
)

// icmpRow is an ICMP error and what it means to a socket (RFC 1122 4.2.3.9,
// Linux's icmp_err_convert).
type icmpRow struct {
	name      string
	typ, code byte
	errno     syscall.Errno
	// hard ones end a Recv on a connected datagram socket; the others only
	// stand in the error queue, for those who asked for it.
	hard bool
}

var icmpRows4 = []icmpRow{
	{"net-unreachable", 3, 0, syscall.ENETUNREACH, false},
	{"host-unreachable", 3, 1, syscall.EHOSTUNREACH, false}, // HOST-49, HOST-153
	{"protocol-unreachable", 3, 2, syscall.ENOPROTOOPT, true},
	{"port-unreachable", 3, 3, syscall.ECONNREFUSED, true},
	{"source-route-failed", 3, 5, syscall.EOPNOTSUPP, false},
	{"net-unknown", 3, 6, syscall.ENETUNREACH, true},
	{"host-unknown", 3, 7, syscall.EHOSTDOWN, true},
	{"net-prohibited", 3, 9, syscall.ENETUNREACH, true},
	{"host-prohibited", 3, 10, syscall.EHOSTUNREACH, true},
	{"net-tos", 3, 11, syscall.ENETUNREACH, false},
	{"host-tos", 3, 12, syscall.EHOSTUNREACH, false},
	{"filtered", 3, 13, syscall.EHOSTUNREACH, true},
	{"precedence-violation", 3, 14, syscall.EHOSTUNREACH, true},
	{"precedence-cutoff", 3, 15, syscall.EHOSTUNREACH, true},
	{"time-exceeded", 11, 0, syscall.EHOSTUNREACH, false}, // HOST-59, HOST-153
	{"parameter-problem", 12, 0, syscall.EPROTO, true},    // HOST-61, HOST-62, HOST-153
}

var icmpRows6 = []icmpRow{
	{"no-route", 1, 0, syscall.ENETUNREACH, false},
	{"prohibited", 1, 1, syscall.EACCES, true},
	{"beyond-scope", 1, 2, syscall.EHOSTUNREACH, false},
	{"address-unreachable", 1, 3, syscall.EHOSTUNREACH, false},
	{"port-unreachable", 1, 4, syscall.ECONNREFUSED, true},
	{"source-policy", 1, 5, syscall.EACCES, true},
	{"reject-route", 1, 6, syscall.EACCES, true},
	{"hop-limit-exceeded", 3, 0, syscall.EHOSTUNREACH, false},
	{"parameter-problem", 4, 1, syscall.EPROTO, true},
}

var icmpErrorCases = func() []rows {
	var all []rows
	for _, r := range icmpRows4 {
		all = append(all, on4("icmp-error/"+r.name+"/v4", r.rule(), r.check))
	}
	for _, r := range icmpRows6 {
		all = append(all, on6("icmp-error/"+r.name+"/v6", r.rule(), r.check))
	}
	all = append(
		all,
		both("icmp-error/other-socket", "an error that quotes another's datagram is not one's own", icmpOtherSocket),
		both("icmp-error/short-quotation", "an error that quotes less than the ports is dropped", icmpShortQuotation),
		both("icmp-error/raw", "a raw socket hears an error of its packets, with a peer or the error queue", icmpRaw),
		both("icmp-error/tcp-connecting", "an unreachable port, host or net ends a connection attempt with its errno", icmpTCPConnecting),
		both("icmp-error/tcp-sequence", "an error that quotes a sequence number that was not sent is dropped", icmpTCPSequence),
		both("icmp-error/tcp-established", "an error does not end an established connection", icmpTCPEstablished),
	)
	for i := range all {
		all[i] = all[i].needing(raw)
	}
	return all
}()

func (r *icmpRow) rule() string {
	if r.hard {
		return fmt.Sprintf("ICMP %d/%d is “%v” to a connected datagram socket, and in the error queue", r.typ, r.code, r.errno)
	}
	return fmt.Sprintf("ICMP %d/%d is nothing to a connected datagram socket, and “%v” in the error queue", r.typ, r.code, r.errno)
}

// quoting is an ICMP error of B about a packet of A.
func (f *family) quoting(typ, code byte, proto socket.Protocol, transport []byte) []byte {
	packet := append(f.header(f.a, f.b, proto, len(transport)), transport...)
	return f.icmpMessage(typ, code, 0, packet)
}

// aboutUDP is an ICMP error about a datagram of s to its peer.
func (t *T) aboutUDP(f family, s socket.Socket, typ, code byte) []byte {
	t.Helper()
	peer, err := s.PeerAddr()
	t.ok(err)
	return f.quoting(typ, code, socket.IPPROTO_UDP, append(udpHeader(s.LocalAddr().Port(), peer.Port(), 1), 'x'))
}

func (r *icmpRow) check(t *T, f family) {
	a, _ := t.udpPair(f)
	offender := t.raw(t.B, f, f.icmp)
	t.ok(offender.Bind(at(f.b, 0)))
	t.sendTo(offender, string(t.aboutUDP(f, a, r.typ, r.code)), at(f.a, 0))
	if r.hard {
		t.recvErr(a, 0, r.errno)
	} else {
		// A hard one behind it is what Recv tells first.
		hard := f.unreachablePort()
		t.sendTo(offender, string(t.aboutUDP(f, a, hard.Type, hard.Code)), at(f.a, 0))
		t.recvErr(a, 0, hard.Errno)
	}
	t.nothing(a)

	set(t, a, f.recvErrors(), 1)
	t.sendTo(offender, string(t.aboutUDP(f, a, r.typ, r.code)), at(f.a, 0))
	t.await(a, perr)
	want := f.unreachablePort()
	want.Errno, want.Type, want.Code = r.errno, r.typ, r.code
	m := t.queued(a)
	equal(t, "Err", m.Control.Err, want)
	equal(t, "quoted", string(m.Buffers[0]), "x")
}

func icmpOtherSocket(t *T, f family) {
	a, _ := t.udpPair(f)
	other, _ := t.udpPair(f)
	offender := t.raw(t.B, f, f.icmp)
	e := f.unreachablePort()
	t.sendTo(offender, string(t.aboutUDP(f, other, e.Type, e.Code)), at(f.a, 0))
	t.recvErr(other, 0, e.Errno)
	t.fails("SO_ERROR", t.pending(a), nil)
}

func icmpShortQuotation(t *T, f family) {
	a, b := t.udpPair(f)
	offender := t.raw(t.B, f, f.icmp)
	e := f.unreachablePort()
	whole := f.quoting(e.Type, e.Code, socket.IPPROTO_UDP, udpHeader(a.LocalAddr().Port(), b.LocalAddr().Port(), 0))
	for n := 8; n < 8+f.overhead+8; n++ {
		t.sendTo(offender, string(f.icmpMessage(e.Type, e.Code, 0, whole[8:n])), at(f.a, 0))
	}
	t.send(b, "after that")
	t.receives(a, "after that")
	t.sendTo(offender, string(whole), at(f.a, 0))
	t.recvErr(a, 0, e.Errno)
}

func icmpRaw(t *T, f family) {
	a, _ := t.rawPair(f, testing1)
	unconnected := t.raw(t.A, f, testing1)
	set(t, unconnected, f.recvErrors(), 1)
	offender := t.raw(t.B, f, f.icmp)
	t.ok(offender.Bind(at(f.b, 0)))
	e := f.unreachablePort()
	t.sendTo(offender, string(f.quoting(e.Type, e.Code, testing1, []byte("eight or more"))), at(f.a, 0))
	t.recvErr(a, 0, e.Errno)
	t.await(unconnected, perr)
	equal(t, "Err", t.queued(unconnected).Control.Err, e)
}

// overheard is a segment of A to a listener or connection of B that a raw
// socket hears; it has at least a sequence number.
func (t *T) overheard(ear socket.Socket, f family, port uint16, flags byte) []byte {
	t.Helper()
	packet, _ := t.next(ear, f, func(p []byte) bool {
		return len(p) >= 20 && binary.BigEndian.Uint16(p[2:]) == port && p[13]&flags != 0
	})
	return f.payload(packet)
}

const tcpSYN, tcpPSH = 2, 8

func icmpTCPConnecting(t *T, f family) {
	for _, r := range map[socket.Domain][]icmpRow{
		socket.INET:  {icmpRows4[0], icmpRows4[1], icmpRows4[3]},
		socket.INET6: {icmpRows6[0], icmpRows6[3], icmpRows6[4]},
	}[f.domain] {
		l := t.fullListener(f)
		ear, offender := t.raw(t.B, f, socket.IPPROTO_TCP), t.raw(t.B, f, f.icmp)
		s := t.tcp(t.A, f)
		done := t.beside(func() { t.fails("Connect", s.Connect(background, l.LocalAddr()), r.errno) })
		syn := t.overheard(ear, f, l.LocalAddr().Port(), tcpSYN)
		t.sendTo(offender, string(f.quoting(r.typ, r.code, socket.IPPROTO_TCP, syn)), at(f.a, 0))
		<-done
	}
}

func icmpTCPSequence(t *T, f family) {
	l := t.fullListener(f)
	ear, offender := t.raw(t.B, f, socket.IPPROTO_TCP), t.raw(t.B, f, f.icmp)
	s := nonblocking(t, t.tcp(t.A, f))
	t.fails("Connect", s.Connect(background, l.LocalAddr()), syscall.EINPROGRESS)
	syn := t.overheard(ear, f, l.LocalAddr().Port(), tcpSYN)
	e := f.unreachablePort()
	forged := append([]byte(nil), syn...)
	binary.BigEndian.PutUint32(forged[4:], binary.BigEndian.Uint32(syn[4:])+5000)
	t.sendTo(offender, string(f.quoting(e.Type, e.Code, socket.IPPROTO_TCP, forged)), at(f.a, 0))
	// A datagram on the same way comes after it.
	fence := t.udpAt(t.A, f, f.a)
	t.sendTo(t.udp(t.B, f), "after that", fence.LocalAddr())
	t.receives(fence, "after that")
	equal(t, "state", t.state(s), socket.TCP_SYN_SENT)
}

func icmpTCPEstablished(t *T, f family) {
	ear, offender := t.raw(t.B, f, socket.IPPROTO_TCP), t.raw(t.B, f, f.icmp)
	a, b := t.pair(f)
	t.send(a, "before")
	segment := t.overheard(ear, f, b.LocalAddr().Port(), tcpPSH)
	t.receives(b, "before")
	e := f.unreachablePort()
	t.sendTo(offender, string(f.quoting(e.Type, e.Code, socket.IPPROTO_TCP, segment)), at(f.a, 0))
	t.send(b, "and after")
	t.receives(a, "and after")
	t.send(a, "all goes on")
	t.receives(b, "all goes on")
	t.fails("SO_ERROR", t.pending(a), nil)
}
