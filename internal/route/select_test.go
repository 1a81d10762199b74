package route

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// sources reads candidates as addresses does.
func sources(s string) *Sources {
	l := addresses(s)
	slices.SortStableFunc(l, func(a, b Address) int { return a.Interface - b.Interface })
	return indexed(l)
}

func indexed(list []Address) *Sources {
	var l Sources
	for _, a := range list {
		l.Add(a)
	}
	return &l
}

// addresses reads candidates: "2001:db8::1/64 deprecated temporary if2", one
// after the other, separated by commas. The interface is 1 unless it is said.
func addresses(s string) (list []Address) {
	for item := range strings.SplitSeq(s, ",") {
		f := strings.Fields(item)
		if len(f) == 0 {
			continue
		}
		a := Address{Interface: 1}
		if strings.Contains(f[0], "/") {
			a.Prefix = netip.MustParsePrefix(f[0])
		} else if ip := addr(f[0]); ip.Is4() {
			a.Prefix = netip.PrefixFrom(ip, 24)
		} else {
			a.Prefix = netip.PrefixFrom(ip, 64)
		}
		for _, word := range f[1:] {
			switch word {
			case "deprecated":
				a.Deprecated = true
			case "temporary":
				a.Temporary = true
			default:
				a.Interface = int(word[2] - '0')
			}
		}
		list = append(list, a)
	}
	return list
}

func TestSourceIPv6(t *testing.T) {
	for _, tt := range []struct{ why, dst, candidates, want string }{
		// RFC 6724 section 10.1, but for home addresses.
		{"appropriate scope", "2001:db8:1::1", "2001:db8:3::1, fe80::1", "2001:db8:3::1"},
		{"appropriate scope, the other way round", "2001:db8:1::1", "fe80::1, 2001:db8:3::1", "2001:db8:3::1"},
		{"appropriate scope, multicast", "ff05::1", "2001:db8:3::1, fe80::1", "2001:db8:3::1"},
		{"same address", "2001:db8:1::1", "2001:db8:1::1 deprecated, 2001:db8:2::1", "2001:db8:1::1"},
		{"appropriate scope before deprecated", "fe80::1", "fe80::2 deprecated, 2001:db8:1::1", "fe80::2"},
		{"longest matching prefix", "2001:db8:1::1", "2001:db8:3::2, 2001:db8:1::2", "2001:db8:1::2"},
		{
			"matching label", "2002:c633:6401::1", "2001:db8:1::2, 2002:c633:6401::d5e3:7953:13eb:22e8 temporary",
			"2002:c633:6401::d5e3:7953:13eb:22e8",
		},
		{
			"temporary address", "2001:db8:1::d5e3:0:0:1", "2001:db8:1::2, 2001:db8:1::d5e3:7953:13eb:22e8 temporary",
			"2001:db8:1::d5e3:7953:13eb:22e8",
		},
		// The rules that have no example there.
		{"avoid deprecated", "2001:db8:1::1", "2001:db8:1::2 deprecated, 2001:db8:9::2", "2001:db8:9::2"},
		{"outgoing interface", "2001:db8:1::1", "2001:db8:1::2 if2, 2001:db8:9::2 if1", "2001:db8:9::2"},
		{"another interface rather than none", "2001:db8:1::1", "2001:db8:1::2 if2", "2001:db8:1::2"},
		{"another interface for its scope", "2001:db8:1::1", "fe80::1 if1, 2001:db8:1::2 if2", "2001:db8:1::2"},
		{"never another interface to a link-local address", "fe80::9", "fe80::2 if2", ""},
		{"never another interface to a group", "ff02::1", "fe80::2 if2", ""},
		{"a group on the link", "ff02::1", "2001:db8:3::1, fe80::1", "fe80::1"},
		{"the smallest scope that is large enough", "fec0::1", "2001:db8::1, fec0:0:0:1::1, fe80::1", "fec0:0:0:1::1"},
		{"ULA by label", "fd00:1::1", "2001:db8::1, fd00:2::1", "fd00:2::1"},
		{"the interface's identifier does not count as prefix", "2001:db8:1::ff", "2001:db8:1::1, 2001:db8:1::fe", "2001:db8:1::1"},
		{"the first of equals", "2001:db8:1::ff", "2001:db8:2::1, 2001:db8:3::1", "2001:db8:2::1"},
		{"a link-local address if there is no other", "2001:db8:1::1", "fe80::1, 10.0.0.1", "fe80::1"},
		{"loopback", "::1", "fe80::1, ::1/128", "::1"},
		{"no IPv6 address", "2001:db8::1", "10.0.0.1", ""},
	} {
		var s Selector
		got, ok := s.Source(addr(tt.dst), &Route{Interface: 1}, sources(tt.candidates))
		if ok != (tt.want != "") || ok && got != addr(tt.want) {
			t.Errorf("%s: to %s from %s: %v, want %s", tt.why, tt.dst, tt.candidates, got, tt.want)
		}
	}
}

