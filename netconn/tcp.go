package netconn

import (
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"example.com/berth/socket"
)

// A TCPConn is a connection over TCP: net.TCPConn on a provider's socket. Its
// methods may be called from several goroutines at once.
type TCPConn struct{ conn }

var _ interface {
	net.Conn
	io.ReaderFrom
	io.WriterTo
} = (*TCPConn)(nil)

// NewTCPConn makes a TCPConn of a connected stream socket, which it then owns.
func NewTCPConn(s socket.Socket) *TCPConn {
	c := new(TCPConn)
	c.of(s, &network{name: "tcp", kind: "tcp"})
	return c
}

// Read receives what there is, up to len(b) bytes. When the peer has ended its
// half it gives io.EOF.
func (c *TCPConn) Read(b []byte) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	if len(b) == 0 {
		return 0, c.alive()
	}
	n, err := c.s.Recv(b, 0)
	if err != nil {
		return n, c.opError("read", "read", err)
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// alive tells whether the connection is open: what a Read of nothing says.
func (c *TCPConn) alive() error {
	switch _, err := c.s.Recv(nil, socket.MSG_DONTWAIT|socket.MSG_PEEK); err {
	case syscall.EBADF:
		return c.opError("read", "read", err)
	default:
		return nil
	}
}

// copyBuffers are what ReadFrom and WriteTo copy through.
var copyBuffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// ReadFrom sends what r gives until its end.
func (c *TCPConn) ReadFrom(r io.Reader) (int64, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	n, err := pooledCopy(struct{ io.Writer }{c}, r)
	if err != nil {
		err = c.opError("readfrom", "readfrom", err)
	}
	return n, err
}

// WriteTo gives w what is received until the peer's end.
func (c *TCPConn) WriteTo(w io.Writer) (int64, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	n, err := pooledCopy(w, struct{ io.Reader }{c})
	if err != nil {
		err = c.opError("writeto", "writeto", err)
	}
	return n, err
}

func pooledCopy(w io.Writer, r io.Reader) (int64, error) {
	b := copyBuffers.Get().(*[64 << 10]byte)
	defer copyBuffers.Put(b)
	return io.CopyBuffer(w, r, b[:])
}

// CloseRead ends the reading half: what still comes in is dropped.
func (c *TCPConn) CloseRead() error { return c.shutdown(socket.SHUT_RD) }

// CloseWrite ends the writing half: the peer reads what was sent, then io.EOF.
func (c *TCPConn) CloseWrite() error { return c.shutdown(socket.SHUT_WR) }

func (c *TCPConn) shutdown(how socket.How) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	if err := c.s.Shutdown(how); err != nil {
		return c.opError("close", "shutdown", err)
	}
	return nil
}

// SetLinger says what Close does with data that are not acknowledged: with sec
// below 0, the default, they are sent in the background; with 0 they are
// dropped and the connection is reset; with more, Close waits that long.
func (c *TCPConn) SetLinger(sec int) error {
	l := socket.Linger{On: sec >= 0, Seconds: max(sec, 0)}
	return c.setOption(func() error { return socket.Set(c.s, socket.SO_LINGER, l) })
}

// SetNoDelay says whether small segments are sent at once, which is the
// default, or collected (Nagle's algorithm).
func (c *TCPConn) SetNoDelay(noDelay bool) error {
	return c.setInt(socket.TCP_NODELAY, toInt(noDelay))
}

// SetKeepAlive says whether an idle connection is probed.
func (c *TCPConn) SetKeepAlive(keepalive bool) error {
	return c.setInt(socket.SO_KEEPALIVE, toInt(keepalive))
}

// SetKeepAlivePeriod sets how long a connection is idle before it is probed.
// Parts of a second count as a whole one.
func (c *TCPConn) SetKeepAlivePeriod(d time.Duration) error {
	return c.setInt(socket.TCP_KEEPIDLE, seconds(d))
}

// SetKeepAliveConfig sets everything about probes. Values of 0 are the defaults
// of package net (15 s, 15 s, 9 probes), negative ones change nothing.
func (c *TCPConn) SetKeepAliveConfig(config net.KeepAliveConfig) error {
	return c.setOption(func() error { return setKeepAlive(c.s, config) })
}

// setOption wraps what sets an option of the connection.
func (c *TCPConn) setOption(f func() error) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	if err := f(); err != nil {
		return c.opError("set", "setsockopt", err)
	}
	return nil
}

func (c *TCPConn) setInt(o socket.Option[int], value int) error {
	return c.setOption(func() error { return socket.Set(c.s, o, value) })
}

// MultipathTCP tells that the connection does not use Multipath TCP.
func (c *TCPConn) MultipathTCP() (bool, error) { return false, nil }

// The defaults of package net.
const (
	keepAlivePeriod = 15 * time.Second
	keepAliveCount  = 9
)

func setKeepAlive(s socket.Socket, config net.KeepAliveConfig) error {
	if err := socket.Set(s, socket.SO_KEEPALIVE, toInt(config.Enable)); err != nil {
		return err
	}
	if config.Idle == 0 {
		config.Idle = keepAlivePeriod
	}
	if config.Interval == 0 {
		config.Interval = keepAlivePeriod
	}
	if config.Count == 0 {
		config.Count = keepAliveCount
	}
	for _, o := range []struct {
		option socket.Option[int]
		value  int
	}{
		{socket.TCP_KEEPIDLE, seconds(config.Idle)},
		{socket.TCP_KEEPINTVL, seconds(config.Interval)},
		{socket.TCP_KEEPCNT, config.Count},
	} {
		if o.value > 0 {
			if err := socket.Set(s, o.option, o.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// seconds rounds up, and leaves a negative value negative.
func seconds(d time.Duration) int {
	if d < 0 {
		return -1
	}
	return int((d + time.Second - 1) / time.Second)
}

// setStreamDefaults sets what package net sets on every connection. A listener
// passes it on to what it accepts. Providers may do without.
func setStreamDefaults(s socket.Socket, period time.Duration, config net.KeepAliveConfig) {
	_ = socket.Set(s, socket.TCP_NODELAY, 1)
	if !config.Enable {
		if period < 0 {
			return
		}
		config = net.KeepAliveConfig{Enable: true, Idle: period}
	}
	_ = setKeepAlive(s, config)
}
