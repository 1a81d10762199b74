package netconn

import (
	"context"
	"net"
	"syscall"
	"time"

	"example.com/berth/socket"
)

// A TCPListener takes connections: net.TCPListener on a provider's socket.
type TCPListener struct {
	s       socket.Socket
	network string
	addr    net.Addr
}

var _ net.Listener = (*TCPListener)(nil)

// Socket returns the listening socket.
func (l *TCPListener) Socket() socket.Socket { return l.s }

func (l *TCPListener) ok() bool { return l != nil && l.s != nil }

func (l *TCPListener) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: l.network, Addr: l.addr, Err: cause(op, err)}
}

// Accept waits for the next connection and returns it, a *TCPConn.
func (l *TCPListener) Accept() (net.Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptTCP is Accept with the type said. The connection has the options of
// the listener.
func (l *TCPListener) AcceptTCP() (*TCPConn, error) {
	if !l.ok() {
		return nil, syscall.EINVAL
	}
	for {
		s, peer, err := l.s.Accept(context.Background())
		if err == syscall.ECONNABORTED {
			continue // it was gone before anybody took it; there will be others
		}
		if err != nil {
			return nil, l.opError("accept", err)
		}
		c := new(TCPConn)
		c.init(s, &network{name: l.network, kind: "tcp"}, s.LocalAddr(), peer)
		return c, nil
	}
}

// Close stops listening. An Accept that waits ends with net.ErrClosed;
// connections that were accepted live on.
func (l *TCPListener) Close() error {
	if !l.ok() {
		return syscall.EINVAL
	}
	if err := l.s.Close(); err != nil {
		return l.opError("close", err)
	}
	return nil
}

// Addr returns the address that is listened on, a *net.TCPAddr.
func (l *TCPListener) Addr() net.Addr { return l.addr }

// SetDeadline sets the time at which Accept ends with os.ErrDeadlineExceeded;
// the zero time takes it away. Errors are bare, as those of package net.
func (l *TCPListener) SetDeadline(t time.Time) error {
	if !l.ok() {
		return syscall.EINVAL
	}
	return cause("set", l.s.SetReadDeadline(t))
}