func TestPreferPublic(t *testing.T) {
	s := Selector{PreferPublic: true}
	got, _ := s.Source(addr("2001:db8:1::1"), &Route{Interface: 1}, sources("2001:db8:1::8 temporary, 2001:db8:1::9"))
	if got != addr("2001:db8:1::9") {
		t.Errorf("source %v", got)
	}
}

func TestSourceIPv4(t *testing.T) {
	for _, tt := range []struct{ why, dst, gateway, candidates, want string }{
		{"in the subnet of the destination", "10.0.0.9", "", "192.168.0.1, 10.0.0.1, 10.0.0.2", "10.0.0.1"},
		{"in the subnet of the gateway", "8.8.8.8", "10.0.0.254", "192.168.0.1, 10.0.0.1", "10.0.0.1"},
		{"the first, if none is in the subnet", "8.8.8.8", "172.16.0.1", "192.168.0.1, 10.0.0.1", "192.168.0.1"},
		{"the first for a group", "224.0.0.1", "", "192.168.0.1, 10.0.0.1", "192.168.0.1"},
		{"of another interface", "8.8.8.8", "10.0.0.254", "192.168.0.1 if2, fe80::1", "192.168.0.1"},
		{"the outgoing interface first", "8.8.8.8", "10.0.0.254", "10.0.0.1 if2, 192.168.0.1 if1", "192.168.0.1"},
		{"never link-local of another", "8.8.8.8", "10.0.0.254", "169.254.0.1 if2", ""},
		{"never loopback to elsewhere", "8.8.8.8", "10.0.0.254", "127.0.0.1/8 if2, 127.0.0.1/8", ""},
		{"loopback", "127.0.0.5", "", "127.0.0.1/8", "127.0.0.1"},
		{"to itself", "10.0.0.2", "", "10.0.0.1, 10.0.0.2", "10.0.0.2"},
		{"none", "10.0.0.2", "", "", ""},
	} {
		r := Route{Interface: 1}
		if tt.gateway != "" {
			r.Gateway = addr(tt.gateway)
		}
		var s Selector
		got, ok := s.Source(addr(tt.dst), &r, sources(tt.candidates))
		if ok != (tt.want != "") || ok && got != addr(tt.want) {
			t.Errorf("%s: to %s from %s: %v, want %s", tt.why, tt.dst, tt.candidates, got, tt.want)
		}
	}
}

func TestSourceOfTheRouteComesFirst(t *testing.T) {
	var s Selector
	r := Route{Interface: 1, Source: addr("10.0.0.77")}
	if got, ok := s.Source(addr("10.0.0.1"), &r, sources("10.0.0.1")); !ok || got != r.Source {
		t.Errorf("source %v", got)
	}
}

