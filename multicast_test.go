package berth_test

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// Groups of the tests, and one of each family that nobody joins.
var (
	groupA4 = netip.MustParseAddr("239.1.1.1")
	groupA6 = netip.MustParseAddr("ff15::1")
	groupB4 = netip.MustParseAddr("239.1.1.2")
	groupB6 = netip.MustParseAddr("ff15::2")
)

// groupsOf are the groups of remote's family.
func groupsOf(remote netip.Addr) (a, b netip.Addr) {
	if remote.Is4() {
		return groupA4, groupB4
	}
	return groupA6, groupB6
}

// groupOptions are the options of a family for groups.
func groupOptions(a netip.Addr) (join, leave, joinSource, leaveSource socket.Option[socket.Group]) {
	if a.Is4() {
		return socket.IP_ADD_MEMBERSHIP, socket.IP_DROP_MEMBERSHIP, socket.IP_ADD_SOURCE_MEMBERSHIP, socket.IP_DROP_SOURCE_MEMBERSHIP
	}
	return socket.IPV6_JOIN_GROUP, socket.IPV6_LEAVE_GROUP, socket.MCAST_JOIN_SOURCE_GROUP, socket.MCAST_LEAVE_SOURCE_GROUP
}

// groupRecords are those of a report; it fails the test if the packet is none,
// or not as RFC 3376 section 4 and RFC 3810 section 5 say.
func groupRecords(t *testing.T, p *packet) []header.GroupRecord {
	t.Helper()
	if !p.alert || p.ttl != 1 {
		t.Errorf("a report has TTL %d, router alert %v", p.ttl, p.alert)
	}
	if p.src.Is4() {
		var r header.IGMPv3Report
		if _, err := r.Parse(p.payload); err != nil || p.dst != netip.MustParseAddr("224.0.0.22") || p.src != alice4 || p.tos != 0xc0 {
			t.Errorf("a report from %v to %v, TOS %#x: %v", p.src, p.dst, p.tos, err)
		}
		return r.Records
	}
	var r header.MLDv2Report
	if _, err := r.Parse(p.payload); err != nil || p.dst != netip.MustParseAddr("ff02::16") || !p.src.IsLinkLocalUnicast() {
		t.Errorf("a report from %v to %v: %v", p.src, p.dst, err)
	}
	return r.Records
}

func isReport(p *packet) bool {
	return p.protocol == header.ProtocolIGMP || p.protocol == header.ProtocolICMPv6 && p.payload[0] == header.ICMPv6MLDv2Report
}

// told are the records about a group in all reports since the last call.
func (s *station) told(t *testing.T, group netip.Addr) (records []header.GroupRecord) {
	t.Helper()
	for _, p := range s.take(isReport) {
		if p.src.Is4() != group.Is4() {
			continue
		}
		for _, r := range groupRecords(t, p) {
			if r.Group == group {
				records = append(records, r)
			}
		}
	}
	return records
}

func set[T any](t *testing.T, s socket.Socket, o socket.Option[T], v T) {
	t.Helper()
	if err := socket.Set(s, o, v); err != nil {
		t.Fatal(err)
	}
}

func types(records []header.GroupRecord) (types []uint8) {
	for _, r := range records {
		types = append(types, r.Type)
	}
	return types
}

// HOST-146.
func TestMembershipsAreReported(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		group, _ := groupsOf(remote)
		join, leave, joinSource, leaveSource := groupOptions(remote)
		h, st := stationed(t, berth.Config{}, wire.Ethernet())
		time.Sleep(time.Minute)
		st.take(nil)
		g := socket.Group{Group: group, Interface: 2}

		// Twice, since the first may be lost (Robustness Variable).
		a := newSocket(t, h, domainOf(remote), socket.DGRAM, 0)
		set(t, a, join, g)
		time.Sleep(10 * time.Second)
		if got := types(st.told(t, group)); !slices.Equal(got, []uint8{header.ChangeToExclude, header.ChangeToExclude}) {
			t.Errorf("a join: %v", got)
		}
		b := newSocket(t, h, domainOf(remote), socket.DGRAM, 0)
		set(t, b, join, g)
		time.Sleep(10 * time.Second)
		if got := st.told(t, group); len(got) != 0 {
			t.Errorf("a second socket joins: %v", got)
		}
		set(t, a, leave, g)
		time.Sleep(10 * time.Second)
		if got := st.told(t, group); len(got) != 0 {
			t.Errorf("the first leaves: %v", got)
		}
		b.Close()
		time.Sleep(10 * time.Second)
		if got := types(st.told(t, group)); !slices.Equal(got, []uint8{header.ChangeToInclude, header.ChangeToInclude}) {
			t.Errorf("the last is closed: %v", got)
		}

		g.Source = remote
		set(t, a, joinSource, g)
		time.Sleep(10 * time.Second)
		got := st.told(t, group)
		if want := []uint8{header.AllowNewSources, header.AllowNewSources}; !slices.Equal(types(got), want) || !slices.Equal(got[0].Sources, []netip.Addr{remote}) {
			t.Errorf("a source: %v", got)
		}
		set(t, a, leaveSource, g)
		time.Sleep(10 * time.Second)
		got = st.told(t, group)
		if want := []uint8{header.BlockOldSources, header.BlockOldSources}; !slices.Equal(types(got), want) || !slices.Equal(got[0].Sources, []netip.Addr{remote}) {
			t.Errorf("a source no more: %v", got)
		}
	})
}

