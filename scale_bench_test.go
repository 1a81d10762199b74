package berth_test

import (
	"fmt"
	"net/netip"
	"testing"

	"example.com/berth"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// What a packet costs is to stay the same however much else a host has.

// Segments of connections in turn: a byte there and a byte back on 64 of those that
// there are, and on all.
func BenchmarkAmongConnections(b *testing.B) {
	const active = 64
	for _, n := range []int{1, 100, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var ends [][2]socket.Socket // made when first wanted
			for _, of := range []int{min(active, n), n} {
				b.Run(fmt.Sprint("on ", of), func(sub *testing.B) {
					if ends == nil {
						ends = establish(b, n)
					}
					buf := make([]byte, 1)
					sub.ReportAllocs()
					i := 0
					for sub.Loop() {
						ask(sub, ends[i], buf)
						if i++; i == of {
							i = 0
						}
					}
				})
			}
		})
	}
}

// establish makes connections between two hosts.
func establish(b *testing.B, n int) (ends [][2]socket.Socket) {
	alice, bob := pair(b)
	for port := uint16(80); len(ends) < n; port++ {
		l := listenOn(b, bob, netip.AddrPortFrom(bob4, port), 16)
		for range min(n-len(ends), 20_000) {
			c, err := alice.Socket(socket.INET, socket.STREAM, 0)
			if err != nil {
				b.Fatal(err)
			}
			if err := c.Connect(b.Context(), l.LocalAddr()); err != nil {
				b.Fatal(err)
			}
			s, _, err := l.Accept(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			ends = append(ends, [2]socket.Socket{c, s})
		}
	}
	return ends
}

// ask has a byte go there and back, on one goroutine.
func ask(b *testing.B, ends [2]socket.Socket, buf []byte) {
	for i := range ends {
		if _, err := ends[i].Send(buf, 0); err != nil {
			b.Fatal(err)
		}
		if _, err := ends[1-i].Recv(buf, 0); err != nil {
			b.Fatal(err)
		}
	}
}

// Datagrams on one interface of a host that has many, to two destinations in turn, so
// that the way and the source are found anew for each.
func BenchmarkAmongInterfaces(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			alice, bob := pair(b)
			for i := range n - 1 {
				dev, _ := wire.Pair()
				prefix := fmt.Sprintf("172.%d.%d.1/24", 16+i>>8, i&255)
				if _, err := alice.Attach(dev, prefix); err != nil {
					b.Fatal(err)
				}
			}
			to := [2]netip.AddrPort{netip.AddrPortFrom(bob4, 9), netip.AddrPortFrom(bob4, 10)}
			var receivers [2]socket.Socket
			for i := range to {
				receivers[i] = newSocket(b, bob, socket.INET, socket.DGRAM, 0)
				if err := receivers[i].Bind(to[i]); err != nil {
					b.Fatal(err)
				}
			}
			s := newSocket(b, alice, socket.INET, socket.DGRAM, 0)
			buf := make([]byte, 64)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := s.SendTo(buf, 0, to[i&1]); err != nil {
					b.Fatal(err)
				}
				if _, err := receivers[i&1].Recv(buf, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Datagrams behind many routes, without a path that is kept: the socket is not
// connected. The gateway drops them.
func BenchmarkAmongRoutes(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			alice, _ := pair(b)
			to := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{20, byte(i >> 8), byte(i), 1}) }
			for i := range n {
				if err := alice.AddRoute(berth.Route{Dst: netip.PrefixFrom(to(i), 24), Via: bob4}); err != nil {
					b.Fatal(err)
				}
			}
			var dsts [256]netip.AddrPort
			for i := range dsts {
				dsts[i] = netip.AddrPortFrom(to(i*n/len(dsts)), 9)
			}
			s := newSocket(b, alice, socket.INET, socket.DGRAM, 0)
			buf := make([]byte, 64)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := s.SendTo(buf, 0, dsts[i&255]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
