// Package kernel is the [socket.Provider] of the operating system: the same
// contract that a berth host offers, on the sockets of the kernel below the
// program.
//
//	s, err := kernel.Sockets().Socket(socket.INET, socket.STREAM, 0)
//
// # On Linux
//
// Every call, option, flag and control message of package socket is passed to
// the kernel, whose answer is given as it is. The descriptors are non-blocking
// and live under the poller of Go's runtime (by way of
// github.com/mdlayher/socket), so that a blocked call costs a goroutine and not
// a thread; what blocking means for a socket in C (a Send that takes all its
// bytes, MSG_WAITALL, SO_RCVLOWAT, a Connect that waits) is made anew on top of
// that. [Provider.Poll] is poll(2), and holds a thread while it waits.
//
// [InNamespace] gives a Provider whose sockets live in another network
// namespace.
//
// Where package socket differs from C, so does this package: the port of a raw
// socket's address is always 0, and PeerAddr of a connected raw socket is its
// peer (getpeername(2) gives ENOTCONN for a peer whose port is 0).
//
// # Elsewhere
//
// On other operating systems a Provider offers what package net can give:
// STREAM and DGRAM (TCP and UDP) sockets with Bind, Listen, Accept, Connect,
// Send, Recv, Shutdown, Close, deadlines and the simple options. All else is
// ENOTSUP: raw and ping sockets, Poll, non-blocking mode, flags, control
// messages.
package kernel