func TestSortDestinations(t *testing.T) {
	for _, tt := range []struct{ why, sources, destinations, want string }{
		// RFC 6724 section 10.2, but for home addresses.
		{
			"matching scope", "2001:db8:1::2, fe80::1, 169.254.13.78",
			"2001:db8:1::1 198.51.100.121", "2001:db8:1::1 198.51.100.121",
		},
		{
			"matching scope, IPv4", "fe80::1, 198.51.100.117",
			"2001:db8:1::1 198.51.100.121", "198.51.100.121 2001:db8:1::1",
		},
		{
			"higher precedence", "2001:db8:1::2, fe80::1, 10.1.2.4",
			"10.1.2.3 2001:db8:1::1", "2001:db8:1::1 10.1.2.3",
		},
		{
			"smaller scope", "2001:db8:1::2, fe80::2",
			"2001:db8:1::1 fe80::1", "fe80::1 2001:db8:1::1",
		},
		{
			"avoid deprecated addresses", "2001:db8:1::2, fe80::2 deprecated",
			"fe80::1 2001:db8:1::1", "2001:db8:1::1 fe80::1",
		},
		{
			"longest matching prefix", "2001:db8:1::2/48, 2001:db8:3f44::2/48, fe80::2",
			"2001:db8:3ffe::1 2001:db8:1::1", "2001:db8:1::1 2001:db8:3ffe::1",
		},
		{
			"matching label", "2002:c633:6401::2, fe80::2",
			"2001:db8:1::1 2002:c633:6401::1", "2002:c633:6401::1 2001:db8:1::1",
		},
		{
			"higher precedence, 6to4", "2002:c633:6401::2, 2001:db8:1::2, fe80::2",
			"2002:c633:6401::1 2001:db8:1::1", "2001:db8:1::1 2002:c633:6401::1",
		},
		{
			"avoid unusable destinations", "10.0.0.1",
			"2001:db8::1 2001:db8::2 10.0.0.2", "10.0.0.2 2001:db8::1 2001:db8::2",
		},
		{"order unchanged", "10.0.0.1", "10.0.0.3 10.0.0.2", "10.0.0.3 10.0.0.2"},
	} {
		var s Selector
		candidates := addresses(tt.sources)
		var list []Destination
		for f := range strings.FieldsSeq(tt.destinations) {
			d := Destination{Addr: addr(f)}
			d.Source, _ = s.Source(d.Addr, &Route{Interface: 1}, indexed(candidates))
			for _, a := range candidates {
				if a.Prefix.Addr() == d.Source {
					d.SourceBits, d.Deprecated = a.Prefix.Bits(), a.Deprecated
				}
			}
			list = append(list, d)
		}
		s.Sort(list)
		var got []string
		for _, d := range list {
			got = append(got, d.Addr.String())
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %q, want %q", tt.why, got, tt.want)
		}
	}
}

// Where the length of the source's prefix is not known, 64 bits are compared
// with IPv6 and none with IPv4.
func TestSortWithoutPrefixLengths(t *testing.T) {
	var s Selector
	list := []Destination{
		{Addr: addr("2001:db8:1::1"), Source: addr("2001:db8:9::1")},
		{Addr: addr("2001:db8:2::1"), Source: addr("2001:db8:2::9")},
		{Addr: addr("10.1.0.1"), Source: addr("192.168.0.1")},
		{Addr: addr("192.168.0.2"), Source: addr("192.168.0.1")},
	}
	s.Sort(list)
	for i, want := range []string{"2001:db8:2::1", "2001:db8:1::1", "10.1.0.1", "192.168.0.2"} {
		if list[i].Addr != addr(want) {
			t.Errorf("%d: %v, want %s", i, list[i].Addr, want)
		}
	}
}

func TestPolicyCanBeReplaced(t *testing.T) {
	// RFC 6724 section 10.3: prefer IPv4.
	s := Selector{Policy: Policy{
		{netip.MustParsePrefix("::/0"), 40, 1},
		{netip.MustParsePrefix("::ffff:0:0/96"), 100, 4},
	}}
	list := []Destination{
		{Addr: addr("2001:db8::1"), Source: addr("2001:db8::2")},
		{Addr: addr("198.51.100.121"), Source: addr("198.51.100.117")},
	}
	s.Sort(list)
	if !list[0].Addr.Is4() {
		t.Error("IPv6 came first")
	}
}

