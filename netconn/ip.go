package netconn

import (
	"net"
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

// An IPConn sends and receives IP packets of one protocol: net.IPConn on a
// provider's raw socket.
//
// As there, Read and ReadMsg of an IPv4 connection give the packet with its IP
// header, and ReadFrom without; with IPv6 there never is one.
type IPConn struct{ conn }

var (
	_ net.Conn       = (*IPConn)(nil)
	_ net.PacketConn = (*IPConn)(nil)
)

// ReadFrom receives the payload of a packet, and its sender, a *net.IPAddr.
func (c *IPConn) ReadFrom(b []byte) (int, net.Addr, error) {
	if !c.ok() {
		return 0, nil, syscall.EINVAL
	}
	n, from, err := c.s.RecvFrom(b, 0)
	if err != nil {
		return n, nil, c.opError("read", "recvfrom", err)
	}
	if from.Addr().Is4() {
		n = stripIPv4(b, n)
	}
	return n, ipAddr(from.Addr()), nil
}

// stripIPv4 takes the header from a packet of n bytes in b, and returns the
// new length.
func stripIPv4(b []byte, n int) int {
	if n < 20 || n > len(b) || b[0]>>4 != 4 {
		return n
	}
	header := int(b[0]&0xf) * 4
	if header < 20 || header > n {
		return n
	}
	return copy(b, b[header:n])
}

// WriteTo sends a packet with payload b to a *net.IPAddr. On a connection with
// a peer it fails with net.ErrWriteToConnected.
func (c *IPConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	a, ok := addr.(*net.IPAddr)
	if !ok {
		return 0, &net.OpError{Op: "write", Net: c.network, Source: c.ends().local, Addr: addr, Err: syscall.EINVAL}
	}
	var to netip.AddrPort
	if a != nil {
		to, _ = c.kind.addrPort(a)
	}
	n, err := c.sendTo(b, to)
	if err != nil {
		err = &net.OpError{Op: "write", Net: c.network, Source: c.ends().local, Addr: addr, Err: err}
	}
	return n, err
}

func (c *IPConn) sendTo(b []byte, to netip.AddrPort) (int, error) {
	to, err := c.destination(to)
	if err != nil {
		return 0, err
	}
	n, err := c.s.SendTo(b, socket.MSG_NOSIGNAL, to)
	if err != nil {
		return n, cause("sendto", err)
	}
	return n, nil
}
