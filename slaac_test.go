package berth_test

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// The station as a router.
var (
	routerLL   = netip.MustParseAddr("fe80::2")
	nodes      = netip.MustParseAddr("ff02::1")
	global     = netip.MustParsePrefix("2001:db8:1::/64")
	elsewhere6 = netip.MustParseAddr("2001:db8:ffff::1")
)

// advert is a router advertisement that says all that there is to say.
func advert() header.RouterAdvert {
	return header.RouterAdvert{
		CurHopLimit: 33, RouterLifetime: 30 * time.Minute, HasSourceHW: true, SourceHW: stationMAC, MTU: 1400,
		Prefixes: []header.PrefixInfo{{
			Prefix: global, OnLink: true, Autonomous: true, Valid: 4 * time.Hour, Preferred: 2 * time.Hour,
		}},
		RDNSS: []header.RDNSS{{Lifetime: time.Hour, Servers: []netip.Addr{netip.MustParseAddr("2001:db8::53")}}},
		DNSSL: []header.DNSSL{{Lifetime: time.Hour, Domains: []string{"example.org"}}},
	}
}

func (s *station) advertise(ra header.RouterAdvert) { s.nd(routerLL, nodes, ra.Append(nil)) }

// routed returns a host that listens to routers, and a station that is one.
func routed(t *testing.T, cfg berth.IPv6Config) (*berth.Host, *berth.Interface, *station) {
	t.Helper()
	cfg.AcceptRouters = true
	h, st := stationed(t, berth.Config{IPv6: cfg}, wire.Ethernet())
	st.addrs = append(st.addrs, routerLL)
	return h, h.Interfaces()[1], st
}

// autoAddrs are the addresses that an interface made in a prefix.
func autoAddrs(ifc *berth.Interface, p netip.Prefix) (addrs []berth.Addr) {
	for _, a := range ifc.Addrs() {
		if a.Auto && p.Contains(a.Prefix.Addr()) {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// gateway is the default route's.
func gateway(h *berth.Host) (via netip.Addr) {
	for _, r := range h.Routes() {
		if r.Dst == netip.MustParsePrefix("::/0") {
			via = r.Via
		}
	}
	return via
}

func TestAHostConfiguresItselfFromARouter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, ifc, st := routed(t, berth.IPv6Config{})
		time.Sleep(10 * time.Second)
		if !slices.ContainsFunc(st.take(nil), func(p *packet) bool {
			return p.isICMP(header.ICMPv6RouterSolicit, 0) && p.dst.String() == "ff02::2" && p.src.IsLinkLocalUnicast() && p.ttl == 255
		}) {
			t.Error("no router was solicited")
		}
		st.advertise(advert())
		time.Sleep(5 * time.Second)

		addrs := autoAddrs(ifc, global)
		if len(addrs) != 1 || addrs[0].Tentative || addrs[0].Deprecated {
			t.Fatalf("addresses: %+v", addrs)
		}
		own := addrs[0].Prefix.Addr()
		if via := gateway(h); via.WithZone("") != routerLL {
			t.Errorf("the default route goes through %v", via)
		}
		servers, domains := ifc.DNS()
		if len(servers) != 1 || servers[0].String() != "2001:db8::53" || !slices.Equal(domains, []string{"example.org"}) {
			t.Errorf("DNS: %v, %v", servers, domains)
		}
		if mtu := pathMTU(t, h, elsewhere6); mtu != 1400 {
			t.Errorf("the MTU is %d, want 1400", mtu)
		}
		if mtu := pathMTU(t, h, bob4); mtu != 1500 {
			t.Errorf("the MTU of IPv4 is %d: a router of IPv6 has no say in it", mtu)
		}
		st.take(nil)
		send(t, sender(t, h, elsewhere6), "hello")
		p := st.one("a packet to elsewhere", isUDP)
		if p.eth.Dst != stationMAC || p.ttl != 33 || p.src != own {
			t.Errorf("from %v to %v, hop limit %d", p.src, p.eth.Dst, p.ttl)
		}
		send(t, sender(t, h, bob4), "hello")
		if p := st.one("a packet of IPv4", isUDP); p.ttl != 64 {
			t.Errorf("its TTL is %d, want 64", p.ttl)
		}

		// All of it ends.
		time.Sleep(31 * time.Minute)
		if via := gateway(h); via.IsValid() {
			t.Errorf("after half an hour there is a default route, through %v", via)
		}
		time.Sleep(30 * time.Minute)
		if servers, _ := ifc.DNS(); len(servers) != 0 {
			t.Errorf("after an hour there is a name server: %v", servers)
		}
		time.Sleep(time.Hour)
		if addrs = autoAddrs(ifc, global); len(addrs) != 1 || !addrs[0].Deprecated {
			t.Errorf("after two hours: %+v", addrs)
		}
		time.Sleep(2 * time.Hour)
		if addrs = autoAddrs(ifc, global); len(addrs) != 0 {
			t.Errorf("after four hours: %+v", addrs)
		}
	})
}

