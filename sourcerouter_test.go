package berth_test

import (
	"net/netip"
	"testing"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link/wire"
)

// atRouter returns a router whose networks 10.0.0.0/24 and 192.0.2.0/24 are played
// by stations.
func atRouter(t *testing.T, cfg berth.Config) (h *berth.Host, near, beyond *station) {
	t.Helper()
	h, near = stationed(t, cfg)
	a, b := wire.Pair(wire.Offload(0))
	beyond = &station{t: t, dev: b}
	if err := b.Attach(beyond); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	attach(t, h, a, "192.0.2.1/24")
	addRoute(t, h, "203.0.113.0/24", "192.0.2.9", 0)
	return h, near, beyond
}

// HOST-127, HOST-128, HOST-129, HOST-131, HOST-132: a router that is told to sends
// on what has a source route: to the next hop, with one hop less, and with its own
// address on the way out in place of that hop. HOST-133, HOST-134: others do not.
// HOST-130, HOST-136: where it ends too early that is said, by who would follow it.
//
// DEF-21.
func TestSourceRoutesThroughARouter(t *testing.T) {
	addr := netip.MustParseAddr
	outside, next, far := addr("192.0.2.1"), addr("192.0.2.7"), addr("203.0.113.5")
	on := berth.Config{Forwarding: true, AcceptSourceRoute: true, ICMPErrors: -1}
	failed := header.ICMP{Type: header.ICMPv4Unreachable, Code: header.ICMPv4SourceRouteFailed}
	wrong := func(at uint8) header.ICMP {
		h := header.ICMP{Type: header.ICMPv4ParameterProblem}
		h.SetPointer4(at)
		return h
	}
	for _, tt := range []struct {
		name    string
		cfg     berth.Config
		dst     netip.Addr
		options string
		to      netip.Addr // where it is sent on to; invalid: nowhere
		is      string     // with these options
		problem header.ICMP
	}{
		{name: "loose, to a neighbor", cfg: on, dst: alice4, options: listOf(loose, 0, next, far), to: next, is: listOf(loose, 1, outside, far)},
		{name: "strict, to a neighbor", cfg: on, dst: alice4, options: listOf(strict, 1, hop4, next), to: next, is: listOf(strict, 2, hop4, outside)},
		{name: "loose, by a gateway", cfg: on, dst: alice4, options: listOf(loose, 0, far), to: far, is: listOf(loose, 1, outside)},
		{name: "past two addresses of the router", cfg: on, dst: alice4, options: listOf(loose, 0, outside, next), to: next, is: listOf(loose, 2, outside, outside)},
		{name: "loose, not by this router", cfg: on, dst: next, options: listOf(loose, 0, far), to: next, is: listOf(loose, 0, far)},
		{name: "with record route (HOST-132)", cfg: on, dst: alice4, options: then(listOf(loose, 0, next), listOf(record, 0, nobody4)), to: next, is: then(listOf(loose, 1, outside), listOf(record, 1, outside))},
		{name: "record route alone", cfg: berth.Config{Forwarding: true}, dst: next, options: listOf(record, 1, hop4, nobody4), to: next, is: listOf(record, 2, hop4, outside)},
		{name: "router alert alone", cfg: berth.Config{Forwarding: true}, dst: next, options: header.IPv4RouterAlert, to: next, is: header.IPv4RouterAlert},

		{name: "strict, by a gateway", cfg: on, dst: alice4, options: listOf(strict, 0, far), problem: failed},
		{name: "strict, not by this router", cfg: on, dst: next, options: listOf(strict, 0, far), problem: wrong(16)},
		{name: "by a host (HOST-136)", cfg: berth.Config{AcceptSourceRoute: true}, dst: alice4, options: listOf(loose, 0, next), problem: failed},
		{name: "half an address", cfg: on, dst: alice4, options: "\x83\x05\x04\x0a\x00\x00\x00\x00", problem: wrong(22)},
		{name: "to everybody", cfg: on, dst: alice4, options: listOf(loose, 0, addr("192.0.2.255"))},
		{name: "to a group", cfg: on, dst: alice4, options: listOf(loose, 0, groupA4)},
		{name: "to loopback", cfg: on, dst: alice4, options: listOf(loose, 0, addr("127.0.0.1"))},
		{name: "switched off (HOST-134)", cfg: berth.Config{Forwarding: true}, dst: alice4, options: listOf(loose, 0, next)},
		{name: "switched off, not by this router (HOST-134)", cfg: berth.Config{Forwarding: true}, dst: next, options: listOf(loose, 0, far)},
		{name: "with a Forwarder", cfg: berth.Config{AcceptSourceRoute: true, Forwarder: func(*berth.Flow) {}}, dst: alice4, options: listOf(loose, 0, next)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, near, beyond := atRouter(t, tt.cfg)
			near.take(nil)
			beyond.take(nil)
			p := packet{src: bob4, dst: tt.dst, protocol: header.ProtocolICMP, payload: rawIPv4("")[header.IPv4MinLen:], options: tt.options}
			near.ip(p)
			four := func(p *packet) bool { return p.src.Is4() }
			if !tt.to.IsValid() {
				beyond.none("it is sent on", four)
			} else {
				got := beyond.one("what is sent on", four)
				wantOptions(t, "what is sent on", got, tt.to, tt.is)
				if got.ttl != 63 || got.src != bob4 {
					t.Errorf("from %v with TTL %d", got.src, got.ttl)
				}
			}
			if tt.problem == (header.ICMP{}) {
				near.none("it is answered", four)
				return
			}
			got, quote := near.one("the answer", four).icmp()
			got.Checksum = 0
			if got != tt.problem || string(quote) != string(encode(p)) {
				t.Errorf("%+v about % x, want %+v", got, quote, tt.problem)
			}
		})
	}
}

// Of a packet that is cut on the way the first fragment has all options, and the
// others what is to be copied.
func TestAForwardedPacketIsCutWithItsOptions(t *testing.T) {
	h, near, beyond := atRouter(t, berth.Config{Forwarding: true, AcceptSourceRoute: true})
	next := netip.MustParseAddr("192.0.2.7")
	if err := h.AddRoute(berth.Route{Dst: netip.PrefixFrom(next, 32), Interface: h.Interfaces()[2], MTU: 100}); err != nil {
		t.Fatal(err)
	}
	beyond.take(nil)
	near.ip(packet{
		src: bob4, dst: alice4, protocol: header.ProtocolUDP, payload: make([]byte, 120),
		options: then(listOf(loose, 0, next), listOf(record, 0, nobody4)),
	})
	all := beyond.take(isUDP)
	if len(all) < 2 {
		t.Fatalf("%d fragments", len(all))
	}
	outside := netip.MustParseAddr("192.0.2.1")
	wantOptions(t, "the first", all[0], next, then(listOf(loose, 1, outside), listOf(record, 1, outside)))
	for _, p := range all[1:] {
		wantOptions(t, "a later one", p, next, listOf(loose, 1, outside))
	}
}
