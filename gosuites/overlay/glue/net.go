//go:build berth

package net

import (
	"internal/poll"
	"internal/runtime/exithook"
	"io"
	"syscall"
	"time"

	"example.com/berth/gosuites/bridge"
)

func init() {
	poll.CloseFunc = bridge.Close
	poll.Accept4Func = bridge.Accept4
	exithook.Add(exithook.Hook{F: bridge.Report, RunOnFailure: true})
}

// berthFD stands where netFD has its poll.FD. It is one of the kernel's unless
// sock is set: what it inherits then is not used.
type berthFD struct {
	poll.FD
	sock *bridge.FD
}

// kernel is the kernel's descriptor; nil if there is none.
func (fd *berthFD) kernel() *poll.FD {
	if fd.sock != nil {
		return nil
	}
	return &fd.FD
}

// berthError is what poll.FD gives for an error of berth.
func berthError(err error) error {
	if err == syscall.EBADF {
		return poll.ErrNetClosing
	}
	return err
}

// eof is berthError after a read.
func (fd *berthFD) eof(n int, err error) error {
	if n == 0 && err == nil && fd.ZeroReadIsEOF {
		return io.EOF
	}
	return berthError(err)
}

func (fd *berthFD) Init(net string, pollable bool) error {
	if fd.sock == nil {
		return fd.FD.Init(net, pollable)
	}
	return nil
}

func (fd *berthFD) Close() error {
	if fd.sock == nil {
		return fd.FD.Close()
	}
	return berthError(poll.CloseFunc(fd.Sysfd))
}

func (fd *berthFD) Shutdown(how int) error {
	if fd.sock == nil {
		return fd.FD.Shutdown(how)
	}
	return berthError(fd.sock.Shutdown(how))
}

func (fd *berthFD) Read(p []byte) (int, error) {
	if fd.sock == nil {
		return fd.FD.Read(p)
	}
	if len(p) == 0 { // as poll.FD; a socket would wait until there is something
		return 0, fd.RawControl(func(uintptr) {})
	}
	n, err := fd.sock.Read(p)
	return n, fd.eof(n, err)
}

func (fd *berthFD) ReadFrom(p []byte) (int, syscall.Sockaddr, error) {
	if fd.sock == nil {
		return fd.FD.ReadFrom(p)
	}
	n, sa, err := fd.sock.ReadFrom(p)
	return n, sa, fd.eof(n, err)
}

func (fd *berthFD) ReadFromInet4(p []byte, from *syscall.SockaddrInet4) (int, error) {
	if fd.sock == nil {
		return fd.FD.ReadFromInet4(p, from)
	}
	n, err := fd.sock.ReadFromInet4(p, from)
	return n, fd.eof(n, err)
}

func (fd *berthFD) ReadFromInet6(p []byte, from *syscall.SockaddrInet6) (int, error) {
	if fd.sock == nil {
		return fd.FD.ReadFromInet6(p, from)
	}
	n, err := fd.sock.ReadFromInet6(p, from)
	return n, fd.eof(n, err)
}

func (fd *berthFD) ReadMsg(p, oob []byte, flags int) (int, int, int, syscall.Sockaddr, error) {
	if fd.sock == nil {
		return fd.FD.ReadMsg(p, oob, flags)
	}
	n, got, sa, err := fd.sock.ReadMsg(p, flags)
	return n, 0, got, sa, fd.eof(n, err)
}

func (fd *berthFD) ReadMsgInet4(p, oob []byte, flags int, sa *syscall.SockaddrInet4) (int, int, int, error) {
	if fd.sock == nil {
		return fd.FD.ReadMsgInet4(p, oob, flags, sa)
	}
	n, got, err := fd.sock.ReadMsgInet4(p, flags, sa)
	return n, 0, got, fd.eof(n, err)
}

func (fd *berthFD) ReadMsgInet6(p, oob []byte, flags int, sa *syscall.SockaddrInet6) (int, int, int, error) {
	if fd.sock == nil {
		return fd.FD.ReadMsgInet6(p, oob, flags, sa)
	}
	n, got, err := fd.sock.ReadMsgInet6(p, flags, sa)
	return n, 0, got, fd.eof(n, err)
}

