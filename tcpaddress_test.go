package berth_test

import (
	"errors"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// A SYN to or from an address that is not one host's opens nothing, and is not
// answered, nor is any other segment.
//
// DEF-26.
func TestSegmentsOfImpossibleAddressesAreIgnored(t *testing.T) {
	for _, tt := range []struct{ name, src, dst string }{
		{"to the link's broadcast (MUST-57)", "10.0.0.2", "10.0.0.255"},
		{"to the limited broadcast (MUST-57)", "10.0.0.2", "255.255.255.255"},
		{"to a group (MUST-57)", "10.0.0.2", "224.0.0.1"},
		{"to a group of IPv6 (MUST-57)", "fd00::2", "ff02::1"},
		{"from a group (MUST-63)", "224.0.0.1", "10.0.0.1"},
		{"from the link's broadcast (MUST-63)", "10.0.0.255", "10.0.0.1"},
		{"from the limited broadcast (MUST-63)", "255.255.255.255", "10.0.0.1"},
		{"from loopback (MUST-63)", "127.0.0.1", "10.0.0.1"},
		{"from nobody (MUST-63)", "0.0.0.0", "10.0.0.1"},
		{"from the host itself (DEF-26)", "10.0.0.1", "10.0.0.1"},
		{"from the host itself, of IPv6 (DEF-26)", "fd00::1", "fd00::1"},
		{"from a group of IPv6 (MUST-63)", "ff02::1", "fd00::1"},
		{"from nobody of IPv6 (MUST-63)", "::", "fd00::1"},
		{"from loopback of IPv6 (MUST-63)", "::1", "fd00::1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, st := stationed(t, berth.Config{}, wire.Ethernet())
			src, dst := netip.MustParseAddr(tt.src), netip.MustParseAddr(tt.dst)
			all := netip.IPv4Unspecified()
			if dst.Is6() {
				all = netip.IPv6Unspecified()
			}
			listenOn(t, h, netip.AddrPortFrom(all, 80), 8)
			for _, port := range []uint16{80, 81} {
				for _, flags := range []header.TCPFlags{header.SYN, header.ACK, header.SYN | header.ACK, header.FIN} {
					st.segment(netip.AddrPortFrom(src, 1000), netip.AddrPortFrom(dst, port), header.TCP{Flags: flags, Window: 1000}, nil)
					st.none("it is answered", isTCP)
				}
			}
			if n := h.Counters().TCP.Machine.PassiveOpens.Load(); n != 0 || len(states(h)) != 1 {
				t.Errorf("%d connections were opened, sockets are %v, want the listener alone", n, states(h))
			}
		})
	}
}

// MUST-44: who does not bind gets the address that IP picks for the destination.
// MUST-45: and keeps it, whatever becomes of the routes.
func TestAConnectionKeepsItsLocalAddress(t *testing.T) {
	a, b := wire.Pair(wire.Offload(0))
	st := &station{t: t, dev: b}
	if err := b.Attach(st); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	h := hostOn(t, berth.Config{}, a, "10.0.0.1/24", "10.0.1.1/24", "fd00::1/64", "2001:db8::1/64")
	for _, tt := range []struct{ remote, prefix, via, local, after string }{
		{"198.51.100.9", "198.51.100.0/24", "10.0.0.2", "10.0.0.1", "10.0.1.2"},
		{"2001:db8:9::9", "2001:db8:9::/48", "fd00::2", "2001:db8::1", "2001:db8::2"},
	} {
		addRoute(t, h, tt.prefix, tt.via, 10)
		remote := netip.MustParseAddr(tt.remote)
		st.serve()
		c := newSocket(t, h, domainOf(remote), socket.STREAM, 0)
		if err := c.Connect(t.Context(), netip.AddrPortFrom(remote, 80)); err != nil {
			t.Fatal(err)
		}
		if got := c.LocalAddr().Addr().String(); got != tt.local {
			t.Errorf("to %s from %s, want %s", tt.remote, got, tt.local)
		}
		addRoute(t, h, tt.prefix, tt.after, 1) // a new connection would take another
		st.mu.Lock()
		st.blind = false
		st.mu.Unlock()
		st.take(nil)
		c.SetDeadline(time.Now().Add(10 * time.Second))
		exchangeWithEcho(t, c)
		all := st.take(isTCP)
		if len(all) == 0 || slices.ContainsFunc(all, func(p *packet) bool { return p.src.String() != tt.local }) {
			t.Errorf("%d segments, not all from %s", len(all), tt.local)
		}
	}
}

// MUST-42: a socket listens on a port while a connection from that port is being
// opened, and MUST-41: it leaves that connection alone.
func TestAPortListensWhileAConnectionFromItIsOpened(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		h, st := stationed(t, berth.Config{})
		local := netip.AddrPortFrom(localOf(remote), 1000)
		reusing := func() socket.Socket {
			s := newSocket(t, h, domainOf(remote), socket.STREAM, 0)
			set(t, s, socket.SO_REUSEADDR, 1)
			if err := s.Bind(local); err != nil {
				t.Fatal(err)
			}
			return s
		}
		c := reusing()
		if err := c.SetNonblock(true); err != nil {
			t.Fatal(err)
		}
		c.Connect(t.Context(), netip.AddrPortFrom(remote, 80))
		syn := st.one("the SYN", isTCP)
		wantState(t, c, socket.TCP_SYN_SENT)
		l := reusing()
		if err := l.Listen(8); err != nil {
			t.Fatal(err)
		}
		wantState(t, c, socket.TCP_SYN_SENT)
		// Somebody else calls, and is in SYN-RECEIVED when the answer comes.
		st.segment(netip.AddrPortFrom(remote, 7), local, header.TCP{Flags: header.SYN, Window: 1000}, nil)
		th, _ := syn.tcp()
		st.segment(netip.AddrPortFrom(remote, 80), local, header.TCP{Flags: header.SYN | header.ACK, Ack: th.Seq.Add(1), Window: 1000}, nil)
		wantState(t, c, socket.TCP_ESTABLISHED)
		if all := states(h); !slices.Contains(all, socket.TCP_SYN_RECV) || !slices.Contains(all, socket.TCP_LISTEN) {
			t.Errorf("states %v", all)
		}
	})
}

// MUST-43: who listens at one address of a host is called at no other.
func TestAListenerHasTheAddressThatItNamed(t *testing.T) {
	alice, bob := pair(t)
	for _, ends := range [][2]string{{"10.0.0.2", "10.0.0.3"}, {"fd00::2", "fd00::3"}} {
		named, other := netip.MustParseAddr(ends[0]), netip.MustParseAddr(ends[1])
		if err := bob.Interfaces()[1].AddAddr(netip.PrefixFrom(other, map[bool]int{true: 24, false: 64}[other.Is4()])); err != nil {
			t.Fatal(err)
		}
		listenOn(t, bob, netip.AddrPortFrom(named, 80), 8)
		for addr, want := range map[netip.Addr]error{named: nil, other: syscall.ECONNREFUSED} {
			c := newSocket(t, alice, domainOf(addr), socket.STREAM, 0)
			if err := c.Connect(t.Context(), netip.AddrPortFrom(addr, 80)); !errors.Is(err, want) {
				t.Errorf("to %v: %v, want %v", addr, err, want)
			}
		}
	}
}
