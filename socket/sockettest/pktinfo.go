package sockettest

import (
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

var pktinfoCases = []rows{
	// HOST-150, UDP-11.
	both("pktinfo/received", "PktInfo tells the interface and the destination of what came", pktinfoReceived),
	both("pktinfo/loopback", "PktInfo tells the loopback interface", pktinfoLoopback),
	// HOST-123, HOST-124, UDP-12.
	both("pktinfo/source", "PktInfo.Local is the source to send from", pktinfoSource),
	// HOST-13, UDP-16.
	both("pktinfo/source-foreign", "a source that is not local is EINVAL, over IPv4 on a recent kernel ENETUNREACH", pktinfoSourceForeign),
	both("pktinfo/interface", "PktInfo.Interface is where to send", pktinfoInterface),
	both("pktinfo/interface-unknown", "an interface that does not exist is ENODEV", pktinfoInterfaceUnknown),
	// UDP-17, UDP-18.
	both("pktinfo/ttl", "TTL is sent for one datagram, and received", pktinfoTTL),
	// HOST-21.
	both("pktinfo/ttl-range", "a TTL out of range is EINVAL", pktinfoTTLRange),
	on6("pktinfo/ttl-default", "the hop limit -1 is the default", pktinfoTTLDefault),
	// HOST-19, HOST-149, UDP-17, UDP-18, UDP-19.
	both("pktinfo/tos", "TOS is sent for one datagram, and received with its ECN bits", pktinfoTOS),
	both("pktinfo/off", "what no option asked for does not come", pktinfoOff),
	both("pktinfo/all", "all comes at once, also from MSG_PEEK", pktinfoAll),
	both("pktinfo/stream", "a stream brings no control data", pktinfoStream),
}

// recvMsg receives a datagram with what comes with it.
func (t *T) recvMsg(s socket.Socket) *socket.Message {
	t.Helper()
	b := make([]byte, 2048)
	m := &socket.Message{Buffers: [][]byte{b}}
	n, err := s.RecvMsg(m, 0)
	t.ok(err)
	m.Buffers[0] = b[:n]
	return m
}

// The options that ask for control data, by family.
func (f *family) recvPktInfo() socket.Option[int] {
	if f.domain == socket.INET {
		return socket.IP_PKTINFO
	}
	return socket.IPV6_RECVPKTINFO
}

func (f *family) recvTTL() socket.Option[int] {
	if f.domain == socket.INET {
		return socket.IP_RECVTTL
	}
	return socket.IPV6_RECVHOPLIMIT
}

func (f *family) recvTOS() socket.Option[int] {
	if f.domain == socket.INET {
		return socket.IP_RECVTOS
	}
	return socket.IPV6_RECVTCLASS
}

func (f *family) ttl() socket.Option[int] {
	if f.domain == socket.INET {
		return socket.IP_TTL
	}
	return socket.IPV6_UNICAST_HOPS
}

func (f *family) tos() socket.Option[int] {
	if f.domain == socket.INET {
		return socket.IP_TOS
	}
	return socket.IPV6_TCLASS
}

func pktinfoReceived(t *T, f family) {
	a, b := t.udp(t.A, f), t.udpAt(t.B, f, f.any)
	set(t, b, f.recvPktInfo(), 1)
	t.sendTo(a, "x", at(f.b, b.LocalAddr().Port()))
	m := t.recvMsg(b)
	equal(t, "Present", m.Control.Present, socket.ControlPktInfo)
	equal(t, "PktInfo", m.Control.PktInfo, socket.PktInfo{Interface: t.IndexB, Dst: f.b, Local: f.b})
}

func pktinfoLoopback(t *T, f family) {
	s := t.udpAt(t.B, f, f.any)
	set(t, s, f.recvPktInfo(), 1)
	t.sendTo(t.udp(t.B, f), "x", at(f.loopback, s.LocalAddr().Port()))
	equal(t, "Dst", t.recvMsg(s).Control.PktInfo.Dst, f.loopback)
}

// sendWith sends a datagram with control data.
func (t *T) sendWith(s socket.Socket, to netip.AddrPort, c socket.Control) error {
	_, err := s.SendMsg(&socket.Message{Buffers: [][]byte{[]byte("x")}, Addr: to, Control: c}, 0)
	return err
}

func withPktInfo(p socket.PktInfo) socket.Control {
	return socket.Control{Present: socket.ControlPktInfo, PktInfo: p}
}

func withTTL(n int) socket.Control { return socket.Control{Present: socket.ControlTTL, TTL: n} }

func withTOS(n int) socket.Control { return socket.Control{Present: socket.ControlTOS, TOS: n} }

func pktinfoSource(t *T, f family) {
	// To itself, so that there are two sources to choose from.
	s, b := t.udpAt(t.B, f, f.any), t.udpAt(t.B, f, f.b)
	for _, source := range []netip.Addr{f.loopback, f.b} {
		t.ok(t.sendWith(s, b.LocalAddr(), withPktInfo(socket.PktInfo{Local: source})))
		t.receivesFrom(b, "x", at(source, s.LocalAddr().Port()))
	}
}

func pktinfoSourceForeign(t *T, f family) {
	err := t.sendWith(t.udp(t.A, f), at(f.b, 9), withPktInfo(socket.PktInfo{Local: f.foreign}))
	if f.domain == socket.INET && err == syscall.ENETUNREACH {
		return
	}
	t.fails("SendMsg", err, syscall.EINVAL)
}

func pktinfoInterface(t *T, f family) {
	a, b := t.udp(t.A, f), t.udpAt(t.B, f, f.b)
	t.ok(t.sendWith(a, b.LocalAddr(), withPktInfo(socket.PktInfo{Interface: t.IndexA})))
	t.receives(b, "x")
}

func pktinfoInterfaceUnknown(t *T, f family) {
	err := t.sendWith(t.udp(t.A, f), at(f.b, 9), withPktInfo(socket.PktInfo{Interface: 1 << 20}))
	t.fails("SendMsg", err, syscall.ENODEV)
}

func pktinfoTTL(t *T, f family) {
	a, b := t.udpPair(f)
	set(t, b, f.recvTTL(), 1)
	set(t, a, f.ttl(), 33)
	for _, ttl := range []int{1, 77, 255} {
		t.ok(t.sendWith(a, netip.AddrPort{}, withTTL(ttl)))
		m := t.recvMsg(b)
		equal(t, "Present", m.Control.Present, socket.ControlTTL)
		equal(t, "TTL", m.Control.TTL, ttl)
	}
	t.send(a, "x")
	equal(t, "TTL of the socket", t.recvMsg(b).Control.TTL, 33)
}

func pktinfoTTLRange(t *T, f family) {
	a, _ := t.udpPair(f)
	bad := []int{-2, 256, 1000}
	if f.domain == socket.INET {
		bad = append(bad, 0, -1)
	}
	for _, ttl := range bad {
		t.fails("SendMsg", t.sendWith(a, netip.AddrPort{}, withTTL(ttl)), syscall.EINVAL)
	}
}

func pktinfoTTLDefault(t *T, f family) {
	a, b := t.udpPair(f)
	set(t, b, f.recvTTL(), 1)
	set(t, a, f.ttl(), 33)
	t.ok(t.sendWith(a, netip.AddrPort{}, withTTL(-1)))
	equal(t, "TTL", t.recvMsg(b).Control.TTL, 33)
}

func pktinfoTOS(t *T, f family) {
	a, b := t.udpPair(f)
	set(t, b, f.recvTOS(), 1)
	set(t, a, f.tos(), 0x28)
	for _, tos := range []int{0, 0x10, 0xb8, 0xb9, 0xff} {
		t.ok(t.sendWith(a, netip.AddrPort{}, withTOS(tos)))
		m := t.recvMsg(b)
		equal(t, "Present", m.Control.Present, socket.ControlTOS)
		equal(t, "TOS", m.Control.TOS, tos)
	}
	t.send(a, "x")
	equal(t, "TOS of the socket", t.recvMsg(b).Control.TOS, 0x28)
}

func pktinfoOff(t *T, f family) {
	a, b := t.udpPair(f)
	for _, o := range []socket.Option[int]{f.recvPktInfo(), f.recvTTL(), f.recvTOS()} {
		set(t, b, o, 1)
		set(t, b, o, 0)
	}
	t.ok(t.sendWith(a, netip.AddrPort{}, withTTL(9)))
	equal(t, "Control", t.recvMsg(b).Control, socket.Control{})
}

func pktinfoAll(t *T, f family) {
	a, b := t.udpPair(f)
	for _, o := range []socket.Option[int]{f.recvPktInfo(), f.recvTTL(), f.recvTOS()} {
		set(t, b, o, 1)
	}
	sent := socket.Control{
		Present: socket.ControlPktInfo | socket.ControlTTL | socket.ControlTOS,
		PktInfo: socket.PktInfo{Local: f.a},
		TTL:     9,
		TOS:     0x20,
	}
	t.ok(t.sendWith(a, netip.AddrPort{}, sent))
	for _, flags := range []socket.Flags{socket.MSG_PEEK, 0} {
		m := socket.Message{Buffers: [][]byte{make([]byte, 9)}}
		_, err := b.RecvMsg(&m, flags)
		t.ok(err)
		equal(t, "Control", m.Control, socket.Control{
			Present: sent.Present,
			PktInfo: socket.PktInfo{Interface: t.IndexB, Dst: f.b, Local: f.b},
			TTL:     9,
			TOS:     0x20,
		})
	}
}

func pktinfoStream(t *T, f family) {
	a, b := t.pair(f)
	set(t, b, f.recvTTL(), 1)
	t.send(a, "x")
	equal(t, "Control", t.recvMsg(b).Control, socket.Control{})
}
