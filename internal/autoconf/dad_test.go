package autoconf

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"

	"example.com/berth/internal/header"
	"example.com/berth/internal/siphash"
)

func TestLinkLocalAddress(t *testing.T) {
	w := newWorld(t, Config{MAC: mac, EUI64: true})
	w.Start(w.now)
	w.want("start", "AddAddress fe80::ff:fe00:1/64 tentative", "JoinGroup ff02::1:ff00:1", "SendNS fe80::ff:fe00:1")
	w.Start(w.now) // is up already
	w.advance(second - 1)
	w.want("before RetransTimer")
	w.advance(1)
	w.want("nobody has it", "SetAddress fe80::ff:fe00:1/64 preferred", "SendNA fe80::ff:fe00:1", "SendRS fe80::ff:fe00:1")
	if got := w.Addresses(nil); len(got) != 1 || got[0].Origin != LinkLocal || got[0].Valid != Never || got[0].State != Preferred {
		t.Errorf("%+v", got)
	}
}

func TestDetectionIsDelayedAtRandom(t *testing.T) {
	w := newWorld(t, Config{MAC: mac, EUI64: true, Rand: func() uint64 { return 300e6 }})
	w.Start(w.now)
	w.want("start", "AddAddress fe80::ff:fe00:1/64 tentative", "JoinGroup ff02::1:ff00:1 after 300ms")
	w.advance(300e6)
	w.want("0.3 s later", "SendNS fe80::ff:fe00:1")
	w.advance(second)
	w.want("1.3 s later", "SetAddress fe80::ff:fe00:1/64 preferred", "SendNA fe80::ff:fe00:1", "SendRS fe80::ff:fe00:1")
}

func TestSeveralSolicitations(t *testing.T) {
	w := newWorld(t, Config{MAC: mac, EUI64: true, Transmits: 3, RetransTimer: 2 * second})
	w.Start(w.now)
	w.Take(nil)
	for range 2 {
		w.advance(2 * second)
		w.want("again", "SendNS fe80::ff:fe00:1")
	}
	w.advance(2 * second)
	w.want("assigned", "SetAddress fe80::ff:fe00:1/64 preferred", "SendNA fe80::ff:fe00:1", "SendRS fe80::ff:fe00:1")
}

func TestWithoutDetection(t *testing.T) {
	w := newWorld(t, Config{MAC: mac, EUI64: true, Transmits: -1, IgnoreRouters: true})
	w.Start(w.now)
	w.want("start", "AddAddress fe80::ff:fe00:1/64 tentative", "JoinGroup ff02::1:ff00:1",
		"SetAddress fe80::ff:fe00:1/64 preferred")
}

// RFC 4862 sections 5.4.3 and 5.4.4.
func TestWhatMakesAnAddressADuplicate(t *testing.T) {
	const unspec, link = "::", "fe80::7"
	ns := func(src string, nonce ...[6]byte) func(*world) {
		return func(w *world) {
			m := header.NeighborSolicit{Target: addr1.Addr(), HasNonce: len(nonce) > 0}
			if m.HasNonce {
				m.Nonce = nonce[0]
			}
			if w.Solicited(w.now, netip.MustParseAddr(src), &m) {
				w.t.Error("a tentative address is answered for")
			}
		}
	}
	na := func(w *world) {
		if !w.Advertised(w.now, &header.NeighborAdvert{Target: addr1.Addr()}) {
			w.t.Error("the advertisement is not ours")
		}
	}
	ours := [6]byte{0, 0, 0, 0, 0, 0x12}
	for _, tt := range []struct {
		name  string
		event func(*world)
		want  State
	}{
		{"nothing", func(*world) {}, Preferred},
		{"address resolution", ns(link), Preferred},
		{"detection by another host", ns(unspec), Duplicate},
		{"detection with another nonce", ns(unspec, [6]byte{1}), Duplicate},
		{"our own, looped back", ns(unspec, ours), Preferred},
		{"advertisement", na, Duplicate},
		{"solicitation of another address", func(w *world) {
			w.Solicited(w.now, netip.IPv6Unspecified(), &header.NeighborSolicit{Target: router})
		}, Preferred},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := started(t, Config{MaxDelay: -1, Rand: func() uint64 { return 0x12_3456 }})
			if err := w.Add(w.now, addr1, Lifetimes{}, false); err != nil {
				t.Fatal(err)
			}
			w.want("added", "AddAddress 2001:db8:1::ff:fe00:1/64 tentative", "SendNS 2001:db8:1::ff:fe00:1")
			tt.event(w)
			w.advance(second)
			if got := w.State(addr1.Addr()); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
			if tt.want == Duplicate {
				w.want("detected", "SetAddress 2001:db8:1::ff:fe00:1/64 duplicate")
				if w.Stats().Duplicates != 1 {
					t.Error("not counted")
				}
			}
			w.advance(day)
			if got := w.State(addr1.Addr()); got != tt.want {
				t.Errorf("%v a day later", got)
			}
		})
	}
}

