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

// other is a neighbor beside the station, which the station plays too.
var (
	other4   = netip.MustParseAddr("10.0.0.3")
	otherMAC = header.MAC{2, 0, 0, 0, 0, 3}
	far4     = netip.MustParseAddr("198.51.100.1")
	far6     = netip.MustParseAddr("2001:db8::1")
)

// redirectable is a host that sends to far4 through the station.
func redirectable(t *testing.T, cfg berth.Config) (*berth.Host, *station) {
	t.Helper()
	h, st := stationed(t, cfg, wire.Ethernet())
	addRoute(t, h, "0.0.0.0/0", "10.0.0.2", 0)
	st.onPacket(func(p *packet) {
		if p.arp != nil && p.arp.Op == header.ARPRequest && p.arp.Target == other4 {
			st.arp(header.ARP{
				Op: header.ARPReply, SenderHW: otherMAC, Sender: other4,
				TargetHW: p.arp.SenderHW, Target: p.arp.Sender,
			}, p.arp.SenderHW)
		}
	})
	return h, st
}

// goesTo fails unless what s sends goes to an Ethernet address.
func goesTo(t *testing.T, what string, st *station, s socket.Socket, want header.MAC) *packet {
	t.Helper()
	send(t, s, "x")
	p := st.one(what, isUDP)
	if p.eth.Dst != want {
		t.Errorf("%s: the packet goes to %v, want %v", what, p.eth.Dst, want)
	}
	return p
}

// HOST-53, HOST-54: a redirect makes packets to the destination that it is about
// go to the gateway that it names, also if it is said to be for a network
// (HOST-97).
func TestARedirectIsFollowed(t *testing.T) {
	for code := range uint8(4) {
		synctest.Test(t, func(t *testing.T) {
			h, st := redirectable(t, berth.Config{})
			u, neighbor := sender(t, h, far4), sender(t, h, far4.Next())
			quote := goesTo(t, "before", st, u, stationMAC).frame[14:]
			st.icmpMessage(bob4, alice4, header.ICMP{Type: header.ICMPv4Redirect, Code: code, Rest: other4.As4()}, quote)
			goesTo(t, "after", st, u, otherMAC)
			goesTo(t, "another destination", st, neighbor, stationMAC)
			if n := h.Counters().ICMP.Redirects.Load(); n != 1 {
				t.Errorf("%d redirects were believed", n)
			}
			time.Sleep(10 * time.Minute) // it ends
			goesTo(t, "later", st, sender(t, h, far4), stationMAC)
		})
	}
}

// A gateway that was named and does not answer is not used.
func TestARedirectToADeadGatewayIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := redirectable(t, berth.Config{})
		u := sender(t, h, far4)
		quote := goesTo(t, "before", st, u, stationMAC).frame[14:]
		dead := netip.MustParseAddr("10.0.0.4")
		st.icmpMessage(bob4, alice4, header.ICMP{Type: header.ICMPv4Redirect, Code: 1, Rest: dead.As4()}, quote)
		send(t, u, "x")
		time.Sleep(5 * time.Second)
		st.take(nil)
		_, _ = socket.Get(u, socket.SO_ERROR) // that of the one that was lost
		goesTo(t, "after", st, u, stationMAC)
	})
}

// HOST-55: an illegal redirect changes nothing, and no redirect is answered. The
// attacks are those of who is not the gateway.
//
// DEF-41.
func TestIllegalRedirectsAreIgnored(t *testing.T) {
	addr := netip.MustParseAddr
	for _, tt := range []struct {
		name         string
		cfg          berth.Config
		from, to     string
		quotesOthers bool
	}{
		{name: "not from the gateway", from: "10.0.0.9", to: "10.0.0.3"},
		{name: "to another network", from: "10.0.0.2", to: "192.0.2.1"},
		{name: "to the host itself", from: "10.0.0.2", to: "10.0.0.1"},
		{name: "to the gateway itself", from: "10.0.0.2", to: "10.0.0.2"},
		{name: "to everybody", from: "10.0.0.2", to: "10.0.0.255"},
		{name: "to a group", from: "10.0.0.2", to: "224.0.0.1"},
		{name: "to nobody", from: "10.0.0.2", to: "0.0.0.0"},
		{name: "about another's packet", from: "10.0.0.2", to: "10.0.0.3", quotesOthers: true},
		{name: "to a router", cfg: berth.Config{Forwarding: true}, from: "10.0.0.2", to: "10.0.0.3"},
		{name: "to who is no gateway", cfg: berth.Config{SecureRedirects: true}, from: "10.0.0.2", to: "10.0.0.3"},
		{name: "to a host that wants none", cfg: berth.Config{IgnoreRedirects: true}, from: "10.0.0.2", to: "10.0.0.3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, st := redirectable(t, tt.cfg)
			u := sender(t, h, far4)
			quote := goesTo(t, "before", st, u, stationMAC).frame[14:]
			if tt.quotesOthers {
				quote = encode(packet{src: addr("10.0.0.8"), dst: far4, protocol: header.ProtocolUDP, payload: quote[20:]})
			}
			m := header.ICMP{Type: header.ICMPv4Redirect, Code: 1, Rest: addr(tt.to).As4()}
			st.icmpMessage(addr(tt.from), alice4, m, quote)
			st.none("a redirect is answered", nil)
			goesTo(t, "after", st, u, stationMAC)
			if n := h.Counters().ICMP.Redirects.Load(); n != 0 {
				t.Errorf("%d redirects were believed", n)
			}
		})
	}
}

// RFC 4861 section 8: of IPv6 a redirect comes from the router's link-local address
// with a hop limit of 255, and names a router, or the destination as a neighbor.
func TestRedirectsOfIPv6(t *testing.T) {
	for _, tt := range []struct {
		name   string
		from   netip.Addr
		target netip.Addr
		hops   uint8
		want   header.MAC
	}{
		{"to another router", routerLL, otherLL, 255, otherMAC},
		{"to a neighbor", routerLL, far6, 255, otherMAC},
		{"from afar", routerLL, otherLL, 254, stationMAC},
		{"not from the router", netip.MustParseAddr("fe80::9"), otherLL, 255, stationMAC},
		{"to an address that is no router's", routerLL, far6.Next(), 255, stationMAC},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, st := stationed(t, berth.Config{}, wire.Ethernet())
			st.addrs = append(st.addrs, routerLL)
			addRoute(t, h, "::/0", routerLL.String()+"%"+h.Interfaces()[1].Name(), 0)
			u := sender(t, h, far6)
			before := goesTo(t, "before", st, u, stationMAC)
			m := header.Redirect{Target: tt.target, Destination: far6, HasTargetHW: true, TargetHW: otherMAC, Quoted: before.frame[14:]}
			b := m.Append(nil)
			header.PutICMPv6Checksum(b, tt.from, before.src)
			st.ip(packet{src: tt.from, dst: before.src, protocol: header.ProtocolICMPv6, ttl: tt.hops, payload: b})
			goesTo(t, "after", st, u, tt.want)
		})
	}
}

// With SecureRedirects a redirect to a gateway that is known is still believed.
func TestASecureRedirectIsFollowed(t *testing.T) {
	h, st := redirectable(t, berth.Config{SecureRedirects: true})
	addRoute(t, h, "192.0.2.0/24", other4.String(), 0)
	u := sender(t, h, far4)
	quote := goesTo(t, "before", st, u, stationMAC).frame[14:]
	st.icmpMessage(bob4, alice4, header.ICMP{Type: header.ICMPv4Redirect, Code: 1, Rest: other4.As4()}, quote)
	goesTo(t, "after", st, u, otherMAC)
}