func (fd *berthFD) Write(p []byte) (int, error) {
	if fd.sock == nil {
		return fd.FD.Write(p)
	}
	n, err := fd.sock.Write(p)
	return n, berthError(err)
}

func (fd *berthFD) WriteOnce(p []byte) (int, error) {
	if fd.sock == nil {
		return fd.FD.WriteOnce(p)
	}
	n, err := fd.sock.WriteOnce(p)
	return n, berthError(err)
}

func (fd *berthFD) WriteTo(p []byte, sa syscall.Sockaddr) (int, error) {
	if fd.sock == nil {
		return fd.FD.WriteTo(p, sa)
	}
	n, err := fd.sock.WriteTo(p, sa)
	return n, berthError(err)
}

func (fd *berthFD) WriteToInet4(p []byte, sa *syscall.SockaddrInet4) (int, error) {
	if fd.sock == nil {
		return fd.FD.WriteToInet4(p, sa)
	}
	n, err := fd.sock.WriteToInet4(p, sa)
	return n, berthError(err)
}

func (fd *berthFD) WriteToInet6(p []byte, sa *syscall.SockaddrInet6) (int, error) {
	if fd.sock == nil {
		return fd.FD.WriteToInet6(p, sa)
	}
	n, err := fd.sock.WriteToInet6(p, sa)
	return n, berthError(err)
}

func (fd *berthFD) WriteMsg(p, oob []byte, sa syscall.Sockaddr) (int, int, error) {
	switch {
	case fd.sock == nil:
		return fd.FD.WriteMsg(p, oob, sa)
	case len(oob) > 0:
		return 0, 0, syscall.ENOTSUP
	}
	n, err := fd.WriteTo(p, sa)
	return n, 0, err
}

func (fd *berthFD) WriteMsgInet4(p, oob []byte, sa *syscall.SockaddrInet4) (int, int, error) {
	switch {
	case fd.sock == nil:
		return fd.FD.WriteMsgInet4(p, oob, sa)
	case len(oob) > 0:
		return 0, 0, syscall.ENOTSUP
	case sa == nil:
		n, err := fd.Write(p)
		return n, 0, err
	}
	n, err := fd.WriteToInet4(p, sa)
	return n, 0, err
}

func (fd *berthFD) WriteMsgInet6(p, oob []byte, sa *syscall.SockaddrInet6) (int, int, error) {
	switch {
	case fd.sock == nil:
		return fd.FD.WriteMsgInet6(p, oob, sa)
	case len(oob) > 0:
		return 0, 0, syscall.ENOTSUP
	case sa == nil:
		n, err := fd.Write(p)
		return n, 0, err
	}
	n, err := fd.WriteToInet6(p, sa)
	return n, 0, err
}

// maxBuffers is how many buffers writev(2) takes, and net's tests expect.
const maxBuffers = 1024

func (fd *berthFD) Writev(v *[][]byte) (int64, error) {
	if fd.sock == nil {
		return fd.FD.Writev(v)
	}
	var all int64
	for len(*v) > 0 {
		n, err := fd.sock.Writev((*v)[:min(len(*v), maxBuffers)])
		poll.TestHookDidWritev(n)
		all += int64(n)
		buffers := Buffers(*v)
		buffers.consume(int64(n))
		*v = buffers
		if err != nil {
			return all, berthError(err)
		}
	}
	return all, nil
}

