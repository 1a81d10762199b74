package lab_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"example.com/berth/lab"
	"example.com/berth/netconn"
	"example.com/berth/socket"
)

// twoHomes makes a server, and two hosts, "ann" and "bob", each behind a NAT that
// lets in only those whom the host has sent something to.
func twoHomes(n *lab.Network) (server, ann, bob *lab.Host) {
	internet := n.Router("internet")
	n.Link(n.Host("server"), internet, lab.Delay(10*time.Millisecond))
	for _, name := range []string{"ann", "bob"} {
		home := n.NAT(name+"s-router", lab.PortRestricted)
		n.Link(home, internet, lab.Delay(10*time.Millisecond))
		n.Link(n.Host(name), home)
	}
	return n.Host("server"), n.Host("ann"), n.Host("bob")
}

func TestPunchUDP(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		server, ann, bob := twoHomes(n)
		rendezvous := must(server.ListenPacket("udp4", ":3478"))
		a, b := must(ann.ListenPacket("udp4", ":5000")), must(bob.ListenPacket("udp4", ":5000"))

		// The server sees both as the internet sees them.
		var seen []net.Addr
		for _, c := range []net.PacketConn{a, b} {
			c.WriteTo([]byte("here I am"), &net.UDPAddr{IP: server.Addr().AsSlice(), Port: 3478})
			_, from, _ := rendezvous.ReadFrom(make([]byte, 16))
			seen = append(seen, from)
		}

		// Ann's first datagram ends at Bob's NAT, but opens her own. Bob's comes in.
		a.WriteTo([]byte("knock, knock"), seen[1])
		time.Sleep(time.Second)
		b.WriteTo([]byte("come in"), seen[0])
		heard(t, a, "come in")
		a.WriteTo([]byte("thank you"), seen[1])
		heard(t, b, "thank you")
	})
}

// heard waits a second for some words.
func heard(t *testing.T, c net.PacketConn, want string) {
	c.SetReadDeadline(time.Now().Add(time.Second))
	b := make([]byte, 16)
	if k, _, err := c.ReadFrom(b); string(b[:k]) != want {
		t.Errorf("heard %q, want %q: %v", b[:k], want, err)
	}
}

// from5000 is a dialer that connects from port 5000, again and again.
func from5000(h *lab.Host) *netconn.Dialer {
	d := h.Dialer()
	d.LocalAddr = &net.TCPAddr{Port: 5000}
	d.Control = func(_ context.Context, _, _ string, s socket.Socket) error {
		return socket.Set(s, socket.SO_REUSEADDR, 1)
	}
	return d
}

func TestPunchTCP(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		server, ann, bob := twoHomes(n)
		rendezvous := must(server.Listen("tcp4", ":3478"))
		var seen []string
		for _, h := range []*lab.Host{ann, bob} {
			defer must(from5000(h).Dial("tcp4", "server:3478")).Close()
			seen = append(seen, must(rendezvous.Accept()).RemoteAddr().String())
		}

		// Nobody listens: both connect at one instant, and their SYNs pass each
		// other on the way (simultaneous open, RFC 9293 3.5).
		start := time.Now()
		words := make(chan string)
		for i, h := range []*lab.Host{ann, bob} {
			go func() {
				c, err := from5000(h).Dial("tcp4", seen[1-i])
				if err != nil {
					words <- err.Error()
					return
				}
				defer c.Close()
				fmt.Fprintf(c, "hello from %s", h.Name())
				b := make([]byte, 32)
				k, _ := c.Read(b)
				words <- string(b[:k])
			}()
		}
		got := map[string]bool{<-words: true, <-words: true}
		if !got["hello from ann"] || !got["hello from bob"] {
			t.Errorf("heard %v", got)
		}
		// SYNs, SYN-ACKs and words took 20 ms each.
		if took := time.Since(start); took != 60*time.Millisecond {
			t.Errorf("it took %v, want 60ms", took)
		}
	})
}
