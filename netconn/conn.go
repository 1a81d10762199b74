package netconn

import (
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/berth/socket"
)

// conn is what the connections have in common. The addresses are those of the
// beginning: an end that was reset or closed is still told by them.
type conn struct {
	s             socket.Socket
	network       string
	kind          kind
	local, remote netip.AddrPort // remote is invalid without a peer
	told          atomic.Pointer[ends]
}

// ends are the addresses in the form of package net, made when first asked for:
// most programs never do.
type ends struct{ local, remote net.Addr }

func (c *conn) init(s socket.Socket, n *network, local, remote netip.AddrPort) {
	c.s, c.network, c.kind = s, n.name, n.kind
	c.local, c.remote = local, remote
}

// of is init with the addresses that the socket has.
func (c *conn) of(s socket.Socket, n *network) {
	peer, err := s.PeerAddr()
	if err != nil {
		peer = netip.AddrPort{}
	}
	c.init(s, n, s.LocalAddr(), peer)
}

func (c *conn) domain() socket.Domain {
	if c.local.Addr().Is6() {
		return socket.INET6
	}
	return socket.INET
}

func (c *conn) hasPeer() bool { return c.remote.IsValid() }

// ends gives the addresses as those of package net.
func (c *conn) ends() *ends {
	if e := c.told.Load(); e != nil {
		return e
	}
	e := &ends{local: c.kind.netAddr(c.local)}
	if c.hasPeer() {
		e.remote = c.kind.netAddr(c.remote)
	}
	if !c.told.CompareAndSwap(nil, e) {
		return c.told.Load()
	}
	return e
}

// Socket returns the socket under the connection, for the options and calls
// that have no method here. Making it non-blocking makes Read and Write fail
// with EAGAIN.
func (c *conn) Socket() socket.Socket {
	if c == nil {
		return nil
	}
	return c.s
}

func (c *conn) ok() bool { return c != nil && c.s != nil }

// opError is the error of an operation between the two ends.
func (c *conn) opError(op, call string, err error) error {
	e := c.ends()
	return &net.OpError{Op: op, Net: c.network, Source: e.local, Addr: e.remote, Err: cause(call, err)}
}

// Read receives into b: of a stream what there is, of anything else one
// datagram, cut if it does not fit. The end of a stream is io.EOF.
func (c *conn) Read(b []byte) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	n, err := c.s.Recv(b, 0)
	if err != nil {
		return n, c.opError("read", "read", err)
	}
	return n, nil
}

// Write sends b: on a stream all of it, unless it fails.
func (c *conn) Write(b []byte) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	n, err := c.s.Send(b, socket.MSG_NOSIGNAL)
	if err != nil {
		return n, c.opError("write", "write", err)
	}
	return n, nil
}

// Close closes the connection. Calls that wait on it end with net.ErrClosed.
func (c *conn) Close() error {
	if !c.ok() {
		return syscall.EINVAL
	}
	if err := c.s.Close(); err != nil {
		return c.opError("close", "close", err)
	}
	return nil
}

// LocalAddr returns the address of this end.
func (c *conn) LocalAddr() net.Addr {
	if !c.ok() {
		return nil
	}
	return c.ends().local
}

// RemoteAddr returns the address of the peer, or nil without one.
func (c *conn) RemoteAddr() net.Addr {
	if !c.ok() {
		return nil
	}
	return c.ends().remote
}

// SetDeadline sets the time at which reading and writing end with
// os.ErrDeadlineExceeded; the zero time takes it away.
func (c *conn) SetDeadline(t time.Time) error {
	return c.set("set", func() error { return c.s.SetDeadline(t) })
}

// SetReadDeadline is SetDeadline for reading only.
func (c *conn) SetReadDeadline(t time.Time) error {
	return c.set("set", func() error { return c.s.SetReadDeadline(t) })
}

// SetWriteDeadline is SetDeadline for writing only.
func (c *conn) SetWriteDeadline(t time.Time) error {
	return c.set("set", func() error { return c.s.SetWriteDeadline(t) })
}

// SetReadBuffer sets the size of the receive buffer in bytes.
func (c *conn) SetReadBuffer(bytes int) error {
	return c.set("setsockopt", func() error { return socket.Set(c.s, socket.SO_RCVBUF, bytes) })
}

// SetWriteBuffer sets the size of the send buffer in bytes.
func (c *conn) SetWriteBuffer(bytes int) error {
	return c.set("setsockopt", func() error { return socket.Set(c.s, socket.SO_SNDBUF, bytes) })
}

// set wraps what sets something on this end.
func (c *conn) set(call string, f func() error) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	if err := f(); err != nil {
		return &net.OpError{Op: "set", Net: c.network, Addr: c.ends().local, Err: cause(call, err)}
	}
	return nil
}

func toInt(on bool) int {
	if on {
		return 1
	}
	return 0
}
