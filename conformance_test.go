package berth_test

import (
	"net/netip"
	"testing"

	"example.com/berth"
	"example.com/berth/link/wire"
	"example.com/berth/socket/sockettest"
)

// Two hosts on an Ethernet wire, held to what Linux does.
func TestConformance(t *testing.T) {
	a, b := wire.Pair(wire.Ethernet(), wire.Names("eth0", "eth0"))
	alice := hostOn(t, berth.Config{Name: "alice", ICMPErrors: -1}, a, "10.99.0.1/24", "fd99::1/64")
	bob := hostOn(t, berth.Config{Name: "bob", ICMPErrors: -1}, b, "10.99.0.2/24", "fd99::2/64")
	sockettest.Run(t, sockettest.Env{
		A: alice, B: bob,
		AddrA4: netip.MustParseAddr("10.99.0.1"), AddrB4: netip.MustParseAddr("10.99.0.2"),
		AddrA6: netip.MustParseAddr("fd99::1"), AddrB6: netip.MustParseAddr("fd99::2"),
		LinkLocalA: linkLocal(t, alice), LinkLocalB: linkLocal(t, bob),
		Broadcast4: netip.MustParseAddr("10.99.0.255"),
		InterfaceA: "eth0", InterfaceB: "eth0", IndexA: 2, IndexB: 2,
		MTU: 1500, Raw: true, Admin: true, Ping: true,
	})
}

// One host with itself, over lo.
func TestConformanceOverLoopback(t *testing.T) {
	h := berth.NewHost(berth.Config{})
	defer h.Close()
	sockettest.Run(t, sockettest.Env{
		A: h, B: h,
		AddrA4: netip.MustParseAddr("127.0.0.1"), AddrB4: netip.MustParseAddr("127.0.0.1"),
		AddrA6: netip.IPv6Loopback(), AddrB6: netip.IPv6Loopback(),
		InterfaceA: "lo", InterfaceB: "lo", IndexA: 1, IndexB: 1,
		MTU: 65535, Raw: true, Admin: true, Ping: true,
	})
}

// linkLocal is the link-local address of a host's first interface on a link.
func linkLocal(t *testing.T, h *berth.Host) netip.Addr {
	t.Helper()
	ifc := h.Interfaces()[1]
	for _, a := range ifc.Addrs() {
		if addr := a.Prefix.Addr(); addr.Is6() && addr.IsLinkLocalUnicast() {
			return addr.WithZone(ifc.Name())
		}
	}
	t.Fatal("no link-local address")
	return netip.Addr{}
}
