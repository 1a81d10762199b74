package berth_test

import (
	"fmt"
	"net/netip"
	"testing"

	"example.com/berth"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// However much else a host has, a packet takes no memory. What it costs in time the
// benchmarks beside this tell.

func TestAmongManyConnectionsNothingIsAllocated(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	alice, bob := pair(t)
	var ends [][2]socket.Socket
	manyConnections(t, alice, bob, bob4, 1000, func(c, s socket.Socket) {
		exchange(t, c, s, 1)
		exchange(t, s, c, 1)
		ends = append(ends, [2]socket.Socket{c, s})
	})
	buf, i := make([]byte, 1), 0
	if n := steadyAllocs(len(ends), func() {
		e := ends[i%len(ends)]
		i++
		for k := range e {
			if _, err := e[k].Send(buf, 0); err != nil {
				t.Fatal(err)
			}
			if _, err := e[1-k].Recv(buf, 0); err != nil {
				t.Fatal(err)
			}
		}
	}); n != 0 {
		t.Errorf("a byte there and back: %v allocations", n)
	}
}

func TestAmongManyInterfacesAndRoutesNothingIsAllocated(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, many := range []int{1, 300} {
		t.Run(fmt.Sprint(many), func(t *testing.T) {
			alice, bob := pair(t)
			for i := range many {
				dev, _ := wire.Pair()
				if _, err := alice.Attach(dev, fmt.Sprintf("172.%d.%d.1/24", 16+i>>8, i&255)); err != nil {
					t.Fatal(err)
				}
				dst := netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(i >> 8), byte(i), 0}), 24)
				if err := alice.AddRoute(berth.Route{Dst: dst, Via: bob4}); err != nil {
					t.Fatal(err)
				}
			}
			near := netip.AddrPortFrom(bob4, 9)
			r := receiver(t, bob, near)
			s := newSocket(t, alice, socket.INET, socket.DGRAM, 0)
			buf := make([]byte, 64)
			step := func() {
				if _, err := s.SendTo(buf, 0, near); err != nil {
					t.Fatal(err)
				}
				if _, err := r.Recv(buf, 0); err != nil {
					t.Fatal(err)
				}
				if _, err := s.SendTo(buf, 0, netip.MustParseAddrPort("20.0.0.1:9")); err != nil {
					t.Fatal(err)
				}
			}
			step()
			if n := steadyAllocs(200, step); n != 0 {
				t.Errorf("a datagram there and one to a route: %v allocations", n)
			}
		})
	}
}
