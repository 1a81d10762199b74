package berth_test

import (
	"bytes"
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// unreachables are the ICMP types of both families for a port where nobody is.
func portUnreachable(p *packet) bool {
	return p.protocol == header.ProtocolICMP && p.isICMP(header.ICMPv4Unreachable, header.ICMPv4PortUnreachable) ||
		p.protocol == header.ProtocolICMPv6 && p.isICMP(header.ICMPv6Unreachable, header.ICMPv6PortUnreachable)
}

// HOST-47, HOST-48, HOST-152, UDP-1.
func TestNobodyAtAPortRefusesAConnectedSocket(t *testing.T) {
	for _, opts := range [][]wire.Option{nil, {wire.Ethernet()}} {
		alice, bob := pair(t, opts...)
		for _, addr := range []netip.Addr{bob4, bob6} {
			u := sender(t, alice, addr)
			send(t, u, "anybody?")
			if _, err := u.Send([]byte("again"), 0); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%v: send: %v, want ECONNREFUSED", addr, err)
			}
			send(t, u, "once more") // the error was told; this brings the next
			if _, err := u.Recv(make([]byte, 1), 0); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%v: recv: %v, want ECONNREFUSED", addr, err)
			}
			// A socket that is not connected hears nothing, as on Linux.
			v := newSocket(t, alice, domainOf(addr), socket.DGRAM, 0)
			for range 2 {
				if _, err := v.SendTo([]byte("x"), 0, netip.AddrPortFrom(addr, 9)); err != nil {
					t.Errorf("%v: sendto: %v", addr, err)
				}
			}
		}
		if bob.Counters().UDP.NoPort.Load() == 0 {
			t.Error("nothing was counted")
		}
	}
}

// HOST-1, HOST-63, HOST-67, HOST-68.
func TestEchoIsAnswered(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		_, st := stationed(t, berth.Config{})
		request, reply := uint8(header.ICMPv4EchoRequest), uint8(header.ICMPv4EchoReply)
		if remote.Is6() {
			request, reply = header.ICMPv6EchoRequest, header.ICMPv6EchoReply
		}
		for _, n := range []int{0, 1, 56, 1400} {
			h := header.ICMP{Type: request}
			h.SetID(7)
			h.SetSeq(uint16(n))
			data := noise(n)
			st.take(nil)
			st.icmpMessage(remote, localOf(remote), h, data)
			p := st.one("the reply", nil)
			m, rest := p.icmp()
			if m.Type != reply || m.ID() != 7 || m.Seq() != uint16(n) || !bytes.Equal(rest, data) {
				t.Errorf("the reply to %d bytes is %+v with %d", n, m, len(rest))
			}
			if p.src != localOf(remote) || p.dst != remote {
				t.Errorf("from %v to %v", p.src, p.dst)
			}
		}
		// Nothing but zeros: a checksum of all ones.
		st.icmpMessage(remote, localOf(remote), header.ICMP{Type: request}, nil)
		st.one("the reply to zeros", nil)
	})
}

func TestErrorsAreLimitedInRate(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{})
		flood := func(n int) int {
			st.take(nil)
			for range n {
				st.udp(netip.AddrPortFrom(remote, 9), netip.AddrPortFrom(localOf(remote), 9), nil)
			}
			return len(st.take(portUnreachable))
		}
		if n := flood(100); n != 6 {
			t.Errorf("%d errors for 100 datagrams at once, want 6", n)
		}
		if n := h.Counters().ICMP.RateLimited.Load(); n != 94 {
			t.Errorf("%d counted, want 94", n)
		}
		time.Sleep(3 * time.Second)
		if n := flood(100); n != 3 {
			t.Errorf("%d errors three seconds later, want 3", n)
		}
	})
}

// Over lo nobody is flooded, and programs count on the answer.
func TestErrorsOverLoopbackAreNotLimited(t *testing.T) {
	h := berth.NewHost(berth.Config{})
	defer h.Close()
	for _, addr := range []string{"127.0.0.1", "::1"} {
		u := sender(t, h, netip.MustParseAddr(addr))
		for i := range 100 {
			send(t, u, "x")
			if _, err := u.Recv(make([]byte, 1), 0); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Fatalf("%s, datagram %d: %v", addr, i, err)
			}
		}
	}
}

