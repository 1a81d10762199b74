package socket_test

import (
	"context"
	"fmt"
	"net/netip"

	"example.com/berth"
	"example.com/berth/kernel"
	"example.com/berth/socket"
)

// A program runs on either provider: on a berth host, or on the sockets of the
// operating system.
func Example_kernel() {
	host := berth.NewHost(berth.Config{})
	defer host.Close()
	fmt.Printf("berth:  %q\n", echo(host))
	fmt.Printf("kernel: %q\n", echo(kernel.Sockets()))
	// Output:
	// berth:  "hello"
	// kernel: "hello"
}

// echo sends hello to itself and back, and returns what came.
func echo(p socket.Provider) []byte {
	ctx := context.Background()
	listener, err := p.Socket(socket.INET, socket.STREAM, 0)
	check(err)
	defer listener.Close()
	check(listener.Bind(netip.MustParseAddrPort("127.0.0.1:0")))
	check(listener.Listen(1))

	client, err := p.Socket(socket.INET, socket.STREAM, 0)
	check(err)
	defer client.Close()
	check(client.Connect(ctx, listener.LocalAddr()))
	server, _, err := listener.Accept(ctx)
	check(err)
	defer server.Close()

	_, err = client.Send([]byte("hello"), 0)
	check(err)
	buf := make([]byte, 5)
	n, err := server.Recv(buf, socket.MSG_WAITALL)
	check(err)
	_, err = server.Send(buf[:n], 0)
	check(err)
	clear(buf)
	n, err = client.Recv(buf, socket.MSG_WAITALL)
	check(err)
	return buf[:n]
}
