package socket_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"example.com/berth"
	"example.com/berth/socket"
)

// check ends the program at the first error.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// An echo server and its client, call by call: stream sockets on a host that
// talks to itself.
func Example() {
	ctx := context.Background()
	host := berth.NewHost(berth.Config{})
	defer host.Close()

	// The server: socket, bind, listen.
	listener, err := host.Socket(socket.INET, socket.STREAM, 0)
	check(err)
	check(listener.Bind(netip.MustParseAddrPort("127.0.0.1:50007")))
	check(listener.Listen(128))

	// The client: socket, connect.
	client, err := host.Socket(socket.INET, socket.STREAM, 0)
	check(err)
	check(client.Bind(netip.MustParseAddrPort("127.0.0.1:40000"))) // or else any port
	check(client.Connect(ctx, listener.LocalAddr()))

	// The server: accept.
	server, peer, err := listener.Accept(ctx)
	check(err)
	fmt.Println("server:", peer, "has called", server.LocalAddr())

	// The client: send what there is to say, and no more.
	_, err = client.Send([]byte("hello"), 0)
	check(err)
	check(client.Shutdown(socket.SHUT_WR))

	// The server: receive and send until the client's end, close.
	buf := make([]byte, 1024)
	for {
		n, err := server.Recv(buf, 0)
		check(err)
		if n == 0 {
			break
		}
		fmt.Printf("server: received %q\n", buf[:n])
		_, err = server.Send(buf[:n], 0)
		check(err)
	}
	check(server.Close())

	// The client: receive, close.
	n, err := client.Recv(buf, socket.MSG_WAITALL)
	check(err)
	fmt.Printf("client: received %q\n", buf[:n])
	check(client.Close())
	// Output:
	// server: 127.0.0.1:40000 has called 127.0.0.1:50007
	// server: received "hello"
	// client: received "hello"
}

// Datagram sockets need no connection: each datagram says where it is from.
func ExampleSocket_SendTo() {
	host := berth.NewHost(berth.Config{})
	defer host.Close()
	server, err := host.Socket(socket.INET6, socket.DGRAM, 0)
	check(err)
	check(server.Bind(netip.MustParseAddrPort("[::1]:50007")))
	client, err := host.Socket(socket.INET6, socket.DGRAM, 0)
	check(err)

	_, err = client.SendTo([]byte("one"), 0, server.LocalAddr())
	check(err)
	_, err = client.SendTo([]byte("and two"), 0, server.LocalAddr())
	check(err)

	buf := make([]byte, 5) // too short for the second
	for range 2 {
		n, from, err := server.RecvFrom(buf, socket.MSG_TRUNC)
		check(err)
		fmt.Printf("%d bytes, of which we have %q\n", n, buf[:min(n, len(buf))])
		_, err = server.SendTo([]byte("thanks"), 0, from)
		check(err)
	}
	n, from, err := client.RecvFrom(buf, 0)
	check(err)
	fmt.Printf("%q from %v\n", buf[:n], from)
	// Output:
	// 3 bytes, of which we have "one"
	// 7 bytes, of which we have "and t"
	// "thank" from [::1]:50007
}

// Poll waits for many sockets at once, here a listener and a datagram socket.
func ExampleProvider_Poll() {
	ctx := context.Background()
	host := berth.NewHost(berth.Config{})
	defer host.Close()
	open := func(typ socket.Type) socket.Socket {
		s, err := host.Socket(socket.INET, typ, 0)
		check(err)
		check(s.Bind(netip.MustParseAddrPort("127.0.0.1:7")))
		return s
	}
	stream, datagram := open(socket.STREAM), open(socket.DGRAM)
	check(stream.Listen(8))
	waiting := []socket.PollFD{
		{Socket: stream, Events: socket.POLLIN},
		{Socket: datagram, Events: socket.POLLIN},
	}
	poll := func(timeout time.Duration) {
		n, err := host.Poll(ctx, waiting, timeout)
		check(err)
		fmt.Printf("%d ready: stream %v, datagram %v\n", n, waiting[0].Revents, waiting[1].Revents)
	}
	poll(0) // look without waiting

	client, err := host.Socket(socket.INET, socket.DGRAM, 0)
	check(err)
	_, err = client.SendTo([]byte("ping"), 0, datagram.LocalAddr())
	check(err)
	poll(-1) // wait as long as it takes

	caller, err := host.Socket(socket.INET, socket.STREAM, 0)
	check(err)
	check(caller.Connect(ctx, stream.LocalAddr()))
	poll(time.Second)
	// Output:
	// 0 ready: stream 0, datagram 0
	// 1 ready: stream 0, datagram POLLIN
	// 2 ready: stream POLLIN, datagram POLLIN
}

// With MSG_PEEK the data stay where they are: for a server that finds out what
// is spoken before it hands the connection on.
func ExampleSocket_Recv() {
	ctx := context.Background()
	host := berth.NewHost(berth.Config{})
	defer host.Close()
	listener, err := host.Socket(socket.INET, socket.STREAM, 0)
	check(err)
	check(listener.Listen(1)) // on a port that the host chooses
	client, err := host.Socket(socket.INET, socket.STREAM, 0)
	check(err)
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), listener.LocalAddr().Port())
	check(client.Connect(ctx, to))
	_, err = client.Send([]byte("GET / HTTP/1.1\r\n"), 0)
	check(err)

	server, _, err := listener.Accept(ctx)
	check(err)
	buf := make([]byte, 64)
	n, err := server.Recv(buf[:3], socket.MSG_PEEK)
	check(err)
	fmt.Printf("%q\n", buf[:n])
	n, err = server.Recv(buf, 0)
	check(err)
	fmt.Printf("%q\n", buf[:n])
	_, err = server.Recv(buf, socket.MSG_DONTWAIT)
	fmt.Println(err)
	// Output:
	// "GET"
	// "GET / HTTP/1.1\r\n"
	// resource temporarily unavailable
}