func TestAnswersForAssignedAddressesOnly(t *testing.T) {
	w := started(t, Config{})
	for _, src := range []netip.Addr{router, netip.IPv6Unspecified()} {
		if !w.Solicited(w.now, src, &header.NeighborSolicit{Target: eui.Addr()}) {
			t.Errorf("no answer to %v", src)
		}
		if w.Solicited(w.now, src, &header.NeighborSolicit{Target: other}) {
			t.Errorf("answers for another host to %v", src)
		}
	}
	if !w.Advertised(w.now, &header.NeighborAdvert{Target: eui.Addr()}) || w.Advertised(w.now, &header.NeighborAdvert{Target: other}) {
		t.Error("which advertisements are of our own addresses")
	}
	if w.Stats().Conflicts != 1 || w.State(eui.Addr()) != Preferred {
		t.Error("an address in use was given up, or the conflict was not counted")
	}
}

// RFC 7217 section 6.
func TestOpaqueIdentifiersAreReplaced(t *testing.T) {
	w := newWorld(t, Config{Name: "eth0", Key: siphash.Key{K0: 1}})
	w.Start(w.now)
	seen := map[netip.Addr]bool{}
	for attempt := range 4 {
		a := w.Addresses(nil)[0]
		if a.State != Tentative || seen[a.Prefix.Addr()] || !linkLocalPrefix.Contains(a.Prefix.Addr()) {
			t.Fatalf("attempt %d: %+v", attempt, a)
		}
		seen[a.Prefix.Addr()] = true
		w.Advertised(w.now, &header.NeighborAdvert{Target: a.Prefix.Addr()})
		w.advance(1)
	}
	if got := w.Addresses(nil); len(got) != 1 || got[0].State != Duplicate {
		t.Errorf("after four attempts: %+v", got)
	}
	w.advance(day)
	if w.inGroup(solicitedNode(w.Addresses(nil)[0].Prefix.Addr())) || w.Disabled() {
		t.Error("still in the group, or disabled")
	}
}

// RFC 4862 section 5.4.5: the hardware address is there twice.
func TestDuplicateHardwareAddressDisables(t *testing.T) {
	w := newWorld(t, Config{MAC: mac, EUI64: true})
	_ = w.Add(w.now, addr1, Lifetimes{}, false)
	w.Start(w.now)
	w.Take(nil)
	w.Advertised(w.now, &header.NeighborAdvert{Target: eui.Addr()})
	w.want("duplicate",
		"LeaveGroup ff02::1:ff00:1", "RemoveAddress fe80::ff:fe00:1/64", "Disable")
	w.advert(prefixes(prefixInfo(net1, hour, hour)))
	w.Start(w.now)
	w.advance(day)
	w.want("disabled")
	if !w.Disabled() || w.State(addr1.Addr()) != Tentative {
		t.Error("not disabled")
	}
	w.Stop()
	w.Start(w.now)
	if w.Disabled() || w.State(eui.Addr()) != Tentative {
		t.Error("does not start again")
	}
}

