package berth_test

import (
	"net/netip"
	"testing"

	"example.com/berth"
	"example.com/berth/socket"
)

// Without autoconfiguration addresses that are set by hand work as ever.
func TestDisabledIPv6HasAddressesByHand(t *testing.T) {
	cfg := berth.Config{}
	cfg.IPv6.Disabled = true
	alice, _ := pairWith(t, cfg, nil)
	for _, ifc := range alice.Interfaces() {
		for _, a := range ifc.Addrs() {
			if a.Tentative {
				t.Errorf("%s: %v is tentative", ifc.Name(), a.Prefix)
			}
		}
	}
	s := newSocket(t, alice, socket.INET6, socket.DGRAM, 0)
	if err := s.Connect(t.Context(), netip.AddrPortFrom(bob6, 7)); err != nil {
		t.Fatal(err)
	}
	if a := s.LocalAddr().Addr(); a != alice6 {
		t.Errorf("from %v, want %v", a, alice6)
	}
}
