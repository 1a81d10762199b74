package netconn

import (
	"net"
	"net/netip"
	"sync"
	"syscall"

	"example.com/berth/socket"
)

// message is a Message with room for the one buffer it mostly has.
type message struct {
	socket.Message
	one [1][]byte
}

var messages = sync.Pool{New: func() any { return new(message) }}

func (m *message) free() {
	*m = message{}
	messages.Put(m)
}

// ReadMsg receives a datagram into m.Buffers, and sets m.Addr, m.Control and
// m.Flags. Which control data come is said by options of the Socket, such as
// IP_PKTINFO.
func (c *conn) ReadMsg(m *socket.Message, flags socket.Flags) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	n, err := c.s.RecvMsg(m, flags)
	if err != nil {
		err = c.opError("read", "recvmsg", err)
	}
	return n, err
}

// WriteMsg sends the bytes of m.Buffers as one datagram to m.Addr, which is the
// zero AddrPort on a connection with a peer, with m.Control.
func (c *conn) WriteMsg(m *socket.Message, flags socket.Flags) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	n, err := c.writeMsg(m, flags)
	if err != nil {
		var to net.Addr
		if m.Addr.IsValid() {
			to = c.kind.netAddr(m.Addr)
		}
		err = &net.OpError{Op: "write", Net: c.network, Source: c.ends().local, Addr: to, Err: err}
	}
	return n, err
}

func (c *conn) writeMsg(m *socket.Message, flags socket.Flags) (int, error) {
	if !c.hasPeer() || m.Addr != (netip.AddrPort{}) {
		to, err := c.destination(m.Addr)
		if err != nil {
			return 0, err
		}
		fitted := messages.Get().(*message)
		defer fitted.free()
		fitted.Message = *m
		fitted.Addr = to
		m = &fitted.Message
	}
	n, err := c.s.SendMsg(m, flags|socket.MSG_NOSIGNAL)
	if err != nil {
		return n, cause("sendmsg", err)
	}
	return n, nil
}

// destination gives an address the form that the socket's domain wants.
func (c *conn) destination(to netip.AddrPort) (netip.AddrPort, error) {
	if c.hasPeer() {
		return to, net.ErrWriteToConnected
	}
	if !to.Addr().IsValid() {
		return to, errMissingAddress
	}
	return fit(c.domain(), to)
}

// ReadMsgUDPAddrPort is ReadMsg in the shape that net.UDPConn gives it, with a
// [socket.Control] where that has bytes. The control data are stored in control
// unless that is nil; flags are those of recvmsg(2), such as MSG_TRUNC.
func (c *UDPConn) ReadMsgUDPAddrPort(b []byte, control *socket.Control) (n int, flags socket.Flags, from netip.AddrPort, err error) {
	m := messages.Get().(*message)
	defer m.free()
	m.one[0] = b
	m.Buffers = m.one[:]
	n, err = c.ReadMsg(&m.Message, 0)
	if control != nil {
		*control = m.Control
	}
	return n, m.Flags, m.Addr, err
}

// WriteMsgUDPAddrPort is WriteMsg in the shape that net.UDPConn gives it. The
// control may be nil; to is the zero AddrPort on a connection with a peer.
func (c *UDPConn) WriteMsgUDPAddrPort(b []byte, control *socket.Control, to netip.AddrPort) (int, error) {
	m := messages.Get().(*message)
	defer m.free()
	m.one[0] = b
	m.Buffers, m.Addr = m.one[:], to
	if control != nil {
		m.Control = *control
	}
	return c.WriteMsg(&m.Message, 0)
}