// RFC 1122 section 3.2.2, RFC 4443 section 2.4 (e).
//
// DEF-43.
func TestNoErrorIsSentWhereNoneMayBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := stationed(t, berth.Config{}, wire.Ethernet())
		u := newSocket(t, h, socket.INET, socket.DGRAM, 0)
		if err := socket.Set(u, socket.IP_ADD_MEMBERSHIP, socket.Group{Group: groupA4, Interface: 2}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		st.take(nil)
		from := netip.AddrPortFrom(bob4, 9)
		datagram := func(dst string) packet {
			to := netip.AddrPortFrom(netip.MustParseAddr(dst), 9)
			return packet{src: bob4, dst: to.Addr(), protocol: header.ProtocolUDP, payload: udpDatagram(from, to, []byte("data"))}
		}
		for name, f := range map[string]func(){
			"to the link's broadcast (HOST-43)":  func() { st.ip(datagram("10.0.0.255")) },
			"to the limited broadcast (HOST-43)": func() { st.ip(datagram("255.255.255.255")) },
			"to a group (HOST-43)":               func() { st.ip(datagram(groupA4.String())) },
			"an error (HOST-42)": func() {
				st.icmpMessage(bob4, alice4, header.ICMP{Type: header.ICMPv4Unreachable, Code: 3}, encode(datagram("10.0.0.1")))
			},
			"a fragment, not the first (HOST-45)": func() { p := datagram("10.0.0.1"); p.offset = 8; p.mf = true; p.payload = p.payload[:8]; st.ip(p) },
			"in a frame to everybody (HOST-44)": func() {
				eth := header.Ethernet{Dst: header.Broadcast, Src: stationMAC, Type: header.EtherTypeIPv4}
				st.frame(append(eth.Append(nil), encode(datagram("10.0.0.1"))...))
			},
			"from a group (HOST-46)":             func() { p := datagram("10.0.0.1"); p.src = groupA4; st.ip(p) },
			"from nobody (HOST-46)":              func() { p := datagram("10.0.0.1"); p.src = netip.IPv4Unspecified(); st.ip(p) },
			"from a broadcast address (HOST-46)": func() { p := datagram("10.0.0.1"); p.src = netip.MustParseAddr("10.0.0.255"); st.ip(p) },
			"from loopback (HOST-46)":            func() { p := datagram("10.0.0.1"); p.src = netip.MustParseAddr("127.0.0.1"); st.ip(p) },
			"with a bad checksum":                func() { p := datagram("10.0.0.1"); p.payload[6] ^= 1; st.ip(p) },
		} {
			f()
			st.none(name, nil)
		}
		st.ip(datagram("10.0.0.1"))
		st.one("what may be answered is", portUnreachable)
	})
}

// HOST-48.
//
// DEF-21.
func TestAProtocolThatNobodyTakesIsAnswered(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		_, st := stationed(t, berth.Config{})
		inner := func(src, dst netip.Addr) []byte {
			u := udpDatagram(netip.AddrPortFrom(src, 9), netip.AddrPortFrom(dst, 9), []byte("data"))
			return encode(packet{src: src, dst: dst, protocol: header.ProtocolUDP, payload: u})
		}
		for protocol, payload := range map[uint8][]byte{
			132: []byte("sctp"), 4: inner(bob4, alice4), 41: inner(bob6, alice6), // nothing is unpacked
		} {
			st.take(nil)
			st.ip(packet{src: remote, dst: localOf(remote), protocol: protocol, payload: payload})
			p := st.one("the answer", nil)
			if remote.Is4() && !p.isICMP(header.ICMPv4Unreachable, header.ICMPv4ProtocolUnreachable) ||
				remote.Is6() && !p.isICMP(header.ICMPv6ParameterProblem, header.ProblemNextHeader) {
				t.Errorf("protocol %d: the answer is %x", protocol, p.payload)
			}
		}
	})
}

