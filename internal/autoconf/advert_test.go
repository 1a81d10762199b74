package autoconf

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"example.com/berth/internal/header"
)

func TestParametersOfTheLink(t *testing.T) {
	w := started(t, Config{MTU: 1500})
	w.advert(header.RouterAdvert{CurHopLimit: 32, MTU: 1400, ReachableTime: 10 * second, RetransTimer: second / 2, Managed: true})
	w.want("first", "SetHopLimit 32", "SetMTU 1400", "SetTimers 10s 500ms")
	if !w.Managed() || w.Other() || w.retrans != second/2 {
		t.Error("flags or timer")
	}
	w.advert(header.RouterAdvert{CurHopLimit: 32, MTU: 1400, ReachableTime: 10 * second, RetransTimer: second / 2})
	w.want("the same")
	w.advert(header.RouterAdvert{})
	w.want("nothing specified changes nothing (RFC 4861 section 6.3.4)")
	for _, mtu := range []uint32{1279, 1501, 65536, 1<<32 - 1} {
		w.advert(header.RouterAdvert{MTU: mtu})
	}
	w.want("MTU out of range")
	if w.Stats().Ignored != 4 {
		t.Errorf("ignored %d", w.Stats().Ignored)
	}
	w.advert(header.RouterAdvert{RetransTimer: 1})
	w.want("passed on", "SetTimers 0s 1ns")
	if w.retrans != 10*time.Millisecond {
		t.Errorf("retransmits every %v", w.retrans)
	}
}

func TestDefaultRouters(t *testing.T) {
	w := started(t, Config{})
	w.advert(header.RouterAdvert{RouterLifetime: 30 * second})
	w.want("a router", "AddRoute ::/0 via fe80::99")
	w.RouterAdvert(w.now, other.WithZone("eth0"), &header.RouterAdvert{RouterLifetime: 60 * second, Preference: 1})
	w.want("another one", "AddRoute ::/0 via fe80::98 pref 1")
	w.advance(20 * second)
	w.advert(header.RouterAdvert{RouterLifetime: 30 * second, Preference: -1})
	w.want("new preference", "AddRoute ::/0 via fe80::99 pref -1")
	w.advance(29 * second)
	w.want("lives on")
	w.advance(second)
	w.want("the end of its lifetime", "RemoveRoute ::/0 via fe80::99")
	w.RouterAdvert(w.now, other, &header.RouterAdvert{RouterLifetime: 0})
	w.want("a router no more", "RemoveRoute ::/0 via fe80::98")
	w.RouterAdvert(w.now, other, &header.RouterAdvert{RouterLifetime: 0})
	w.want("again")
}

func TestRouterThatBecomesAHost(t *testing.T) {
	w := started(t, Config{})
	more := netip.MustParsePrefix("2001:db8:f::/48")
	w.advert(header.RouterAdvert{RouterLifetime: hour, RouteInfos: []header.RouteInfo{{Prefix: more, Lifetime: hour}}})
	w.RouterAdvert(w.now, other, &header.RouterAdvert{RouterLifetime: hour})
	w.Take(nil)
	w.RouterGone(router.WithZone("eth0"))
	w.want("gone", "RemoveRoute ::/0 via fe80::99", "RemoveRoute 2001:db8:f::/48 via fe80::99")
}

// RFC 4191 section 3.1, with its example.
func TestMoreSpecificRoutes(t *testing.T) {
	w := started(t, Config{})
	w.advert(header.RouterAdvert{
		RouterLifetime: 100 * second,
		RouteInfos:     []header.RouteInfo{{Prefix: defaultRoute, Preference: -1, Lifetime: 200 * second}},
	})
	w.want("the option prevails", "AddRoute ::/0 via fe80::99", "AddRoute ::/0 via fe80::99 pref -1")
	if r := w.Routes(nil); len(r) != 1 || r[0].Preference != -1 || r[0].Until-w.now != 200*second {
		t.Errorf("%+v", r)
	}
	p := netip.MustParsePrefix("2001:db8:f::/48")
	w.advert(header.RouterAdvert{RouteInfos: []header.RouteInfo{
		{Prefix: p, Lifetime: header.Infinite, Preference: 1},
		{Prefix: netip.MustParsePrefix("fe80::/64"), Lifetime: hour},
		{Prefix: netip.MustParsePrefix("ff00::/8"), Lifetime: hour},
	}})
	w.want("header without a lifetime, valid and invalid options",
		"RemoveRoute ::/0 via fe80::99", "AddRoute 2001:db8:f::/48 via fe80::99 pref 1")
	if w.Stats().Ignored != 2 {
		t.Errorf("ignored %d", w.Stats().Ignored)
	}
	w.advance(10000 * hour)
	w.want("infinite lifetime")
	w.advert(header.RouterAdvert{RouteInfos: []header.RouteInfo{{Prefix: p}}})
	w.want("withdrawn", "RemoveRoute 2001:db8:f::/48 via fe80::99")
}

