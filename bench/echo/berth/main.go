// Command berth is an echo over TCP on berth's sockets, on a TUN that it is
// given as descriptor 3, to see how large that is. It does without the devices of
// berth, as a program does that has a link of its own: fdLink is all it needs.
package main

import (
	"context"
	"net/netip"
	"os"

	"example.com/berth"
	"example.com/berth/socket"
)

func main() {
	host := berth.NewHost(berth.Config{})
	if _, err := host.Attach(&fdLink{fd: 3}, "10.9.0.1/24"); err != nil {
		panic(err)
	}
	l, err := host.Socket(socket.INET, socket.STREAM, 0)
	if err != nil {
		panic(err)
	}
	if err := l.Bind(netip.MustParseAddrPort("0.0.0.0:7")); err != nil {
		panic(err)
	}
	if err := l.Listen(128); err != nil {
		panic(err)
	}
	os.Stdout.WriteString("ready\n")
	for {
		c, _, err := l.Accept(context.Background())
		if err != nil {
			panic(err)
		}
		go echo(c)
	}
}

func echo(c socket.Socket) {
	defer c.Close()
	buf := make([]byte, 16<<10)
	for {
		n, err := c.Recv(buf, 0)
		if err != nil || n == 0 {
			return
		}
		if _, err := c.Send(buf[:n], 0); err != nil {
			return
		}
	}
}
