package netconn

import (
	"net"
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

// A UDPConn sends and receives datagrams: net.UDPConn on a provider's socket.
// Its methods may be called from several goroutines at once.
//
// One that was made by Listen takes IPv4 and IPv6 alike; the addresses of IPv4
// peers are then mapped (::ffff:10.0.0.1) where they are a netip.Addr.
type UDPConn struct{ conn }

var (
	_ net.Conn       = (*UDPConn)(nil)
	_ net.PacketConn = (*UDPConn)(nil)
)

// NewUDPConn makes a UDPConn of a datagram socket, which it then owns.
func NewUDPConn(s socket.Socket) *UDPConn {
	c := new(UDPConn)
	c.of(s, &network{name: "udp", kind: "udp"})
	return c
}

// ReadFrom receives a datagram, cut if it does not fit into b, and its sender,
// a *net.UDPAddr.
func (c *UDPConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromUDP(b)
	if from == nil {
		return n, nil, err
	}
	return n, from, err
}

// ReadFromUDP is ReadFrom with the type said.
func (c *UDPConn) ReadFromUDP(b []byte) (int, *net.UDPAddr, error) {
	n, from, err := c.ReadFromUDPAddrPort(b)
	if !from.IsValid() {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), err
}

// ReadFromUDPAddrPort is ReadFrom without memory taken for the address.
func (c *UDPConn) ReadFromUDPAddrPort(b []byte) (n int, from netip.AddrPort, err error) {
	if !c.ok() {
		return 0, netip.AddrPort{}, syscall.EINVAL
	}
	if n, from, err = c.s.RecvFrom(b, 0); err != nil {
		err = c.opError("read", "recvfrom", err)
	}
	return n, from, err
}

// WriteTo sends b to a *net.UDPAddr. On a connection with a peer it fails with
// net.ErrWriteToConnected.
func (c *UDPConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	a, ok := addr.(*net.UDPAddr)
	if !ok {
		return 0, c.writeError(addr, syscall.EINVAL)
	}
	return c.WriteToUDP(b, a)
}

// WriteToUDP is WriteTo with the type said.
func (c *UDPConn) WriteToUDP(b []byte, addr *net.UDPAddr) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	if addr == nil {
		if c.hasPeer() {
			return 0, c.writeError(nil, net.ErrWriteToConnected)
		}
		return 0, c.writeError(nil, errMissingAddress)
	}
	to, _ := c.kind.addrPort(addr)
	n, err := c.sendTo(b, to)
	if err != nil {
		err = c.writeError(addr, err)
	}
	return n, err
}

// WriteToUDPAddrPort is WriteTo with a netip.AddrPort.
func (c *UDPConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	n, err := c.sendTo(b, to)
	if err != nil {
		err = c.writeError(net.UDPAddrFromAddrPort(to), err)
	}
	return n, err
}

func (c *UDPConn) writeError(to net.Addr, err error) error {
	return &net.OpError{Op: "write", Net: c.network, Source: c.ends().local, Addr: to, Err: err}
}

func (c *UDPConn) sendTo(b []byte, to netip.AddrPort) (int, error) {
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
