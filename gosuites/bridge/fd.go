package bridge

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"example.com/berth/socket"
)

// FD is one of berth's sockets as package net uses it. Its methods are those
// that net calls of its own descriptors; errors are berth's, so that a closed
// socket gives EBADF and the end of a stream is no error.
type FD struct {
	number int
	socket socket.Socket
	domain socket.Domain
	typ    socket.Type

	// Reads are one at a time, and so are writes: two writers do not mix what
	// they write.
	reading, writing sync.Mutex

	readUntil, writeUntil deadline
	message               socket.Message // of who reads

	// Of connect, which nobody else uses the socket during.
	peer    netip.AddrPort // that it goes to
	made    bool           // it is connected
	refused syscall.Errno  // why not: SO_ERROR
}

// SetDeadline sets both deadlines.
func (f *FD) SetDeadline(t time.Time) error {
	f.readUntil.set(t)
	f.writeUntil.set(t)
	return f.socket.SetDeadline(t)
}

// SetReadDeadline ends Accept and the reads at time t.
func (f *FD) SetReadDeadline(t time.Time) error {
	f.readUntil.set(t)
	return f.socket.SetReadDeadline(t)
}

// SetWriteDeadline ends WaitWrite and the writes at time t.
func (f *FD) SetWriteDeadline(t time.Time) error {
	f.writeUntil.set(t)
	return f.socket.SetWriteDeadline(t)
}

// Shutdown is shutdown(2).
func (f *FD) Shutdown(how int) error { return f.socket.Shutdown(socket.How(how)) }

// connect waits until the connect under way has ended. How, SO_ERROR tells.
func (f *FD) connect() error {
	err := f.socket.Connect(context.Background(), f.peer)
	if err == nil {
		f.made = true
		f.peer = f.resolved()
		return nil
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok && errno != syscall.EBADF {
		f.refused = errno
		return nil
	}
	return err
}

// resolved is the peer with what berth knows better: connecting to the
// unspecified address reaches the host itself.
func (f *FD) resolved() netip.AddrPort {
	if a, err := f.socket.PeerAddr(); err == nil {
		return a
	}
	return f.peer
}

// Control calls fn with the socket's number, unless it is closed (EBADF).
func (f *FD) Control(fn func(fd uintptr)) error {
	if _, ok := table.Load(f.number); !ok {
		return syscall.EBADF
	}
	fn(uintptr(f.number))
	return nil
}