// HOST-40: the error goes to the socket that sent the packet it quotes, and to no other;
// one about a packet that nobody sent is counted.
//
// DEF-19, DEF-38.
func TestForgedErrorsReachNobody(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{})
		u := sender(t, h, remote)
		send(t, u, "x")
		quote := st.one("the datagram", isUDP).frame
		unreachable := header.ICMP{Type: header.ICMPv4Unreachable, Code: header.ICMPv4PortUnreachable}
		if remote.Is6() {
			unreachable = header.ICMP{Type: header.ICMPv6Unreachable, Code: header.ICMPv6PortUnreachable}
		}
		forged := bytes.Clone(quote)
		at := 20 + 1
		if remote.Is6() {
			at = 40 + 1
		}
		forged[at] ^= 1 // another port
		st.icmpMessage(remote, localOf(remote), unreachable, forged)
		if v, err := socket.Get(u, socket.SO_ERROR); v != 0 || err != nil {
			t.Errorf("SO_ERROR after a forged error: %d, %v", v, err)
		}
		if n := h.Counters().ICMP.BadQuote.Load(); n != 1 {
			t.Errorf("%d bad quotes, want 1", n)
		}
		st.icmpMessage(remote, localOf(remote), unreachable, quote)
		if v, err := socket.Get(u, socket.SO_ERROR); v != int(syscall.ECONNREFUSED) || err != nil {
			t.Errorf("SO_ERROR: %d, %v", v, err)
		}
	})
}

// A soft error does not end a connection (RFC 5461); a hard one ends a
// handshake, and not what is established (RFC 5927).
func TestICMPErrorsAndConnections(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{})
		st.serve()
		st.mu.Lock()
		st.blind = false
		st.mu.Unlock()
		c := newSocket(t, h, domainOf(remote), socket.STREAM, 0)
		if err := c.Connect(t.Context(), netip.AddrPortFrom(remote, 80)); err != nil {
			t.Fatal(err)
		}
		st.take(nil)
		send(t, c, "ping")
		quote := st.take(func(p *packet) bool { _, data := p.tcp(); return len(data) > 0 })[0].frame
		refused := header.ICMP{Type: header.ICMPv4Unreachable, Code: header.ICMPv4PortUnreachable}
		if remote.Is6() {
			refused = header.ICMP{Type: header.ICMPv6Unreachable, Code: header.ICMPv6PortUnreachable}
		}
		st.icmpMessage(remote, localOf(remote), refused, quote)
		b := make([]byte, 4)
		if n, err := c.Recv(b, socket.MSG_WAITALL); n != 4 || err != nil {
			t.Errorf("an established connection: %d, %v", n, err)
		}
		exchangeWithEcho(t, c)

		st.onPacket(func(p *packet) {
			if p.isTCP(header.SYN) {
				st.icmpMessage(remote, localOf(remote), refused, p.frame)
			}
		})
		d := newSocket(t, h, domainOf(remote), socket.STREAM, 0)
		if err := d.Connect(t.Context(), netip.AddrPortFrom(remote, 80)); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a handshake: %v", err)
		}
	})
}

func TestRawSocketsSeeICMP(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{})
		proto, typ := socket.IPPROTO_ICMP, uint8(header.ICMPv4EchoRequest)
		if remote.Is6() {
			proto, typ = socket.IPPROTO_ICMPV6, header.ICMPv6EchoRequest
		}
		r := newSocket(t, h, domainOf(remote), socket.RAW, proto)
		st.take(nil)
		st.icmpMessage(remote, localOf(remote), header.ICMP{Type: typ}, []byte("hello"))
		b := make([]byte, 100)
		n, from, err := r.RecvFrom(b, 0)
		if err != nil || from.Addr() != remote || !bytes.HasSuffix(b[:n], []byte("hello")) {
			t.Errorf("%q from %v, %v", b[:n], from, err)
		}
		if want := map[bool]int{true: 20 + 8 + 5, false: 8 + 5}[remote.Is4()]; n != want {
			t.Errorf("%d bytes, want %d: IPv4 comes with its header, IPv6 without", n, want)
		}
		st.one("the host answers all the same", nil)
	})
}
