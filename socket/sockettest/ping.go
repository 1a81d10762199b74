package sockettest

import (
	"encoding/binary"
	"syscall"

	"example.com/berth/socket"
)

var pingCases = func() []rows {
	tables := []rows{
		// HOST-63, HOST-64, HOST-69.
		both("ping/echo", "a datagram socket of ICMP sends an echo request and receives the reply, both without IP header", pingEcho),
		both("ping/identifier", "the local port is the identifier, whatever the caller wrote", pingIdentifier),
		both("ping/bound", "Bind with a port chooses the identifier", pingBound),
		both("ping/bound-twice", "an identifier is shared by SO_REUSEADDR, which is on at first; without it, EADDRINUSE", pingBoundTwice),
		both("ping/own-replies", "each socket receives the replies to its own requests", pingOwnReplies),
		both("ping/connected", "a connected socket pings its peer", pingConnected),
		both("ping/not-echo", "another message than an echo request is EINVAL", pingNotEcho),
		both("ping/short", "a message shorter than an echo request's header is EINVAL", pingShort),
		both("ping/listen", "a ping socket neither listens nor accepts: EOPNOTSUPP", pingListen),
		both("ping/kind", "the socket tells that it is DGRAM and ICMP", pingKind),
		both("ping/control", "TTL and PktInfo come with the reply", pingControl),
		both("ping/no-destination", "without destination or peer it is EDESTADDRREQ", pingNoDestination),
		both("ping/large", "a reply longer than the MTU arrives whole", pingLarge),
	}
	for i := range tables {
		tables[i] = tables[i].needing(ping)
	}
	return tables
}()

func (t *T) ping(f family) socket.Socket {
	t.Helper()
	return t.socket(t.A, f.domain, socket.DGRAM, f.icmp)
}

// answered fails unless the next reply has the identifier, sequence and data.
func (t *T) answered(s socket.Socket, f family, id, seq uint16, data string) {
	t.Helper()
	b := make([]byte, len(data)+100)
	n, from, err := s.RecvFrom(b, 0)
	t.ok(err)
	if n < 8 {
		t.Fatalf("received %d bytes", n)
	}
	equal(t, "sender", from, at(f.b, 0))
	equal(t, "type", b[0], f.echoReply())
	equal(t, "identifier", binary.BigEndian.Uint16(b[4:]), id)
	equal(t, "sequence", binary.BigEndian.Uint16(b[6:]), seq)
	if string(b[8:n]) != data {
		t.Errorf("%d bytes of other data came back", n-8)
	}
}

func pingEcho(t *T, f family) {
	s := t.ping(f)
	for seq := uint16(1); seq <= 3; seq++ {
		t.sendTo(s, string(f.echo(0, seq, "hello")), at(f.b, 0))
		t.answered(s, f, s.LocalAddr().Port(), seq, "hello")
	}
}

func pingIdentifier(t *T, f family) {
	s := t.ping(f)
	equal(t, "before", s.LocalAddr(), at(f.any, 0))
	t.sendTo(s, string(f.echo(0xdead, 1, "")), at(f.b, 0))
	id := s.LocalAddr().Port()
	if id == 0 {
		t.Error("no identifier")
	}
	t.answered(s, f, id, 1, "")
}

func pingBound(t *T, f family) {
	s := t.ping(f)
	t.ok(s.Bind(at(f.a, 0x4444)))
	equal(t, "LocalAddr", s.LocalAddr(), at(f.a, 0x4444))
	t.sendTo(s, string(f.echo(0, 1, "")), at(f.b, 0))
	t.answered(s, f, 0x4444, 1, "")
}

func pingBoundTwice(t *T, f family) {
	first := t.ping(f)
	t.ok(first.Bind(at(f.a, 0)))
	t.ok(t.ping(f).Bind(first.LocalAddr()))
	alone := t.ping(f)
	set(t, alone, socket.SO_REUSEADDR, 0)
	t.fails("Bind", alone.Bind(first.LocalAddr()), syscall.EADDRINUSE)
}

func pingOwnReplies(t *T, f family) {
	one, two := t.ping(f), t.ping(f)
	t.sendTo(one, string(f.echo(0, 1, "one")), at(f.b, 0))
	t.sendTo(two, string(f.echo(0, 2, "two")), at(f.b, 0))
	t.answered(two, f, two.LocalAddr().Port(), 2, "two")
	t.answered(one, f, one.LocalAddr().Port(), 1, "one")
	t.nothing(one)
	t.nothing(two)
}

func pingConnected(t *T, f family) {
	s := t.ping(f)
	t.connect(s, at(f.b, 0))
	equal(t, "local address", s.LocalAddr().Addr(), f.a)
	t.send(s, string(f.echo(0, 1, "x")))
	t.answered(s, f, s.LocalAddr().Port(), 1, "x")
}

func pingNotEcho(t *T, f family) {
	s := t.ping(f)
	request := f.echoRequest()
	for _, m := range [][2]byte{{f.echoReply(), 0}, {3, 0}, {13, 0}, {request, 1}, {255, 0}} {
		_, err := s.SendTo(f.icmpMessage(m[0], m[1], 0, nil), 0, at(f.b, 0))
		t.fails("SendTo", err, syscall.EINVAL)
	}
}

func pingShort(t *T, f family) {
	s := t.ping(f)
	for n := range 8 {
		_, err := s.SendTo(f.echo(0, 1, "")[:n], 0, at(f.b, 0))
		t.fails("SendTo", err, syscall.EINVAL)
	}
}

func pingListen(t *T, f family) {
	s := t.ping(f)
	t.fails("Listen", s.Listen(1), syscall.EOPNOTSUPP)
	_, _, err := s.Accept(background)
	t.fails("Accept", err, syscall.EOPNOTSUPP)
}

func pingKind(t *T, f family) {
	s := t.ping(f)
	equal(t, "SO_TYPE", get(t, s, socket.SO_TYPE), int(socket.DGRAM))
	equal(t, "SO_PROTOCOL", get(t, s, socket.SO_PROTOCOL), int(f.icmp))
}

func pingControl(t *T, f family) {
	s := t.ping(f)
	set(t, s, f.recvTTL(), 1)
	set(t, s, f.recvPktInfo(), 1)
	t.sendTo(s, string(f.echo(0, 1, "x")), at(f.b, 0))
	m := t.recvMsg(s)
	equal(t, "Present", m.Control.Present, socket.ControlTTL|socket.ControlPktInfo)
	equal(t, "Interface", m.Control.PktInfo.Interface, t.IndexA)
	equal(t, "Dst", m.Control.PktInfo.Dst, f.a)
	if m.Control.TTL < 1 || m.Control.TTL > 255 {
		t.Errorf("TTL %d", m.Control.TTL)
	}
}

func pingNoDestination(t *T, f family) {
	_, err := t.ping(f).Send(f.echo(0, 1, ""), 0)
	t.fails("Send", err, syscall.EDESTADDRREQ)
}

func pingLarge(t *T, f family) {
	s := t.ping(f)
	data := string(pattern(4000))
	t.sendTo(s, string(f.echo(0, 1, data)), at(f.b, 0))
	t.answered(s, f, s.LocalAddr().Port(), 1, data)
}
