package bridge

import (
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

// Read reads from the connection or the connected peer.
func (f *FD) Read(b []byte) (int, error) {
	f.reading.Lock()
	defer f.reading.Unlock()
	return f.socket.Recv(b, 0)
}

// ReadFrom reads one datagram.
func (f *FD) ReadFrom(b []byte) (int, syscall.Sockaddr, error) {
	n, from, err := f.receiveFrom(b)
	if err != nil {
		return 0, nil, err
	}
	return n, sockaddr(f.domain, from), nil
}

// ReadFromInet4 is ReadFrom that writes the sender to from.
func (f *FD) ReadFromInet4(b []byte, from *syscall.SockaddrInet4) (int, error) {
	n, a, err := f.receiveFrom(b)
	if err == nil {
		setInet4(from, a)
	}
	return n, err
}

// ReadFromInet6 is ReadFrom that writes the sender to from.
func (f *FD) ReadFromInet6(b []byte, from *syscall.SockaddrInet6) (int, error) {
	n, a, err := f.receiveFrom(b)
	if err == nil {
		setInet6(from, a)
	}
	return n, err
}

func (f *FD) receiveFrom(b []byte) (int, netip.AddrPort, error) {
	f.reading.Lock()
	defer f.reading.Unlock()
	return f.socket.RecvFrom(b, 0)
}

// ReadMsg reads one datagram; flags, and those got, are those of recvmsg(2).
func (f *FD) ReadMsg(b []byte, flags int) (n, got int, from syscall.Sockaddr, err error) {
	n, got, a, err := f.receive(b, flags)
	if err != nil {
		return 0, 0, nil, err
	}
	return n, got, sockaddr(f.domain, a), nil
}

// ReadMsgInet4 is ReadMsg that writes the sender to from.
func (f *FD) ReadMsgInet4(b []byte, flags int, from *syscall.SockaddrInet4) (n, got int, err error) {
	n, got, a, err := f.receive(b, flags)
	if err == nil {
		setInet4(from, a)
	}
	return n, got, err
}

// ReadMsgInet6 is ReadMsg that writes the sender to from.
func (f *FD) ReadMsgInet6(b []byte, flags int, from *syscall.SockaddrInet6) (n, got int, err error) {
	n, got, a, err := f.receive(b, flags)
	if err == nil {
		setInet6(from, a)
	}
	return n, got, err
}

func (f *FD) receive(b []byte, flags int) (n, got int, from netip.AddrPort, err error) {
	f.reading.Lock()
	defer f.reading.Unlock()
	m := &f.message
	*m = socket.Message{Buffers: append(m.Buffers[:0], b)}
	n, err = f.socket.RecvMsg(m, socket.Flags(flags))
	m.Buffers[0] = nil
	return n, int(m.Flags), m.Addr, err
}

// Write writes to the connection or the connected peer.
func (f *FD) Write(b []byte) (int, error) {
	f.writing.Lock()
	defer f.writing.Unlock()
	return f.socket.Send(b, 0)
}

// WriteOnce writes what does not block.
func (f *FD) WriteOnce(b []byte) (int, error) {
	f.writing.Lock()
	defer f.writing.Unlock()
	return f.socket.Send(b, socket.MSG_DONTWAIT)
}

// WriteTo sends one datagram; a nil address is the connected peer.
func (f *FD) WriteTo(b []byte, to syscall.Sockaddr) (int, error) {
	if to == nil {
		return f.Write(b)
	}
	a, err := addrPort(to)
	return f.sendTo(b, a, err)
}

// WriteToInet4 is WriteTo.
func (f *FD) WriteToInet4(b []byte, to *syscall.SockaddrInet4) (int, error) {
	a, err := inet4(to)
	return f.sendTo(b, a, err)
}

// WriteToInet6 is WriteTo.
func (f *FD) WriteToInet6(b []byte, to *syscall.SockaddrInet6) (int, error) {
	a, err := inet6(to)
	return f.sendTo(b, a, err)
}

func (f *FD) sendTo(b []byte, to netip.AddrPort, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	f.writing.Lock()
	defer f.writing.Unlock()
	return f.socket.SendTo(b, 0, to)
}

// Writev writes the buffers, one after the other.
func (f *FD) Writev(v [][]byte) (int, error) {
	f.writing.Lock()
	defer f.writing.Unlock()
	return f.socket.SendMsg(&socket.Message{Buffers: v}, 0)
}