func TestStatelessAddress(t *testing.T) {
	w := started(t, Config{})
	w.advert(prefixes(prefixInfo(net1, day, hour)))
	w.want("advertised", "AddRoute 2001:db8:1::/64",
		"AddAddress 2001:db8:1::ff:fe00:1/64 tentative", "SendNS 2001:db8:1::ff:fe00:1")
	w.advance(second)
	w.want("checked", "SetAddress 2001:db8:1::ff:fe00:1/64 preferred", "SendNA 2001:db8:1::ff:fe00:1")
	w.advance(hour - second)
	w.want("an hour", "SetAddress 2001:db8:1::ff:fe00:1/64 deprecated")
	w.advert(prefixes(prefixInfo(net1, day, hour)))
	w.want("advertised again", "SetAddress 2001:db8:1::ff:fe00:1/64 preferred")
	w.advance(day)
	w.want("a day", "SetAddress 2001:db8:1::ff:fe00:1/64 deprecated",
		"RemoveAddress 2001:db8:1::ff:fe00:1/64", "RemoveRoute 2001:db8:1::/64")
}

func TestWhichPrefixesAreTaken(t *testing.T) {
	pi := func(p string, onLink, auto bool, valid, preferred time.Duration) header.PrefixInfo {
		return header.PrefixInfo{Prefix: netip.MustParsePrefix(p), OnLink: onLink, Autonomous: auto, Valid: valid, Preferred: preferred}
	}
	for _, tt := range []struct {
		name           string
		p              header.PrefixInfo
		onLink, formed int
		ignored        uint64
	}{
		{"both", pi("2001:db8::/64", true, true, hour, hour), 1, 1, 0},
		{"on the link only", pi("2001:db8::/64", true, false, hour, hour), 1, 0, 0},
		{"addresses only", pi("2001:db8::/64", false, true, hour, hour), 0, 1, 0},
		{"unique local", pi("fd00:1::/64", true, true, hour, hour), 1, 1, 0},
		{"infinite", pi("2001:db8::/64", true, true, header.Infinite, header.Infinite), 1, 1, 0},
		{"another length", pi("2001:db8::/48", true, true, hour, hour), 1, 0, 1},
		{"link-local", pi("fe80::/64", true, true, hour, hour), 0, 0, 1},
		{"multicast", pi("ff00::/8", true, true, hour, hour), 0, 0, 1},
		{"everything", pi("::/0", true, true, hour, hour), 0, 0, 1},
		{"IPv4-mapped", pi("::ffff:0:0/96", true, true, hour, hour), 0, 0, 1},
		{"preferred longer than valid", pi("2001:db8::/64", true, true, hour, hour+second), 0, 0, 1},
		{"no lifetime", pi("2001:db8::/64", true, true, 0, 0), 0, 0, 0},
	} {
		w := started(t, Config{})
		w.advert(prefixes(tt.p))
		if onLink, formed := len(w.prefixes), w.learned(); onLink != tt.onLink || formed != tt.formed || w.Stats().Ignored != tt.ignored {
			t.Errorf("%s: %d on the link, %d addresses, ignored %d", tt.name, onLink, formed, w.Stats().Ignored)
		}
	}
}

// RFC 4862 section 5.5.3 e.
func TestTwoHours(t *testing.T) {
	for _, tt := range []struct{ remaining, advertised, want time.Duration }{
		{10 * hour, 20 * hour, 20 * hour}, // 1: greater than both
		{10 * hour, 3 * hour, 3 * hour},   // 1: greater than two hours
		{hour, hour + second, hour + second},
		{hour, hour / 2, hour}, // 2: ignored
		{2 * hour, 0, 2 * hour},
		{10 * hour, hour, 2 * hour}, // 3
		{10 * hour, 0, 2 * hour},
		{header.Infinite, 0, 2 * hour},
		{hour, header.Infinite, header.Infinite},
	} {
		t.Run(fmt.Sprint(tt.remaining, tt.advertised), func(t *testing.T) {
			w := started(t, Config{})
			w.advert(prefixes(prefixInfo(net1, tt.remaining, 0)))
			w.advert(prefixes(prefixInfo(net1, tt.advertised, min(tt.advertised, second))))
			a := w.lookup(addr1.Addr())
			want := until(w.now, tt.want)
			if a.Valid != want {
				t.Errorf("valid for %v, want %v", a.Valid-w.now, tt.want)
			}
			if got := a.Preferred - w.now; got != min(tt.advertised, second) {
				t.Errorf("preferred for %v", got)
			}
		})
	}
}

