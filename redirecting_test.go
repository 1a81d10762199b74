package berth_test

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link/wire"
)

// onALink is a router whose one link has two neighbors, the station and other,
// by which it sends on to far4 and to far6.
func onALink(t *testing.T, cfg berth.Config) (*berth.Host, *station) {
	t.Helper()
	cfg.Forwarding = true
	h, st := stationed(t, cfg, wire.Ethernet())
	st.addrs = append(st.addrs, other4, otherLL)
	addRoute(t, h, "198.51.100.0/24", other4.String(), 0)
	addRoute(t, h, "2001:db8::/64", otherLL.String()+"%"+h.Interfaces()[1].Name(), 0)
	synctest.Wait()
	time.Sleep(5 * time.Second) // its link-local address is its own
	return h, st
}

var otherLL = netip.MustParseAddr("fe80::3")

// sends has the station send a datagram by the router, and returns the redirects
// that it gets for that, and what goes on. The datagram has the packet's payload.
func (s *station) sends(p packet) (redirects, on []*packet) {
	s.take(nil)
	p.protocol = header.ProtocolUDP
	p.payload = udpDatagram(netip.AddrPortFrom(p.src, 1), netip.AddrPortFrom(p.arrivesAt(), 2), p.payload)
	s.ip(p)
	for _, p := range s.take(nil) {
		switch {
		case p.isICMP(header.ICMPv4Redirect, header.ICMPv4RedirectHost), p.isICMP(header.ICMPv6Redirect, 0):
			redirects = append(redirects, p)
		case isUDP(p):
			on = append(on, p)
		}
	}
	return redirects, on
}

// HOST-4: a router that sends a packet on to where it came from tells its sender of
// the better first hop (RFC 1812 section 5.2.7.2).
func TestARouterRedirects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := onALink(t, berth.Config{})
		p := packet{src: bob4, dst: far4}
		redirects, on := st.sends(p)
		if len(redirects) != 1 || len(on) != 1 || on[0].dst != far4 || on[0].ttl != 63 {
			t.Fatalf("%d redirects, %d packets go on", len(redirects), len(on))
		}
		r := redirects[0]
		m, quote := r.icmp()
		if r.src != alice4 || r.dst != bob4 || m.Rest != other4.As4() || netip.AddrFrom4([4]byte(quote[16:])) != far4 || quote[8] != 64 {
			t.Errorf("from %v to %v: %v about % x", r.src, r.dst, m.Rest, quote)
		}
		if redirects, on = st.sends(p); len(redirects) != 0 || len(on) != 1 {
			t.Errorf("at once again: %d redirects, %d packets go on", len(redirects), len(on))
		}
		if n := h.Counters().ICMP.RedirectsSent.Load(); n != 1 {
			t.Errorf("%d are counted", n)
		}
	})
}

// HOST-4, and RFC 4861 section 8.2 for IPv6.
func TestARouterRedirectsIPv6(t *testing.T) {
	for _, tt := range []struct {
		name        string
		dst, target netip.Addr
	}{
		{"to another router", far6, otherLL},
		{"to a neighbor", netip.MustParseAddr("fd00::3"), netip.MustParseAddr("fd00::3")},
	} {
		synctest.Test(t, func(t *testing.T) {
			h, st := onALink(t, berth.Config{})
			st.addrs = append(st.addrs, tt.target)
			redirects, on := st.sends(packet{src: bob6, dst: tt.dst, ttl: 64})
			if len(redirects) != 1 || len(on) != 1 {
				t.Fatalf("%s: %d redirects, %d packets go on", tt.name, len(redirects), len(on))
			}
			r := redirects[0]
			var m header.Redirect
			if _, err := m.Parse(r.payload); err != nil {
				t.Fatal(err)
			}
			if r.src != linkLocal(t, h).WithZone("") || r.dst != bob6 || r.ttl != 255 || m.Target != tt.target || m.Destination != tt.dst || len(m.Quoted) < 40 {
				t.Errorf("%s: from %v to %v with %d hops: %+v", tt.name, r.src, r.dst, r.ttl, m)
			}
			redirects, _ = st.sends(packet{src: bob6, dst: tt.dst, ttl: 64})
			if len(redirects) != 0 {
				t.Errorf("%s: at once again", tt.name)
			}
			time.Sleep(time.Minute)
			redirects, _ = st.sends(packet{src: bob6, dst: tt.dst, ttl: 64, payload: make([]byte, 1400)})
			if len(redirects) != 1 || len(redirects[0].frame) > 14+header.MinMTU6 {
				t.Fatalf("%s: later %d redirects", tt.name, len(redirects))
			}
			if _, err := m.Parse(redirects[0].payload); err != nil || !m.HasTargetHW || m.TargetHW != stationMAC {
				t.Errorf("%s: the Ethernet address is %v, %v", tt.name, m.TargetHW, err)
			}
		})
	}
}

// HOST-4: who is not redirected.
func TestWhatARouterDoesNotRedirect(t *testing.T) {
	addr := netip.MustParseAddr
	for _, tt := range []struct {
		name string
		cfg  berth.Config
		p    packet
		gone bool // nothing goes on
	}{
		{name: "switched off", cfg: berth.Config{SendNoRedirects: true}, p: packet{src: bob4, dst: far4}},
		{name: "switched off, IPv6", cfg: berth.Config{SendNoRedirects: true}, p: packet{src: bob6, dst: far6}},
		{name: "from no neighbor", p: packet{src: addr("192.0.2.7"), dst: far4}},
		{name: "from the next hop", p: packet{src: other4, dst: far4}},
		{name: "by a source route", cfg: berth.Config{AcceptSourceRoute: true}, p: packet{src: bob4, dst: alice4, options: listOf(loose, 0, far4)}},
		{name: "a later fragment", p: packet{src: bob4, dst: far4, offset: 64}},
		{name: "no hops left", p: packet{src: bob4, dst: far4, ttl: 1}, gone: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			_, st := onALink(t, tt.cfg)
			redirects, on := st.sends(tt.p)
			if len(redirects) != 0 || (len(on) == 0) != tt.gone {
				t.Errorf("%s: %d redirects, %d packets go on", tt.name, len(redirects), len(on))
			}
		})
	}
}

// HOST-4: a router has no first hop for a packet that goes to another link.
func TestARouterBetweenLinksDoesNotRedirect(t *testing.T) {
	_, near, beyond := atRouter(t, berth.Config{Forwarding: true})
	if redirects, _ := near.sends(packet{src: bob4, dst: netip.MustParseAddr("192.0.2.7")}); len(redirects) != 0 {
		t.Error("it does")
	}
	beyond.one("what is sent on", isUDP)
}
