package berth_test

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// HOST-22: the TTL is for routers; at its destination a packet has arrived.
func TestAPacketWithoutHopsLeftHasArrived(t *testing.T) {
	h, st := stationed(t, berth.Config{})
	s := receiver(t, h, netip.AddrPortFrom(alice4, 9))
	for _, ttl := range []uint8{2, 1, 0} {
		ip := header.IPv4{TTL: ttl, Protocol: header.ProtocolUDP, Src: bob4, Dst: alice4}
		d := udpDatagram(netip.AddrPortFrom(bob4, 9), netip.AddrPortFrom(alice4, 9), []byte("hello"))
		ip.PayloadLen = len(d)
		st.frame(append(ip.Append(nil), d...))
		wantDatagram(t, s, 5)
	}
}

// HOST-41: whatever the packet was, the error about it has no priority.
func TestErrorsHaveNoPriority(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		_, st := stationed(t, berth.Config{})
		d := udpDatagram(netip.AddrPortFrom(remote, 9), netip.AddrPortFrom(localOf(remote), 9), nil)
		st.take(nil)
		st.ip(packet{src: remote, dst: localOf(remote), tos: 0xb8, protocol: header.ProtocolUDP, payload: d})
		if p := st.one("the error", portUnreachable); p.tos != 0 {
			t.Errorf("TOS %#x", p.tos)
		}
	})
}

// Messages that a host does not answer.
//
// DEF-43.
func TestICMPThatIsNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, st := stationed(t, berth.Config{}, wire.Ethernet())
		time.Sleep(time.Minute)
		echo := header.ICMP{Type: header.ICMPv4EchoRequest}
		for _, tt := range []struct {
			name string
			dst  string
			h    header.ICMP
		}{
			{"an echo request to the link's broadcast (HOST-65)", "10.0.0.255", echo},
			{"an echo request to the limited broadcast (HOST-65)", "255.255.255.255", echo},
			{"an echo request to a group (HOST-66)", "224.0.0.1", echo},
			{"an information request (HOST-72)", "10.0.0.1", header.ICMP{Type: 15}},
			{"a timestamp request", "10.0.0.1", header.ICMP{Type: 13}},
			{"an address mask request (HOST-90)", "10.0.0.1", header.ICMP{Type: 17}},
			{"an unknown type (HOST-37)", "10.0.0.1", header.ICMP{Type: 42}},
		} {
			st.take(nil)
			st.icmpMessage(bob4, netip.MustParseAddr(tt.dst), tt.h, make([]byte, 12))
			st.none(tt.name, nil)
		}
		st.icmpMessage(bob4, alice4, echo, nil)
		st.one("what is answered is", func(p *packet) bool { return p.arp == nil })
	})
}

// Between two links of a host nothing is forwarded (HOST-7), unless it is made a
// router (HOST-5, HOST-6). A packet that goes back where it came from is
// forwarded, too, without a redirect (HOST-52).
func TestOnlyARouterForwards(t *testing.T) {
	for forwarding, name := range map[bool]string{false: "a host", true: "a router"} {
		t.Run(name, func(t *testing.T) {
			h, st := stationed(t, berth.Config{Forwarding: forwarding})
			a, b := wire.Pair(wire.Offload(0))
			other := &station{t: t, dev: b}
			if err := b.Attach(other); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { b.Close() })
			attach(t, h, a, "10.1.0.1/24", "fd01::1/64")
			for _, ends := range [][3]string{{"10.0.0.2", "10.1.0.2", "10.0.0.3"}, {"fd00::2", "fd01::2", "fd00::3"}} {
				src := netip.MustParseAddr(ends[0])
				st.take(nil)
				other.take(nil)
				for _, dst := range ends[1:] {
					st.udp(netip.AddrPortFrom(src, 9), netip.AddrPortFrom(netip.MustParseAddr(dst), 9), []byte("x"))
				}
				there, back := len(other.take(isUDP)) == 1, len(st.take(isUDP)) == 1
				if there != forwarding || back != forwarding {
					t.Errorf("from %s: forwarded %v, back %v", src, there, back)
				}
				st.none("it is answered", nil)
			}
		})
	}
}

// HOST-138, HOST-141: the address of a network with all ones and with all zeros
// behind its prefix, and that of everybody, are broadcasts; those of classes
// are not. HOST-147: 224.0.0.1 is everybody on the link.
func TestFormsOfBroadcast(t *testing.T) {
	h, st := stationed(t, berth.Config{}, wire.Ethernet())
	s := receiver(t, h, netip.AddrPortFrom(netip.IPv4Unspecified(), 9))
	if err := s.SetNonblock(true); err != nil {
		t.Fatal(err)
	}
	for dst, heard := range map[string]bool{
		"10.0.0.255": true, "10.0.0.0": true, "255.255.255.255": true, "224.0.0.1": true,
		"10.255.255.255": false, "10.0.0.127": false, "224.0.0.77": false,
	} {
		st.udp(netip.AddrPortFrom(bob4, 9), netip.AddrPortFrom(netip.MustParseAddr(dst), 9), []byte("hello"))
		if n, err := s.Recv(make([]byte, 9), 0); (n == 5) != heard {
			t.Errorf("to %s: %d bytes, %v", dst, n, err)
		}
	}
}