func TestSourceAllocatesNothing(t *testing.T) {
	var s Selector
	list := sources("2001:db8:1::2, fe80::1, 10.1.2.4")
	r := Route{Interface: 1}
	dst4, dst6 := addr("10.1.2.3"), addr("2001:db8:1::1")
	if n := testing.AllocsPerRun(100, func() {
		s.Source(dst4, &r, list)
		s.Source(dst6, &r, list)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The index finds what RFC 6724 finds that looks at all addresses one by one.
func TestTheIndexFindsTheBestOfAll(t *testing.T) {
	r := rand.New(rand.NewPCG(6724, 5))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	prefixes := []string{
		"2001:db8:1::%/64", "2001:db8:2::%/64", "2001:db8:2::%/48", "fe80::%/64", "fd00:1::%/64", "fec0::%/64", "2002:1::%/16",
		"::1/128", "10.0.0.%/24", "10.0.1.%/24", "192.168.0.%/16", "169.254.0.%/16", "127.0.0.%/8",
	}
	dsts := []string{"2001:db8:1::ff", "2001:db8:2::ff", "2001:db8:2:1::ff", "fe80::ff", "fd00:9::1", "fec0::ff", "2002:2::1", "ff02::1", "ff0e::1", "10.0.0.200", "10.0.9.9", "224.0.0.1", "169.254.0.200"}
	elsewhere := 0
	for range 20_000 {
		var list []Address
		for iface := 1; iface <= 5; iface++ {
			for range r.IntN(4) {
				p := netip.MustParsePrefix(strings.Replace(pick(prefixes...), "%", fmt.Sprint(1+r.IntN(99)), 1))
				list = append(list, Address{Prefix: p, Interface: iface, Deprecated: r.IntN(3) == 0, Temporary: r.IntN(3) == 0})
			}
		}
		s := Selector{PreferPublic: r.IntN(2) == 0}
		dst, way := addr(pick(dsts...)), Route{Interface: 1 + r.IntN(6)}
		if dst.Is4() && r.IntN(2) == 0 {
			way.Gateway = addr(pick("10.0.1.254", "192.168.9.9"))
		}
		got, ok := s.Source(dst, &way, indexed(list))
		want := s.one(dst, &way, list)
		if ok != want.IsValid() || got != want {
			t.Fatalf("to %v over %+v from %v: %v, want %v", dst, way, list, got, want)
		}
		if ok && !slices.ContainsFunc(list, func(a Address) bool { return a.Interface == way.Interface && a.Prefix.Addr() == got }) {
			elsewhere++
		}
	}
	if elsewhere < 1000 {
		t.Errorf("only %d of another interface", elsewhere)
	}
}

// one finds the source that Source is to find, one candidate after the other.
func (s *Selector) one(dst netip.Addr, r *Route, list []Address) (best netip.Addr) {
	d := target{scope: scopeOf(dst), label: s.Policy.lookup(dst).Label, iface: r.Interface}
	var found candidate
	rank, hop := 0, r.NextHop(dst)
	for i := range list {
		a, src := &list[i], list[i].Prefix.Addr()
		own := a.Interface == r.Interface
		switch {
		case src.Is4() != dst.Is4():
		case dst.Is4():
			switch {
			case src.IsLoopback():
			case own && a.Prefix.Contains(hop) && rank < 3:
				best, rank = src, 3
			case own && rank < 2:
				best, rank = src, 2
			case !src.IsLinkLocalUnicast() && rank < 1:
				best, rank = src, 1
			}
		case own || !dst.IsMulticast() && d.scope != scopeLinkLocal:
			c := candidate{a, scopeOf(src), s.Policy.lookup(src).Label, commonPrefixLen(src, a.Prefix.Bits(), dst)}
			if found.Address == nil || s.better(&c, &found, &d) {
				best, found = src, c
			}
		}
	}
	return best
}

// A host with many interfaces, each with addresses of its own.
func BenchmarkSource(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000, 10_000} {
		var l Sources
		for i := range n {
			for _, p := range []netip.Prefix{
				netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}), 24),
				netip.PrefixFrom(netip.AddrFrom16([16]byte{0: 0xfd, 6: byte(i >> 8), 7: byte(i), 15: 1}), 64),
				netip.MustParsePrefix("fe80::1/64"),
			} {
				l.Add(Address{Prefix: p, Interface: i + 1})
			}
		}
		last := Route{Interface: n}
		for _, dst := range []netip.Addr{addr("10.99.0.9"), addr("fd99::9")} {
			b.Run(fmt.Sprintf("v6=%v/%d", dst.Is6(), n), func(b *testing.B) {
				var s Selector
				b.ReportAllocs()
				for b.Loop() {
					if _, ok := s.Source(dst, &last, &l); !ok {
						b.Fatal("none")
					}
				}
			})
		}
	}
}