// An hour of advertisements every few minutes keeps everything.
func TestAdvertisementsKeepWhatTheyGave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, ifc, st := routed(t, berth.IPv6Config{})
		time.Sleep(10 * time.Second)
		for range 12 * 24 {
			st.advertise(advert())
			time.Sleep(5 * time.Minute)
		}
		if addrs := autoAddrs(ifc, global); len(addrs) != 1 || addrs[0].Deprecated {
			t.Errorf("after a day: %+v", addrs)
		}
		if !gateway(h).IsValid() {
			t.Error("after a day there is no default route")
		}
		ra := advert()
		ra.RouterLifetime = 0
		st.advertise(ra)
		if gateway(h).IsValid() {
			t.Error("the router that says that it is none still is the default one")
		}
	})
}

func TestAForwardingHostIgnoresRouters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := stationed(t, berth.Config{Forwarding: true, IPv6: berth.IPv6Config{AcceptRouters: true}}, wire.Ethernet())
		time.Sleep(10 * time.Second)
		st.advertise(advert())
		time.Sleep(10 * time.Second)
		if gateway(h).IsValid() || len(autoAddrs(h.Interfaces()[1], global)) > 0 {
			t.Error("it took what a router said")
		}
	})
}

// An advertisement from further away than the link, or from an address that is
// not of the link, changes nothing.
//
// DEF-41.
func TestForgedAdvertisementsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _, st := routed(t, berth.IPv6Config{})
		time.Sleep(10 * time.Second)
		ra := advert()
		b := ra.Append(nil)
		header.PutICMPv6Checksum(b, routerLL, nodes)
		st.ip(packet{src: routerLL, dst: nodes, protocol: header.ProtocolICMPv6, ttl: 64, payload: b})
		st.nd(bob6, nodes, ra.Append(nil))
		if gateway(h).IsValid() {
			t.Error("there is a default route")
		}
		if n := h.Counters().Neighbor.Malformed.Load(); n != 2 {
			t.Errorf("%d counted, want 2", n)
		}
	})
}

// DEF-44.
func TestDuplicateAddressesAreFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := stationed(t, berth.Config{IPv6: berth.IPv6Config{DetectDuplicates: true}}, wire.Ethernet())
		ifc := h.Interfaces()[1]
		state := func(a netip.Addr) berth.Addr {
			all := ifc.Addrs()
			return all[slices.IndexFunc(all, func(x berth.Addr) bool { return x.Prefix.Addr() == a })]
		}
		if !state(alice6).Tentative {
			t.Error("an address is used before it is checked")
		}
		s := newSocket(t, h, socket.INET6, socket.DGRAM, 0)
		if err := s.Bind(netip.AddrPortFrom(alice6, 5)); err == nil {
			t.Error("a socket is bound to a tentative address")
		}
		time.Sleep(5 * time.Second)
		if state(alice6).Tentative {
			t.Error("after five seconds the address is tentative")
		}
		probe := st.take(asks(alice6))
		if len(probe) != 1 || !probe[0].src.IsUnspecified() {
			t.Errorf("%d probes", len(probe))
		}
		// The address that the station has.
		taken := netip.MustParseAddr("fd00::9")
		st.onPacket(func(p *packet) {
			if asks(taken)(p) {
				na := header.NeighborAdvert{Target: taken, Override: true, HasTargetHW: true, TargetHW: stationMAC}
				st.nd(taken, nodes, na.Append(nil))
			}
		})
		if err := ifc.AddAddr(netip.PrefixFrom(taken, 64)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if !state(taken).Tentative {
			t.Error("a duplicate address is used")
		}
		if n := h.Counters().Neighbor.Duplicates.Load(); n != 1 {
			t.Errorf("%d duplicates counted, want 1", n)
		}
		// What others check and this host has is defended.
		st.take(nil)
		ns := header.NeighborSolicit{Target: alice6}
		st.nd(netip.IPv6Unspecified(), netip.MustParseAddr("ff02::1:ff00:1"), ns.Append(nil))
		p := st.one("the defence", nil)
		if !p.isICMP(header.ICMPv6NeighborAdvert, 0) || p.dst != nodes {
			t.Errorf("the answer to %v is %x", p.dst, p.payload)
		}
	})
}

