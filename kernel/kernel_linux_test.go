package kernel_test

import (
	"net/netip"
	"os"
	"testing"

	"example.com/berth/kernel"
	"example.com/berth/socket/sockettest"
)

// TestLoopback runs the conformance suite on a loopback interface, which needs
// no privilege. Root takes one of its own: ports that a case wants for itself,
// in both families or again after a Close, somebody else may have on the one
// that the whole machine shares.
func TestLoopback(t *testing.T) {
	p, ping := kernel.Sockets(), false
	if os.Geteuid() == 0 {
		n := newNamespace(t)
		n.up(t, "lo")
		p, ping = n.p, true
	}
	sockettest.Run(t, sockettest.Env{
		A: p, B: p,
		AddrA4:     netip.MustParseAddr("127.0.0.1"),
		AddrB4:     netip.MustParseAddr("127.0.0.2"),
		AddrA6:     netip.IPv6Loopback(),
		AddrB6:     netip.IPv6Loopback(),
		Broadcast4: netip.MustParseAddr("127.255.255.255"),
		InterfaceA: "lo", InterfaceB: "lo",
		IndexA: 1, IndexB: 1,
		MTU:   65536,
		Raw:   os.Geteuid() == 0,
		Admin: os.Geteuid() == 0,
		Ping:  ping,
	})
}

// TestNamespaces runs the conformance suite between two network namespaces that
// a pair of virtual Ethernet interfaces joins.
func TestNamespaces(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("making network namespaces needs root")
	}
	sockettest.Run(t, joinedNamespaces(t))
}