// UDP-6, UDP-7: a datagram with a bad checksum is not received and not answered.
//
// DEF-54.
func TestDatagramsWithBadChecksumsAreDropped(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{})
		s := receiver(t, h, netip.AddrPortFrom(localOf(remote), 9))
		if err := s.SetNonblock(true); err != nil {
			t.Fatal(err)
		}
		for _, port := range []uint16{9, 10} {
			d := udpDatagram(netip.AddrPortFrom(remote, 9), netip.AddrPortFrom(localOf(remote), port), []byte("hello"))
			d[len(d)-1] ^= 1
			st.take(nil)
			st.ip(packet{src: remote, dst: localOf(remote), protocol: header.ProtocolUDP, payload: d})
			st.none("it is answered", nil)
			if n, err := s.Recv(make([]byte, 9), 0); err == nil {
				t.Errorf("%d bytes received", n)
			}
		}
		if n := h.Counters().UDP.BadChecksum.Load(); n != 2 {
			t.Errorf("%d counted, want 2", n)
		}
	})
}

// DEF-54: a datagram of IPv6 without a checksum is dropped (RFC 8200 8.1); of IPv4
// it is taken.
func TestDatagramsWithoutAChecksum(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{})
		s := receiver(t, h, netip.AddrPortFrom(localOf(remote), 9))
		d := udpDatagram(netip.AddrPortFrom(remote, 9), netip.AddrPortFrom(localOf(remote), 9), []byte("hello"))
		d[6], d[7] = 0, 0
		st.ip(packet{src: remote, dst: localOf(remote), protocol: header.ProtocolUDP, payload: d})
		if n, err := s.Recv(make([]byte, 9), socket.MSG_DONTWAIT); (err == nil) != remote.Is4() {
			t.Errorf("%d bytes received, %v", n, err)
		}
	})
}

// DEF-54: a reset that is right but for its checksum ends nothing.
func TestResetsWithBadChecksumsAreDropped(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{})
		p := playedServer(t, h, st, remote)
		b := tcpSegment(p.remote, p.local, header.TCP{Flags: header.RST, Seq: p.seq}, nil)
		b[16] ^= 1
		st.ip(packet{src: remote, dst: p.local.Addr(), protocol: header.ProtocolTCP, payload: b})
		p.send(header.ACK|header.PSH, "data")
		p.wantData(t, "data")
	})
}

// UDP-9: what is sent has a checksum, never 0, which would mean none.
func TestDatagramsHaveChecksums(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{})
		u := sender(t, h, remote)
		for i := range 1 << 16 { // among these is one whose sum is 0
			if _, err := u.Send([]byte{byte(i >> 8), byte(i)}, 0); err != nil {
				t.Fatal(err)
			}
			p := st.one("the datagram", isUDP)
			if p.payload[6] == 0 && p.payload[7] == 0 || !p.checksumGood() {
				t.Fatalf("datagram %d: checksum %x", i, p.payload[6:8])
			}
		}
	})
}

// HOST-13, HOST-137: a host sends from its own addresses, which a broadcast
// address is not.
func TestAPacketComesFromAnAddressOfTheHost(t *testing.T) {
	h, st := stationed(t, berth.Config{})
	for _, src := range []string{"10.0.0.9", "10.0.0.255", "255.255.255.255", "224.0.0.1", "10.0.0.0"} {
		u := newSocket(t, h, socket.INET, socket.DGRAM, 0)
		set(t, u, socket.SO_BROADCAST, 1)
		m := &socket.Message{Buffers: [][]byte{[]byte("x")}, Addr: netip.AddrPortFrom(bob4, 9)}
		m.Control.PktInfo, m.Control.Present = socket.PktInfo{Local: netip.MustParseAddr(src)}, socket.ControlPktInfo
		_, err := u.SendMsg(m, 0)
		bound := newSocket(t, h, socket.INET, socket.DGRAM, 0)
		if bound.Bind(netip.AddrPortFrom(netip.MustParseAddr(src), 0)) == nil {
			bound.SendTo([]byte("x"), 0, netip.AddrPortFrom(bob4, 9))
		}
		for _, p := range st.take(isUDP) {
			if p.src != alice4 {
				t.Errorf("from %s: sent from %v (%v)", src, p.src, err)
			}
		}
	}
}