func TestLinkLocalAddressesNeedTheirZone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := wire.Pair(wire.Ethernet(), wire.Names("east", "west"))
		alice := hostOn(t, berth.Config{Name: "alice"}, a)
		bob := hostOn(t, berth.Config{Name: "bob"}, b)
		time.Sleep(5 * time.Second)
		zoned := linkLocal(t, bob).WithZone("east") // as alice sees bob
		own := linkLocal(t, bob)

		l := listenOn(t, bob, netip.AddrPortFrom(own, 80), 1)
		c := newSocket(t, alice, socket.INET6, socket.STREAM, 0)
		if err := c.Connect(t.Context(), netip.AddrPortFrom(zoned.WithZone(""), 80)); err == nil {
			t.Error("connected to a link-local address without a zone")
		}
		c = newSocket(t, alice, socket.INET6, socket.STREAM, 0)
		if err := c.Connect(t.Context(), netip.AddrPortFrom(zoned, 80)); err != nil {
			t.Fatal(err)
		}
		s, peer, err := l.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if peer.Addr() != linkLocal(t, alice).WithZone("west") {
			t.Errorf("the peer is %v", peer)
		}
		transfer(t, c, s, 100_000)
		s.Close()

		// By its number, and to itself.
		c = newSocket(t, alice, socket.INET6, socket.STREAM, 0)
		if err := c.Connect(t.Context(), netip.AddrPortFrom(zoned.WithZone("2"), 80)); err != nil {
			t.Error("by number:", err)
		}
		c = newSocket(t, bob, socket.INET6, socket.STREAM, 0)
		if err := c.Connect(t.Context(), netip.AddrPortFrom(own, 80)); err != nil {
			t.Error("to itself:", err)
		}
		u, r := sender(t, bob, own), receiver(t, bob, netip.AddrPortFrom(own, 9))
		send(t, u, "hello")
		wantDatagram(t, r, 5)
	})
}

// A link that goes down is forgotten, and comes back as a new one.
func TestALinkGoesDownAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, ifc, st := routed(t, berth.IPv6Config{})
		time.Sleep(5 * time.Second)
		st.advertise(advert())
		time.Sleep(5 * time.Second)
		own := autoAddrs(ifc, global)
		st.serve()
		c4, c6 := newSocket(t, h, socket.INET, socket.STREAM, 0), newSocket(t, h, socket.INET6, socket.STREAM, 0)
		for c, addr := range map[socket.Socket]netip.Addr{c4: bob4, c6: elsewhere6} {
			if err := c.Connect(t.Context(), netip.AddrPortFrom(addr, 80)); err != nil {
				t.Fatal(err)
			}
			exchangeWithEcho(t, c)
		}

		st.dev.SetUp(false)
		if gateway(h).IsValid() || len(autoAddrs(ifc, global)) > 0 {
			t.Error("what a router said outlives the link")
		}
		s := newSocket(t, h, socket.INET, socket.DGRAM, 0)
		if _, err := s.SendTo([]byte("x"), 0, netip.AddrPortFrom(bob4, 9)); err == nil {
			t.Error("sent over a link that is down")
		}
		send(t, c4, "ping")
		time.Sleep(20 * time.Second)

		st.dev.SetUp(true)
		time.Sleep(2 * time.Second)
		st.advertise(advert())
		time.Sleep(5 * time.Second)
		if again := autoAddrs(ifc, global); !slices.Equal(again, own) {
			t.Errorf("the address is %v, was %v", again, own)
		}
		b := make([]byte, 4)
		c4.SetReadDeadline(time.Now().Add(2 * time.Minute))
		if n, err := c4.Recv(b, socket.MSG_WAITALL); n != 4 || err != nil {
			t.Errorf("what was sent while the link was down: %d, %v", n, err)
		}
		exchangeWithEcho(t, c6)
	})
}