func TestQueriesAreAnsweredInTime(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		group, other := groupsOf(remote)
		join, _, _, _ := groupOptions(remote)
		h, st := stationed(t, berth.Config{}, wire.Ethernet())
		a := newSocket(t, h, domainOf(remote), socket.DGRAM, 0)
		set(t, a, join, socket.Group{Group: group, Interface: 2})
		query := func(about netip.Addr, within time.Duration) {
			to := about
			if remote.Is4() {
				if about.IsUnspecified() {
					to = netip.MustParseAddr("224.0.0.1")
				}
				q := header.IGMPQuery{Version: 3, MaxResp: within, Group: about, QRV: 2, QQI: 125 * time.Second}
				st.ip(packet{src: bob4, dst: to, ttl: 1, protocol: header.ProtocolIGMP, alert: true, payload: q.Append(nil)})
				return
			}
			if about.IsUnspecified() {
				to = netip.MustParseAddr("ff02::1")
			}
			q := header.MLDQuery{Version: 2, MaxResp: within, Group: about, QRV: 2, QQI: 125 * time.Second}
			b := q.Append(nil)
			src := netip.MustParseAddr("fe80::2")
			header.PutICMPv6Checksum(b, src, to)
			st.ip(packet{src: src, dst: to, ttl: 1, protocol: header.ProtocolICMPv6, alert: true, payload: b})
		}
		all := netip.IPv4Unspecified()
		if remote.Is6() {
			all = netip.IPv6Unspecified()
		}
		for _, about := range []netip.Addr{all, group} {
			time.Sleep(time.Minute)
			st.take(nil)
			query(about, 5*time.Second)
			time.Sleep(5100 * time.Millisecond)
			if got := types(st.told(t, group)); !slices.Equal(got, []uint8{header.ModeIsExclude}) {
				t.Errorf("a query about %v: %v", about, got)
			}
		}
		query(other, time.Second)
		time.Sleep(2 * time.Second)
		st.none("a query about a group that nobody joined is answered", isReport)
	})
}

// wantNothing fails the test if a datagram waits.
func wantNothing(t *testing.T, s socket.Socket, why string) {
	t.Helper()
	s.SetReadDeadline(time.Now().Add(time.Millisecond))
	if n, err := s.Recv(make([]byte, 100), 0); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%s: received %d bytes, %v", why, n, err)
	}
	s.SetReadDeadline(time.Time{})
}

func TestAGroupReachesItsMembersAlone(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		group, other := groupsOf(remote)
		join, leave, joinSource, _ := groupOptions(remote)
		h, st := stationed(t, berth.Config{}, wire.Ethernet())
		socketOn := func(port uint16) socket.Socket {
			s := newSocket(t, h, domainOf(remote), socket.DGRAM, 0)
			if remote.Is4() {
				set(t, s, socket.IP_MULTICAST_ALL, 0)
			}
			set(t, s, socket.SO_REUSEADDR, 1)
			if err := s.Bind(netip.AddrPortFrom(netip.Addr{}, port)); err != nil {
				t.Fatal(err)
			}
			return s
		}
		from := netip.AddrPortFrom(remote, 9)
		one, two, outsider := socketOn(5000), socketOn(5000), socketOn(5000)
		g := socket.Group{Group: group, Interface: 2}
		for _, s := range []socket.Socket{one, two} {
			set(t, s, join, g)
		}
		// An outsider of IPv6 has IPV6_MULTICAST_ALL as its default, and hears
		// what others have joined, until it joins something itself.
		if remote.Is4() {
			st.udp(from, netip.AddrPortFrom(group, 5000), []byte("hello"))
			wantDatagram(t, one, 5)
			wantDatagram(t, two, 5)
			wantNothing(t, outsider, "an outsider")
		} else {
			outsider.Close()
			st.udp(from, netip.AddrPortFrom(group, 5000), []byte("hello"))
			wantDatagram(t, one, 5)
			wantDatagram(t, two, 5)
		}
		st.udp(from, netip.AddrPortFrom(other, 5000), []byte("hello"))
		wantNothing(t, one, "another group")

		set(t, two, leave, g)
		st.udp(from, netip.AddrPortFrom(group, 5000), []byte("again"))
		wantDatagram(t, one, 5)
		if remote.Is4() {
			wantNothing(t, two, "it has left")
		}
		one.Close()
		two.Close()

		picky := socketOn(5001)
		g.Source = remote
		set(t, picky, joinSource, g)
		st.udp(from, netip.AddrPortFrom(group, 5001), []byte("yes"))
		wantDatagram(t, picky, 3)
		stranger := netip.MustParseAddr("10.0.0.99")
		if remote.Is6() {
			stranger = netip.MustParseAddr("fd00::99")
		}
		st.udp(netip.AddrPortFrom(stranger, 9), netip.AddrPortFrom(group, 5001), []byte("no"))
		wantNothing(t, picky, "another source")
	})
}

