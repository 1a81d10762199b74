package overnet

import (
	"net"
	"syscall"
	"time"

	"example.com/berth/socket"
)

// SetOption remembers the option for when the socket becomes something, and
// sets it if it is something already.
func (b *base) SetOption(id socket.OptionID, value any) error {
	if b.closed.Load() {
		return syscall.EBADF
	}
	if _, known := defaults[id]; !known {
		return syscall.ENOTSUP
	}
	if _, isInt := value.(int); isInt == (id == socket.SO_LINGER.ID) {
		return syscall.EINVAL
	}
	if _, isLinger := value.(socket.Linger); isLinger != (id == socket.SO_LINGER.ID) {
		return syscall.EINVAL
	}
	b.mu.Lock()
	b.options[id] = value
	c := b.conn
	b.mu.Unlock()
	if c != nil {
		return apply(c, id, value)
	}
	return nil
}

// Option tells what is known without asking the system: what the socket is, and
// the options that were set.
func (b *base) Option(id socket.OptionID) (any, error) {
	if b.closed.Load() {
		return nil, syscall.EBADF
	}
	switch id {
	case socket.SO_DOMAIN.ID:
		return int(b.domain), nil
	case socket.SO_TYPE.ID:
		return int(b.typ), nil
	case socket.SO_PROTOCOL.ID:
		if b.typ == socket.STREAM {
			return int(socket.IPPROTO_TCP), nil
		}
		return int(socket.IPPROTO_UDP), nil
	case socket.SO_ACCEPTCONN.ID:
		if _, ok := b.current().(*net.TCPListener); ok {
			return 1, nil
		}
		return 0, nil
	case socket.SO_ERROR.ID:
		return 0, nil // package net gives each error to the call that met it
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if v, ok := b.options[id]; ok {
		return v, nil
	}
	if v, ok := defaults[id]; ok && v != nil {
		return v, nil
	}
	return nil, syscall.ENOTSUP
}

// defaults are the options that can be set, with what they are before; nil
// where that is the system's to know.
var defaults = map[socket.OptionID]any{
	socket.SO_LINGER.ID:     socket.Linger{},
	socket.SO_RCVBUF.ID:     nil,
	socket.SO_SNDBUF.ID:     nil,
	socket.SO_KEEPALIVE.ID:  0,
	socket.TCP_NODELAY.ID:   1, // package net's
	socket.TCP_KEEPIDLE.ID:  nil,
	socket.TCP_KEEPINTVL.ID: nil,
	socket.TCP_KEEPCNT.ID:   nil,
	socket.IPV6_V6ONLY.ID:   0,
}

// apply sets an option on an open socket; listeners have none.
func apply(c deadliner, id socket.OptionID, value any) error {
	if buffers, ok := c.(interface {
		SetReadBuffer(int) error
		SetWriteBuffer(int) error
	}); ok {
		switch id {
		case socket.SO_RCVBUF.ID:
			return errno(buffers.SetReadBuffer(value.(int)))
		case socket.SO_SNDBUF.ID:
			return errno(buffers.SetWriteBuffer(value.(int)))
		}
	}
	t, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	n, _ := value.(int)
	keep := net.KeepAliveConfig{Enable: true, Idle: -1, Interval: -1, Count: -1}
	switch id {
	case socket.SO_LINGER.ID:
		l := value.(socket.Linger)
		if !l.On {
			l.Seconds = -1
		}
		return errno(t.SetLinger(l.Seconds))
	case socket.SO_KEEPALIVE.ID:
		return errno(t.SetKeepAlive(n != 0))
	case socket.TCP_NODELAY.ID:
		return errno(t.SetNoDelay(n != 0))
	case socket.TCP_KEEPIDLE.ID:
		keep.Idle = time.Duration(n) * time.Second
	case socket.TCP_KEEPINTVL.ID:
		keep.Interval = time.Duration(n) * time.Second
	case socket.TCP_KEEPCNT.ID:
		keep.Count = n
	default:
		return nil
	}
	return errno(t.SetKeepAliveConfig(keep))
}
