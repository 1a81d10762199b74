package kernel_test

import (
	"context"
	"fmt"
	"net/netip"

	"example.com/berth/kernel"
	"example.com/berth/socket"
)

// Datagrams between two sockets of the operating system: poll, peek, receive.
func Example() {
	host := kernel.Sockets()
	server, err := host.Socket(socket.INET, socket.DGRAM, 0)
	check(err)
	defer server.Close()
	check(server.Bind(netip.MustParseAddrPort("127.0.0.1:0")))
	client, err := host.Socket(socket.INET, socket.DGRAM, 0)
	check(err)
	defer client.Close()
	check(client.Connect(context.Background(), server.LocalAddr()))
	_, err = client.Send([]byte("hello"), 0)
	check(err)

	waiting := []socket.PollFD{{Socket: server, Events: socket.POLLIN}}
	_, err = host.Poll(context.Background(), waiting, -1)
	check(err)
	fmt.Println(waiting[0].Revents)
	buf := make([]byte, 64)
	n, err := server.Recv(buf[:4], socket.MSG_PEEK|socket.MSG_TRUNC)
	check(err)
	fmt.Printf("%d bytes wait, the first are %q\n", n, buf[:4])
	n, from, err := server.RecvFrom(buf, 0)
	check(err)
	fmt.Printf("%q, from the client: %v\n", buf[:n], from == client.LocalAddr())
	// Output:
	// POLLIN
	// 5 bytes wait, the first are "hell"
	// "hello", from the client: true
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
