package overnet

import (
	"maps"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/berth/kernel/internal/half"
	"example.com/berth/socket"
)

// base is what both types of socket share.
type base struct {
	domain           socket.Domain
	typ              socket.Type
	reading, writing half.Half
	closed           atomic.Bool

	mu      sync.Mutex // guards what follows
	conn    deadliner  // what the socket has become, or nil
	local   netip.AddrPort
	bound   bool
	options map[socket.OptionID]any // those set
}

// deadliner is what listeners and connections have in common here.
type deadliner interface {
	SetDeadline(time.Time) error
	Close() error
}

func newBase(domain socket.Domain, typ socket.Type) *base {
	b := &base{domain: domain, typ: typ, options: make(map[socket.OptionID]any)}
	b.local = netip.AddrPortFrom(b.wildcard(), 0)
	b.reading = half.Half{Set: b.setReadDeadline, Errno: errno}
	b.writing = half.Half{Set: b.setWriteDeadline, Errno: errno}
	return b
}

func (b *base) wildcard() netip.Addr {
	if b.domain == socket.INET6 {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// current is what the socket has become.
func (b *base) current() deadliner {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.conn
}

// become makes c what the socket is, with the deadlines and options that were
// set before, and closes c if the socket was closed meanwhile.
func (b *base) become(c deadliner, local net.Addr) error {
	b.mu.Lock()
	if b.closed.Load() {
		b.mu.Unlock()
		c.Close()
		return syscall.EBADF
	}
	b.conn, b.bound = c, true
	b.local = b.fromNet(local)
	set := maps.Clone(b.options)
	b.mu.Unlock()
	for id, v := range set {
		if err := apply(c, id, v); err != nil {
			return err
		}
	}
	if err := b.reading.Apply(); err != nil {
		return errno(err)
	}
	return errno(b.writing.Apply())
}

func (b *base) setReadDeadline(t time.Time) error {
	switch c := b.current().(type) {
	case nil:
	case *net.TCPListener:
		return c.SetDeadline(t)
	case net.Conn:
		return c.SetReadDeadline(t)
	}
	return nil
}

func (b *base) setWriteDeadline(t time.Time) error {
	if c, ok := b.current().(net.Conn); ok {
		return c.SetWriteDeadline(t)
	}
	return nil
}

func (b *base) SetReadDeadline(t time.Time) error {
	if b.closed.Load() {
		return syscall.EBADF
	}
	return errno(b.reading.SetDeadline(t))
}

func (b *base) SetWriteDeadline(t time.Time) error {
	if b.closed.Load() {
		return syscall.EBADF
	}
	return errno(b.writing.SetDeadline(t))
}

func (b *base) SetDeadline(t time.Time) error {
	if err := b.SetReadDeadline(t); err != nil {
		return err
	}
	return b.SetWriteDeadline(t)
}

func (b *base) SetNonblock(on bool) error {
	switch {
	case b.closed.Load():
		return syscall.EBADF
	case on:
		return syscall.ENOTSUP
	}
	return nil
}

func (b *base) LocalAddr() netip.AddrPort {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.local
}

func (b *base) PeerAddr() (netip.AddrPort, error) {
	if b.closed.Load() {
		return netip.AddrPort{}, syscall.EBADF
	}
	if c, ok := b.current().(net.Conn); ok && c.RemoteAddr() != nil {
		return b.fromNet(c.RemoteAddr()), nil
	}
	return netip.AddrPort{}, syscall.ENOTCONN
}

func (b *base) Close() error {
	if b.closed.Swap(true) {
		return syscall.EBADF
	}
	if c := b.current(); c != nil {
		return errno(c.Close())
	}
	return nil
}

// bind remembers the address, if it suits the domain.
func (b *base) bind(addr netip.AddrPort) error {
	if b.closed.Load() {
		return syscall.EBADF
	}
	if !addr.Addr().IsValid() {
		addr = netip.AddrPortFrom(b.wildcard(), addr.Port())
	}
	if err := b.suits(addr.Addr()); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bound {
		return syscall.EINVAL
	}
	b.local, b.bound = addr, true
	return nil
}

// suits tells whether an address is of the socket's domain.
func (b *base) suits(a netip.Addr) error {
	switch {
	case b.domain == socket.INET && !a.Is4():
		return syscall.EAFNOSUPPORT
	case b.domain == socket.INET6 && a.Is4():
		return syscall.EINVAL
	}
	return nil
}

// network is package net's name for what the socket speaks: "tcp4", "udp".
func (b *base) network() string {
	name := "tcp"
	if b.typ == socket.DGRAM {
		name = "udp"
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.domain == socket.INET {
		return name + "4"
	}
	if on, _ := b.options[socket.IPV6_V6ONLY.ID].(int); on != 0 {
		return name + "6"
	}
	return name
}

// fromNet is an address of package net as the domain writes it.
func (b *base) fromNet(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		ap = a.AddrPort()
	case *net.UDPAddr:
		ap = a.AddrPort()
	}
	return b.asDomain(ap)
}

func (b *base) asDomain(ap netip.AddrPort) netip.AddrPort {
	a := ap.Addr()
	switch {
	case !a.IsValid():
		return netip.AddrPort{}
	case b.domain == socket.INET6 && a.Is4():
		a = netip.AddrFrom16(a.As16())
	case b.domain == socket.INET:
		a = a.Unmap()
	}
	return netip.AddrPortFrom(a, ap.Port())
}