func TestGroupsAreSharedByAddresses(t *testing.T) {
	w := started(t, Config{})
	_ = w.Add(w.now, addr1, Lifetimes{}, true) // ends like the link-local one
	w.want("same group", "AddAddress 2001:db8:1::ff:fe00:1/64 tentative",
		"SetAddress 2001:db8:1::ff:fe00:1/64 preferred", "SendNA 2001:db8:1::ff:fe00:1")
	_ = w.Add(w.now, netip.MustParsePrefix("2001:db8::7/64"), Lifetimes{}, true)
	w.want("another", "AddAddress 2001:db8::7/64 tentative", "JoinGroup ff02::1:ff00:7",
		"SetAddress 2001:db8::7/64 preferred", "SendNA 2001:db8::7")
	w.Remove(eui.Addr())
	w.want("the group is still needed", "RemoveAddress fe80::ff:fe00:1/64")
	w.Remove(addr1.Addr())
	w.want("no more", "LeaveGroup ff02::1:ff00:1", "RemoveAddress 2001:db8:1::ff:fe00:1/64")
	if w.Remove(addr1.Addr()) {
		t.Error("removed what is not there")
	}
}

func TestAddRefuses(t *testing.T) {
	w := started(t, Config{})
	for _, p := range []string{"10.0.0.1/8", "::/64", "ff02::1/64", "::1/128", "::ffff:1.2.3.4/96"} {
		if err := w.Add(w.now, netip.MustParsePrefix(p), Lifetimes{}, false); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%s: %v", p, err)
		}
	}
	if err := w.Add(w.now, netip.Prefix{}, Lifetimes{}, false); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("zero prefix: %v", err)
	}
	_ = w.Add(w.now, addr1, Lifetimes{}, false)
	if err := w.Add(w.now, addr1, Lifetimes{}, false); !errors.Is(err, syscall.EEXIST) {
		t.Errorf("twice: %v", err)
	}
	if err := w.Add(w.now, eui, Lifetimes{}, true); err != nil { // makes it the owner's
		t.Errorf("learned before: %v", err)
	}
}

func TestLifetimesByHand(t *testing.T) {
	w := started(t, Config{})
	_ = w.Add(w.now, addr1, Lifetimes{Valid: hour, Preferred: 10 * second}, false)
	w.advance(second)
	w.Take(nil)
	w.advance(9 * second)
	w.want("deprecated", "SetAddress 2001:db8:1::ff:fe00:1/64 deprecated")
	if !w.State(addr1.Addr()).Assigned() {
		t.Error("a deprecated address is not assigned")
	}
	w.advance(hour)
	w.want("invalid", "RemoveAddress 2001:db8:1::ff:fe00:1/64")
	_ = w.Add(w.now, addr1, Lifetimes{Preferred: -1}, true)
	if w.State(addr1.Addr()) != Deprecated {
		t.Error("never preferred, and not deprecated")
	}
}

func TestLinkGoesDownAndUp(t *testing.T) {
	w := started(t, Config{})
	_ = w.Add(w.now, addr1, Lifetimes{}, true)
	w.advert(header.RouterAdvert{
		RouterLifetime: hour,
		Managed:        true,
		Prefixes:       []header.PrefixInfo{prefixInfo(netip.MustParsePrefix("2001:db8:2::/64"), day, day)},
		RDNSS:          []header.RDNSS{{Lifetime: day, Servers: []netip.Addr{router}}},
	})
	w.advance(second)
	w.Take(nil)
	w.Stop()
	w.want("down",
		"RemoveAddress fe80::ff:fe00:1/64",
		"SetAddress 2001:db8:1::ff:fe00:1/64 tentative",
		"LeaveGroup ff02::1:ff00:1",
		"RemoveAddress 2001:db8:2::ff:fe00:1/64",
		"RemoveRoute 2001:db8:2::/64", "RemoveRoute ::/0 via fe80::99", "SetDNS")
	if w.Deadline() != 0 || w.Managed() {
		t.Errorf("deadline %v", w.Deadline())
	}
	w.Start(w.now)
	w.want("up",
		"AddAddress fe80::ff:fe00:1/64 tentative", "JoinGroup ff02::1:ff00:1", "SendNS fe80::ff:fe00:1",
		"SetAddress 2001:db8:1::ff:fe00:1/64 preferred", "SendNA 2001:db8:1::ff:fe00:1")
}