func (fd *berthFD) Accept() (int, syscall.Sockaddr, string, error) {
	if fd.sock == nil {
		return fd.FD.Accept()
	}
	s, sa, err := poll.Accept4Func(fd.Sysfd, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
	for err == syscall.ECONNABORTED {
		s, sa, err = poll.Accept4Func(fd.Sysfd, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
	}
	if errno, ok := err.(syscall.Errno); ok && errno != syscall.EBADF {
		return -1, nil, "accept4", err
	}
	return s, sa, "", berthError(err)
}

func (fd *berthFD) WaitWrite() error {
	if fd.sock == nil {
		return fd.FD.WaitWrite()
	}
	return berthError(fd.sock.WaitWrite())
}

func (fd *berthFD) Dup() (int, string, error) {
	if fd.sock == nil {
		return fd.FD.Dup()
	}
	return -1, "dup", syscall.ENOTSUP
}

func (fd *berthFD) RawControl(f func(uintptr)) error {
	if fd.sock == nil {
		return fd.FD.RawControl(f)
	}
	return berthError(fd.sock.Control(f))
}

func (fd *berthFD) RawRead(f func(uintptr) bool) error {
	if fd.sock == nil {
		return fd.FD.RawRead(f)
	}
	return berthError(fd.sock.RawRead(f))
}

func (fd *berthFD) RawWrite(f func(uintptr) bool) error {
	if fd.sock == nil {
		return fd.FD.RawWrite(f)
	}
	return berthError(fd.sock.RawWrite(f))
}

func (fd *berthFD) SetDeadline(t time.Time) error {
	if fd.sock == nil {
		return fd.FD.SetDeadline(t)
	}
	return berthError(fd.sock.SetDeadline(t))
}

func (fd *berthFD) SetReadDeadline(t time.Time) error {
	if fd.sock == nil {
		return fd.FD.SetReadDeadline(t)
	}
	return berthError(fd.sock.SetReadDeadline(t))
}

func (fd *berthFD) SetWriteDeadline(t time.Time) error {
	if fd.sock == nil {
		return fd.FD.SetWriteDeadline(t)
	}
	return berthError(fd.sock.SetWriteDeadline(t))
}

func (fd *berthFD) SetsockoptInt(level, name, arg int) error {
	if fd.sock == nil {
		return fd.FD.SetsockoptInt(level, name, arg)
	}
	return berthError(fd.sock.SetsockoptInt(level, name, arg))
}

func (fd *berthFD) GetsockoptInt(level, name int) (int, error) {
	if fd.sock == nil {
		return fd.FD.GetsockoptInt(level, name)
	}
	n, err := fd.sock.GetsockoptInt(level, name)
	return n, berthError(err)
}

func (fd *berthFD) SetsockoptLinger(level, name int, l *syscall.Linger) error {
	if fd.sock == nil {
		return fd.FD.SetsockoptLinger(level, name, l)
	}
	return berthError(fd.sock.SetsockoptLinger(level, name, l))
}

func (fd *berthFD) SetsockoptIPMreqn(level, name int, mreq *syscall.IPMreqn) error {
	if fd.sock == nil {
		return fd.FD.SetsockoptIPMreqn(level, name, mreq)
	}
	return berthError(fd.sock.SetsockoptIPMreqn(level, name, mreq))
}

func (fd *berthFD) SetsockoptIPv6Mreq(level, name int, mreq *syscall.IPv6Mreq) error {
	if fd.sock == nil {
		return fd.FD.SetsockoptIPv6Mreq(level, name, mreq)
	}
	return berthError(fd.sock.SetsockoptIPv6Mreq(level, name, mreq))
}

// interfaceTable is that of berth's interfaces.
func interfaceTable(index int) ([]Interface, error) {
	var all []Interface
	for _, ifc := range bridge.Interfaces() {
		if index == 0 || index == ifc.Index() {
			all = append(all, Interface{
				Index: ifc.Index(), Name: ifc.Name(), MTU: ifc.MTU(),
				Flags: FlagUp | FlagLoopback | FlagRunning,
			})
		}
	}
	return all, nil
}

func interfaceAddrTable(ifi *Interface) ([]Addr, error) {
	var all []Addr
	for _, ifc := range bridge.Interfaces() {
		if ifi != nil && ifi.Index != ifc.Index() {
			continue
		}
		for _, a := range ifc.Addrs() {
			ip := a.Prefix.Addr().As16() // an IPv4 address is mapped
			all = append(all, &IPNet{IP: ip[:], Mask: CIDRMask(a.Prefix.Bits(), a.Prefix.Addr().BitLen())})
		}
	}
	return all, nil
}

func interfaceMulticastAddrTable(*Interface) ([]Addr, error) { return nil, nil }
