package bridge

import (
	"context"
	"sync"
	"sync/atomic"
	"syscall"

	"example.com/berth/socket"
)

// first is the number of the first socket: above any that the kernel gives.
const first = 1 << 30

// The table of sockets by number. A number is given once.
var (
	table   sync.Map // int to *FD
	sockets atomic.Uint64
)

// Lookup returns the socket that bears a number; nil if it is the kernel's.
func Lookup(fd int) *FD {
	if fd < first {
		return nil
	}
	if f, ok := table.Load(fd); ok {
		return f.(*FD)
	}
	return closed()
}

// closed stands for all that are closed: each call on it gives EBADF.
var closed = sync.OnceValue(func() *FD {
	s, err := host().Socket(socket.INET, socket.DGRAM, 0)
	if err != nil {
		panic("berth: bridge: " + err.Error())
	}
	s.Close()
	return &FD{socket: s, domain: socket.INET}
})

func add(s socket.Socket, domain socket.Domain, typ socket.Type) *FD {
	f := &FD{number: first + int(sockets.Add(1)), socket: s, domain: domain, typ: typ}
	table.Store(f.number, f)
	return f
}

// Socket is socket(2). An IPv4 or IPv6 socket is berth's or none.
func Socket(family, sotype, proto int) (int, error) {
	domain := socket.Domain(family)
	if domain != socket.INET && domain != socket.INET6 {
		return syscall.Socket(family, sotype, proto)
	}
	typ := socket.Type(sotype &^ (syscall.SOCK_NONBLOCK | syscall.SOCK_CLOEXEC))
	s, err := host().Socket(domain, typ, socket.Protocol(proto))
	if err != nil {
		return -1, err
	}
	return add(s, domain, typ).number, nil
}

// Close is close(2).
func Close(fd int) error {
	f := Lookup(fd)
	if f == nil {
		return syscall.Close(fd)
	}
	table.Delete(fd)
	return f.socket.Close()
}

// Bind is bind(2).
func Bind(fd int, sa syscall.Sockaddr) error {
	f := Lookup(fd)
	if f == nil {
		return syscall.Bind(fd, sa)
	}
	a, err := addrPort(sa)
	if err != nil {
		return err
	}
	return f.socket.Bind(a)
}

// Listen is listen(2).
func Listen(fd, backlog int) error {
	if f := Lookup(fd); f != nil {
		return f.socket.Listen(backlog)
	}
	return syscall.Listen(fd, backlog)
}

// Connect is connect(2). On a stream socket it is that of a non-blocking one,
// and [FD.WaitWrite] waits for its end.
func Connect(fd int, sa syscall.Sockaddr) error {
	f := Lookup(fd)
	if f == nil {
		return syscall.Connect(fd, sa)
	}
	a, err := addrPort(sa)
	if err != nil {
		return err
	}
	if f.typ != socket.STREAM {
		return f.socket.Connect(context.Background(), a)
	}
	f.peer = a
	return syscall.EINPROGRESS
}

// Accept4 is accept4(2). On one of berth's sockets it waits until there is a
// connection.
func Accept4(fd, flags int) (int, syscall.Sockaddr, error) {
	f := Lookup(fd)
	if f == nil {
		return syscall.Accept4(fd, flags)
	}
	s, from, err := f.socket.Accept(context.Background())
	if err != nil {
		return -1, nil, err
	}
	return add(s, f.domain, f.typ).number, sockaddr(f.domain, from), nil
}

// Accept is accept(2), as Accept4.
func Accept(fd int) (int, syscall.Sockaddr, error) {
	if Lookup(fd) == nil {
		return syscall.Accept(fd)
	}
	return Accept4(fd, 0)
}

// Getsockname is getsockname(2).
func Getsockname(fd int) (syscall.Sockaddr, error) {
	f := Lookup(fd)
	if f == nil {
		return syscall.Getsockname(fd)
	}
	return sockaddr(f.domain, f.socket.LocalAddr()), nil
}

// Getpeername is getpeername(2). A connection that was made has a peer even if
// it is over by now.
func Getpeername(fd int) (syscall.Sockaddr, error) {
	f := Lookup(fd)
	if f == nil {
		return syscall.Getpeername(fd)
	}
	if f.made {
		return sockaddr(f.domain, f.peer), nil
	}
	a, err := f.socket.PeerAddr()
	if err != nil {
		return nil, err
	}
	return sockaddr(f.domain, a), nil
}

// Read is read(2), not waiting.
func Read(fd int, b []byte) (int, error) {
	if f := Lookup(fd); f != nil {
		return f.socket.Recv(b, socket.MSG_DONTWAIT)
	}
	return syscall.Read(fd, b)
}

// Write is write(2), not waiting.
func Write(fd int, b []byte) (int, error) {
	if f := Lookup(fd); f != nil {
		return f.socket.Send(b, socket.MSG_DONTWAIT)
	}
	return syscall.Write(fd, b)
}
