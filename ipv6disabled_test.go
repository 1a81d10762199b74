package berth_test

import (
	"net/netip"
	"testing"
	"testing/synctest"

	"example.com/berth"
	"example.com/berth/link/wire"
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

// And neighbors find them on an Ethernet, as long as they are there.
func TestDisabledIPv6IsFoundByNeighbors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := berth.Config{}
		cfg.IPv6.Disabled = true
		alice, bob := pairWith(t, cfg, nil, wire.Ethernet())
		defer alice.Close()
		defer bob.Close()
		in := newSocket(t, bob, socket.INET6, socket.DGRAM, 0)
		if err := in.Bind(netip.AddrPortFrom(bob6, 7)); err != nil {
			t.Fatal(err)
		}
		out := newSocket(t, alice, socket.INET6, socket.DGRAM, 0)
		if _, err := out.SendTo([]byte("x"), 0, in.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n, err := in.Recv(make([]byte, 2), socket.MSG_DONTWAIT); n != 1 {
			t.Errorf("Recv gives %d, %v", n, err)
		}
		ifc := bob.Interfaces()[1]
		if err := ifc.RemoveAddr(bob6); err != nil {
			t.Fatal(err)
		}
		if err := ifc.AddAddr(netip.PrefixFrom(bob6, 64)); err != nil {
			t.Fatal(err)
		}
	})
}
