// Package echoer sends back what comes, as the echo service of RFC 862 does.
package echoer

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"

	"example.com/berth/cmd/berth/internal/machine"
	"example.com/berth/netconn"
	"example.com/berth/socket"
)

// Log takes a line about what happens.
type Log func(format string, args ...any)

// Stream sends back what comes on each connection, and ends its half when the
// peer has ended its own. It returns when ctx ends, and closes all connections
// then; the error is that of the listener.
func Stream(ctx context.Context, l *netconn.TCPListener, log Log) error {
	defer machine.EndWith(ctx, l)()
	var served sync.WaitGroup
	defer served.Wait()
	for {
		c, err := l.AcceptTCP()
		if ctx.Err() != nil {
			if err == nil {
				c.Close()
			}
			return nil
		}
		if err != nil {
			return err
		}
		served.Go(func() { serve(ctx, c, log) })
	}
}

func serve(ctx context.Context, c *netconn.TCPConn, log Log) {
	defer c.Close()
	defer machine.EndWith(ctx, c)()
	log("%s: connected", c.RemoteAddr())
	n, err := io.Copy(c, c)
	if err == nil {
		err = c.CloseWrite()
	}
	if err != nil {
		log("%s: %d bytes sent back, then: %v", c.RemoteAddr(), n, err)
		return
	}
	log("%s: %d bytes sent back", c.RemoteAddr(), n)
}

// maxDatagram is the longest payload of UDP.
const maxDatagram = 65507

// Datagram sends datagrams back to where they come from, with the address that
// they were sent to as their source, until ctx ends.
func Datagram(ctx context.Context, c *netconn.UDPConn, log Log) error {
	defer machine.EndWith(ctx, c)()
	wildcard := c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().IsUnspecified()
	if wildcard {
		askForDestination(c.Socket())
	}
	buf := make([]byte, maxDatagram)
	for {
		m := socket.Message{Buffers: [][]byte{buf}}
		n, err := c.ReadMsg(&m, 0)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			log("receive: %v", err)
			continue
		}
		from := netip.AddrPortFrom(m.Addr.Addr().Unmap(), m.Addr.Port())
		log("%s: %d bytes", from, n)
		back := socket.Message{Buffers: [][]byte{buf[:n]}, Addr: m.Addr, Control: answer(&m.Control)}
		if _, err := c.WriteMsg(&back, 0); err != nil {
			log("%s: send back: %v", from, err)
		}
	}
}

// askForDestination makes the socket tell where each datagram was sent to. A
// provider that cannot leaves the source of answers to the routes.
func askForDestination(s socket.Socket) {
	_ = socket.Set(s, socket.IP_PKTINFO, 1)
	_ = socket.Set(s, socket.IPV6_RECVPKTINFO, 1)
}

// answer is the control data that makes the answer come from the address that
// the datagram was sent to. Where that was a group, the routes choose.
func answer(c *socket.Control) socket.Control {
	local := c.PktInfo.Local
	if !c.Has(socket.ControlPktInfo) || local.IsMulticast() || local.Unmap().IsUnspecified() {
		return socket.Control{}
	}
	return socket.Control{Present: socket.ControlPktInfo, PktInfo: socket.PktInfo{Local: local}}
}
