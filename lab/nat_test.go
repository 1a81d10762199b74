package lab_test

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"example.com/berth/lab"
)

// homes makes two hosts, each behind a NAT of its own, and a server outside.
func homes(n *lab.Network, left, right lab.NATBehavior) (a, b, server *lab.Host, nats [2]*lab.NAT) {
	internet := n.Router("internet")
	server = n.Host("server")
	n.Link(server, internet, lab.Delay(10*time.Millisecond))
	for i, h := range []struct {
		name     string
		behavior lab.NATBehavior
	}{{"a", left}, {"b", right}} {
		nats[i] = n.NAT("nat-"+h.name, h.behavior)
		n.Link(nats[i], internet, lab.Delay(10*time.Millisecond))
		n.Link(n.Host(h.name), nats[i], lab.Delay(time.Millisecond))
	}
	return n.Host("a"), n.Host("b"), server, nats
}

// mirror answers each datagram with the address that it came from, as a STUN
// server does.
func mirror(t *testing.T, h *lab.Host) {
	pc, err := h.ListenPacket("udp4", ":3478")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		b := make([]byte, 100)
		for {
			_, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			pc.WriteTo([]byte(from.String()), from)
		}
	}()
}

// outside asks the mirror for the outside address of a socket.
func outside(t *testing.T, pc net.PacketConn, server *lab.Host) netip.AddrPort {
	t.Helper()
	if _, err := pc.WriteTo([]byte("?"), udp(netip.AddrPortFrom(server.Addr(), 3478))); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	k, _, err := pc.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	return netip.MustParseAddrPort(string(b[:k]))
}

func udp(a netip.AddrPort) net.Addr { return net.UDPAddrFromAddrPort(a) }

// Which pairs of NATs two peers can punch through with UDP (RFC 5128 3.3).
func TestHolePunching(t *testing.T) {
	kinds := []lab.NATBehavior{lab.FullCone, lab.AddressRestricted, lab.PortRestricted, lab.Symmetric}
	for i, left := range kinds {
		for j, right := range kinds {
			// A symmetric NAT sends to the peer from another port than the one
			// that the peer was told: the peer must not mind.
			want := !(i == 3 && j >= 2 || j == 3 && i >= 2)
			t.Run(fmt.Sprintf("%v and %v", left, right), func(t *testing.T) {
				lab.Test(t, func(t *testing.T, n *lab.Network) {
					a, b, server, _ := homes(n, left, right)
					mirror(t, server)
					var socks [2]net.PacketConn
					var seen [2]netip.AddrPort
					for k, h := range []*lab.Host{a, b} {
						pc, err := h.ListenPacket("udp4", ":5000")
						if err != nil {
							t.Fatal(err)
						}
						socks[k], seen[k] = pc, outside(t, pc, server)
					}
					if got := punch(socks, seen); got != want {
						t.Errorf("punching through: %v, want %v", got, want)
					}
				})
			})
		}
	}
}

// punch has both peers send to what they know of each other, and answer whoever
// sends to them, from where it came, and tells whether both have heard the other's
// answer.
func punch(socks [2]net.PacketConn, seen [2]netip.AddrPort) bool {
	done := make(chan bool)
	for k := range socks {
		go func() {
			heard := false
			peer := udp(seen[1-k])
			b := make([]byte, 100)
			for range 10 {
				socks[k].WriteTo([]byte("hello"), peer)
				socks[k].SetReadDeadline(time.Now().Add(100 * time.Millisecond))
				for {
					n, from, err := socks[k].ReadFrom(b)
					if err != nil {
						break
					}
					if peer = from; string(b[:n]) == "answer" {
						heard = true
					} else {
						socks[k].WriteTo([]byte("answer"), from)
					}
				}
			}
			done <- heard
		}()
	}
	first, second := <-done, <-done
	return first && second
}

func TestNATTable(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		a, _, server, nats := homes(n, lab.PortRestricted, lab.FullCone)
		echo(t, server)
		c := dial(t, a, "server:7")
		exchange(t, c)
		table := nats[0].Mappings()
		if len(table) != 1 || table[0].Inside != netip.MustParseAddrPort(c.LocalAddr().String()) {
			t.Errorf("the table is %v, want one mapping of %v", table, c.LocalAddr())
		}
		if got := nats[1].Mappings(); len(got) != 0 {
			t.Errorf("the other NAT has %v", got)
		}
	})
}

func TestForwardedPort(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		a, b, server, nats := homes(n, lab.Symmetric, lab.Symmetric)
		echo(t, a)
		if _, err := server.Dial("tcp", netip.AddrPortFrom(nats[0].Addr(), 8007).String()); err == nil {
			t.Error("there is a way in before the port is forwarded")
		}
		out, err := nats[0].Forward("tcp", 8007, netip.AddrPortFrom(a.Addr(), 7))
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range []*lab.Host{server, b} {
			exchange(t, dial(t, h, out.String()))
		}
		// A neighbour in the house reaches it by the outside address, too.
		n.Link(n.Host("neighbour"), nats[0])
		exchange(t, dial(t, n.Host("neighbour"), out.String()))
		if _, err := nats[0].Forward("sctp", 1, netip.AddrPortFrom(a.Addr(), 7)); err == nil {
			t.Error("sctp can be forwarded")
		}
	})
}
