package route

import (
	"net/netip"
	"strings"
	"testing"
)

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
		got, ok := s.Source(addr(tt.dst), &Route{Interface: 1}, addresses(tt.candidates))
		if ok != (tt.want != "") || ok && got != addr(tt.want) {
			t.Errorf("%s: to %s from %s: %v, want %s", tt.why, tt.dst, tt.candidates, got, tt.want)
		}
	}
}

func TestPreferPublic(t *testing.T) {
	s := Selector{PreferPublic: true}
	got, _ := s.Source(addr("2001:db8:1::1"), &Route{Interface: 1}, addresses("2001:db8:1::8 temporary, 2001:db8:1::9"))
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
		{"to itself", "10.0.0.2", "", "10.0.0.1, 10.0.0.2 if2", "10.0.0.2"},
		{"none", "10.0.0.2", "", "", ""},
	} {
		r := Route{Interface: 1}
		if tt.gateway != "" {
			r.Gateway = addr(tt.gateway)
		}
		var s Selector
		got, ok := s.Source(addr(tt.dst), &r, addresses(tt.candidates))
		if ok != (tt.want != "") || ok && got != addr(tt.want) {
			t.Errorf("%s: to %s from %s: %v, want %s", tt.why, tt.dst, tt.candidates, got, tt.want)
		}
	}
}

func TestSourceOfTheRouteComesFirst(t *testing.T) {
	var s Selector
	r := Route{Interface: 1, Source: addr("10.0.0.77")}
	if got, ok := s.Source(addr("10.0.0.1"), &r, addresses("10.0.0.1")); !ok || got != r.Source {
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
		sources := addresses(tt.sources)
		var list []Destination
		for f := range strings.FieldsSeq(tt.destinations) {
			d := Destination{Addr: addr(f)}
			d.Source, _ = s.Source(d.Addr, &Route{Interface: 1}, sources)
			for _, a := range sources {
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
	list := addresses("2001:db8:1::2, fe80::1, 10.1.2.4")
	r := Route{Interface: 1}
	dst4, dst6 := addr("10.1.2.3"), addr("2001:db8:1::1")
	if n := testing.AllocsPerRun(100, func() {
		s.Source(dst4, &r, list)
		s.Source(dst6, &r, list)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