func TestStatelessDuplicateIsNotTriedAtEachAdvertisement(t *testing.T) {
	w := started(t, Config{})
	w.advert(prefixes(prefixInfo(net1, day, day)))
	w.Advertised(w.now, &header.NeighborAdvert{Target: addr1.Addr()})
	w.Take(nil)
	w.advert(prefixes(prefixInfo(net1, day, day)))
	w.want("advertised again")
	if w.State(addr1.Addr()) != Duplicate {
		t.Error(w.State(addr1.Addr()))
	}
}

func TestAdvertisementsCannotFillTheHost(t *testing.T) {
	w := started(t, Config{Temporary: true, Rand: counter()})
	nth := func(n int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, byte(n >> 8), byte(n)}), 64)
	}
	for n := range 2000 {
		src := netip.AddrFrom16([16]byte{0xfe, 0x80, 14: byte(n >> 8), 15: byte(n)})
		w.RouterAdvert(w.now, src, &header.RouterAdvert{
			RouterLifetime: hour,
			Prefixes:       []header.PrefixInfo{prefixInfo(nth(n), day, day)},
			RouteInfos:     []header.RouteInfo{{Prefix: nth(n + 5000), Lifetime: hour}},
			RDNSS:          []header.RDNSS{{Lifetime: hour, Servers: []netip.Addr{nth(n).Addr().Next()}}},
			DNSSL:          []header.DNSSL{{Lifetime: hour, Domains: []string{fmt.Sprint("d", n, ".test")}}},
		})
		w.advance(time.Millisecond)
	}
	servers, domains := w.DNS()
	if w.learned() != 16 || len(w.prefixes) != 16 || len(w.routes) != 16 || len(servers) != 8 || len(domains) != 8 {
		t.Errorf("%d addresses, %d prefixes, %d routes, %d servers, %d domains",
			w.learned(), len(w.prefixes), len(w.routes), len(servers), len(domains))
	}
	if w.Stats().Refused < 5*1900 {
		t.Errorf("refused %d", w.Stats().Refused)
	}
	// One of high preference still finds room.
	w.Take(nil)
	w.RouterAdvert(w.now, other, &header.RouterAdvert{RouterLifetime: hour, Preference: 1})
	w.want("preferred router", "RemoveRoute ::/0 via fe80::", "AddRoute ::/0 via fe80::98 pref 1")
}

func TestRoutersTakeNoAdvice(t *testing.T) {
	w := started(t, Config{IgnoreRouters: true})
	w.advert(header.RouterAdvert{RouterLifetime: hour, CurHopLimit: 3, Prefixes: []header.PrefixInfo{prefixInfo(net1, hour, hour)}})
	w.want("advertisement")
	if w.Stats().Adverts != 0 {
		t.Error("counted as taken")
	}
}

func TestDNS(t *testing.T) {
	at := netip.MustParseAddr
	w := started(t, Config{MaxDNS: 3})
	say := func(lifetime time.Duration, servers ...netip.Addr) {
		w.advert(header.RouterAdvert{RDNSS: []header.RDNSS{{Lifetime: lifetime, Servers: servers}}})
	}
	wantDNS := func(what string, want ...netip.Addr) {
		t.Helper()
		if got, _ := w.DNS(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	a, b, c, d := at("2001:db8::a"), at("2001:db8::b"), at("fe80::c"), at("2001:db8::d")
	say(100*second, a, b, a)
	w.want("two servers", "SetDNS")
	wantDNS("in the option's order", a, b)
	say(50*second, c)
	wantDNS("the new one first", c, a, b)
	say(200*second, d)
	wantDNS("the one that ends first gives way", d, a, b)
	w.Take(nil)
	say(300*second, a)
	w.want("a longer lifetime is no change")
	w.advance(100 * second)
	w.want("end of b", "SetDNS")
	wantDNS("after 100 s", d, a)
	say(0, d, c)
	wantDNS("withdrawn", a)
	w.Take(nil)
	say(100*second, at("ff02::1"), at("::"), at("::1"))
	w.want("no servers")
	if w.Stats().Ignored != 3 {
		t.Errorf("ignored %d", w.Stats().Ignored)
	}
	say(second, a, b, c, d)
	wantDNS("more than there is room for", b, c, d)
	w.advert(header.RouterAdvert{DNSSL: []header.DNSSL{{Lifetime: header.Infinite, Domains: []string{"example.com", "example.org"}}}})
	w.advance(10000 * hour)
	if servers, domains := w.DNS(); len(servers) != 0 || fmt.Sprint(domains) != "[example.com example.org]" {
		t.Errorf("%v, %v", servers, domains)
	}
}
