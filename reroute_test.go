package berth_test

import (
	"net/netip"
	"testing"

	"example.com/berth"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// A connection that began over a device that cuts large segments goes on over
// one that does not.
func TestAConnectionMovesToADeviceWithoutOffload(t *testing.T) {
	for _, other := range [][]wire.Option{
		{wire.Offload(0)},
		{wire.Offload(0), wire.Ethernet()},
		{wire.Offload(0), wire.MTU(1280)},
		{wire.MaxSegments(3)},
	} {
		alice, bob := pair(t)
		a, b := wire.Pair(other...)
		detour, err := alice.Attach(a, "10.1.0.1/24")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bob.Attach(b, "10.1.0.2/24"); err != nil {
			t.Fatal(err)
		}
		c, s := connected(t, alice, bob, bob4)
		if _, err := c.Send(make([]byte, 100_000), 0); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Recv(make([]byte, 100_000), socket.MSG_WAITALL); n != 100_000 || err != nil {
			t.Fatal(n, err)
		}
		if err := alice.AddRoute(berth.Route{
			Dst: netip.PrefixFrom(bob4, 32), Via: netip.MustParseAddr("10.1.0.2"), Interface: detour,
		}); err != nil {
			t.Fatal(err)
		}
		before := a.Stats()
		transfer(t, c, s, 1<<20)
		if a.Stats() == before {
			t.Error("nothing took the detour")
		}
		if n := alice.Counters().IP.DeviceError.Load(); n != 0 {
			t.Errorf("%d frames were refused by the device", n)
		}
	}
}