func TestMulticastsGoOutAsTheOptionsSay(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		group, _ := groupsOf(remote)
		join, _, _, _ := groupOptions(remote)
		ttl, loop := socket.IP_MULTICAST_TTL, socket.IP_MULTICAST_LOOP
		if remote.Is6() {
			ttl, loop = socket.IPV6_MULTICAST_HOPS, socket.IPV6_MULTICAST_LOOP
		}
		h, st := stationed(t, berth.Config{}, wire.Ethernet())
		member := receiver(t, h, netip.AddrPortFrom(netip.Addr{}, 5000))
		if remote.Is6() {
			member.Close()
			member = newSocket(t, h, socket.INET6, socket.DGRAM, 0)
			if err := member.Bind(netip.AddrPortFrom(netip.IPv6Unspecified(), 5000)); err != nil {
				t.Fatal(err)
			}
		}
		set(t, member, join, socket.Group{Group: group, Interface: 2})
		s := newSocket(t, h, domainOf(remote), socket.DGRAM, 0)
		out := func(text string) *packet {
			t.Helper()
			st.take(nil)
			if _, err := s.SendTo([]byte(text), 0, netip.AddrPortFrom(group, 5000)); err != nil {
				t.Fatal(err)
			}
			return st.one("the multicast", isUDP)
		}
		p := out("hello")
		if p.ttl != 1 || p.eth.Dst != header.MulticastMAC(group) || p.src != localOf(remote) {
			t.Errorf("TTL %d, to %v, from %v", p.ttl, p.eth.Dst, p.src)
		}
		wantDatagram(t, member, 5)
		set(t, s, ttl, 7)
		set(t, s, loop, 0)
		if p := out("hello"); p.ttl != 7 {
			t.Errorf("TTL %d, want 7", p.ttl)
		}
		wantNothing(t, member, "the loop is off")
	})
}

// HOST-140, HOST-142.
func TestBroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := stationed(t, berth.Config{}, wire.Ethernet())
		s := receiver(t, h, netip.AddrPortFrom(netip.IPv4Unspecified(), 5000))
		for _, dst := range []string{"10.0.0.255", "255.255.255.255"} {
			to := netip.AddrPortFrom(netip.MustParseAddr(dst), 5000)
			st.udp(netip.AddrPortFrom(bob4, 9), to, []byte("hello"))
			wantDatagram(t, s, 5)
			u := newSocket(t, h, socket.INET, socket.DGRAM, 0)
			if _, err := u.SendTo([]byte("x"), 0, to); err == nil {
				t.Errorf("to %s without SO_BROADCAST: no error", dst)
			}
			set(t, u, socket.SO_BROADCAST, 1)
			st.take(nil)
			if _, err := u.SendTo([]byte("hello"), 0, to); err != nil {
				t.Fatal(err)
			}
			if p := st.one("the broadcast", isUDP); p.eth.Dst != header.Broadcast || p.dst != to.Addr() {
				t.Errorf("to %v, %v", p.eth.Dst, p.dst)
			}
			wantDatagram(t, s, 5) // the host hears itself
		}
	})
}

// What is for a group or for all goes to those on the link, also where the only way is
// a default route: not to its gateway (RFC 1112 6.1, RFC 1122 3.3.6).
func TestGroupsHaveNoGateway(t *testing.T) {
	alice, bob := pair(t, wire.Ethernet())
	for dst, via := range map[string]string{"0.0.0.0/0": "10.0.0.77", "::/0": "fd00::77"} {
		if err := alice.AddRoute(berth.Route{Dst: netip.MustParsePrefix(dst), Via: netip.MustParseAddr(via)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, to := range []netip.Addr{groupA4, netip.MustParseAddr("255.255.255.255"), groupA6} {
		domain, wildcard := socket.INET, netip.IPv4Unspecified()
		if to.Is6() {
			domain, wildcard = socket.INET6, netip.IPv6Unspecified()
		}
		s, r := newSocket(t, alice, domain, socket.DGRAM, 0), newSocket(t, bob, domain, socket.DGRAM, 0)
		if err := r.Bind(netip.AddrPortFrom(wildcard, 9)); err != nil {
			t.Fatal(err)
		}
		if to.IsMulticast() {
			join, _, _, _ := groupOptions(to)
			if err := socket.Set(r, join, socket.Group{Group: to, Interface: 2}); err != nil {
				t.Fatal(err)
			}
		} else if err := socket.Set(s, socket.SO_BROADCAST, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := s.SendTo([]byte("x"), 0, netip.AddrPortFrom(to, 9)); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Recv(make([]byte, 1), socket.MSG_DONTWAIT); err != nil {
			t.Errorf("to %v: %v", to, err)
		}
		r.Close()
	}
}
