package berth_test

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"

	"example.com/berth"
	"example.com/berth/link"
	"example.com/berth/link/pcapng"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// check ends the program at the first error.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// join attaches a host to a device, or ends the program.
func join(h *berth.Host, dev link.Device, prefix string) {
	_, err := h.Attach(dev, prefix)
	check(err)
}

// A router between two wires, with a host at either end.
func Example_router() {
	left, a := wire.Pair()
	right, b := wire.Pair()
	router := berth.NewHost(berth.Config{Forwarding: true})
	join(router, left, "10.0.1.1/24")
	join(router, right, "10.0.2.1/24")
	alice, bob := berth.NewHost(berth.Config{}), berth.NewHost(berth.Config{})
	join(alice, a, "10.0.1.2/24")
	join(bob, b, "10.0.2.2/24")
	everything := netip.MustParsePrefix("0.0.0.0/0")
	check(alice.AddRoute(berth.Route{Dst: everything, Via: netip.MustParseAddr("10.0.1.1")}))
	check(bob.AddRoute(berth.Route{Dst: everything, Via: netip.MustParseAddr("10.0.2.1")}))

	receiver, err := bob.Socket(socket.INET, socket.DGRAM, 0)
	check(err)
	check(receiver.Bind(netip.MustParseAddrPort("10.0.2.2:7")))
	check(socket.Set(receiver, socket.IP_RECVTTL, 1))
	sender, err := alice.Socket(socket.INET, socket.DGRAM, 0)
	check(err)
	check(sender.Bind(netip.MustParseAddrPort("10.0.1.2:50007")))
	_, err = sender.SendTo([]byte("hello"), 0, receiver.LocalAddr())
	check(err)

	m := socket.Message{Buffers: [][]byte{make([]byte, 64)}}
	n, err := receiver.RecvMsg(&m, 0)
	check(err)
	fmt.Printf("%q from %v, time to live %d\n", m.Buffers[0][:n], m.Addr, m.Control.TTL)
	fmt.Println("forwarded:", router.Counters().IP.Forwarded.Load())
	// Output:
	// "hello" from 10.0.1.2:50007, time to live 63
	// forwarded: 1
}

// A gateway that accepts any destination: it answers for everybody but port 25.
func ExampleForwarder() {
	ctx := context.Background()
	a, b := wire.Pair()
	gateway := berth.NewHost(berth.Config{Forwarder: func(f *berth.Flow) {
		if f.Protocol != socket.IPPROTO_TCP || f.Dst.Port() == 25 {
			f.Prohibit()
			return
		}
		s, err := f.Accept()
		check(err)
		go func() {
			_, err := s.Send([]byte("you have reached "+s.LocalAddr().String()), 0)
			check(err)
			check(s.Close())
		}()
	}})
	inside := berth.NewHost(berth.Config{})
	join(gateway, a, "10.0.0.1/24")
	join(inside, b, "10.0.0.2/24")
	everything := netip.MustParsePrefix("0.0.0.0/0")
	check(inside.AddRoute(berth.Route{Dst: everything, Via: netip.MustParseAddr("10.0.0.1")}))

	for _, to := range []string{"198.51.100.7:80", "198.51.100.7:25"} {
		s, err := inside.Socket(socket.INET, socket.STREAM, 0)
		check(err)
		if err := s.Connect(ctx, netip.MustParseAddrPort(to)); err != nil {
			fmt.Println(to, err)
			continue
		}
		answer := make([]byte, 100)
		n, err := s.Recv(answer, socket.MSG_WAITALL)
		check(err)
		fmt.Printf("%s\n", answer[:n])
	}
	// Output:
	// you have reached 198.51.100.7:80
	// 198.51.100.7:25 no route to host
}

// What passes a device goes to a capture that Wireshark reads; the capture may
// as well be a file.
func Example_capture() {
	var capture bytes.Buffer
	w := pcapng.NewWriter(&capture, pcapng.Options{Comment: "a datagram and its refusal"})
	a, b := wire.Pair()
	alice, bob := berth.NewHost(berth.Config{}), berth.NewHost(berth.Config{})
	join(alice, pcapng.Wrap(a, w, "alice"), "10.0.0.1/24")
	join(bob, b, "10.0.0.2/24")
	w.Name(netip.MustParseAddr("10.0.0.1"), "alice")
	w.Name(netip.MustParseAddr("10.0.0.2"), "bob")

	s, err := alice.Socket(socket.INET, socket.DGRAM, 0)
	check(err)
	check(s.Connect(context.Background(), netip.MustParseAddrPort("10.0.0.2:7")))
	_, err = s.Send([]byte("is anybody there?"), 0)
	check(err)
	_, err = s.Recv(make([]byte, 64), 0)
	fmt.Println(err)

	check(w.Close())
	fmt.Printf("a capture begins with %x\n", capture.Bytes()[:4])
	fmt.Println("it has the question:", bytes.Contains(capture.Bytes(), []byte("is anybody there?")))
	// Output:
	// connection refused
	// a capture begins with 0a0d0d0a
	// it has the question: true
}

// The table of a host's sockets, as ss(8) shows it.
func ExampleHost_Sockets() {
	ctx := context.Background()
	a, b := wire.Pair()
	alice, bob := berth.NewHost(berth.Config{}), berth.NewHost(berth.Config{})
	join(alice, a, "10.0.0.1/24")
	join(bob, b, "10.0.0.2/24")

	listener, err := bob.Socket(socket.INET, socket.STREAM, 0)
	check(err)
	check(listener.Bind(netip.MustParseAddrPort("0.0.0.0:80")))
	check(listener.Listen(16))
	client, err := alice.Socket(socket.INET, socket.STREAM, 0)
	check(err)
	check(client.Bind(netip.MustParseAddrPort("10.0.0.1:40000")))
	check(client.Connect(ctx, netip.MustParseAddrPort("10.0.0.2:80")))
	server, _, err := listener.Accept(ctx)
	check(err)
	_, err = client.Send([]byte("hello"), 0)
	check(err)
	show := func() {
		for _, s := range bob.Sockets() {
			fmt.Printf("%-12v recv %d send %2d  %v\n", s.State, s.RecvQueue, s.SendQueue, s.Local)
		}
	}
	show()
	check(server.Close()) // with data that nobody has read: a reset
	fmt.Println()
	show()
	// Output:
	// LISTEN       recv 0 send 16  0.0.0.0:80
	// ESTABLISHED  recv 5 send  0  10.0.0.2:80
	//
	// LISTEN       recv 0 send 16  0.0.0.0:80
}
