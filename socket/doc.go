// Package socket is the contract of Berkeley sockets in Go: the calls, the
// addresses, the options, the flags and the errors, and nothing else.
//
// A [Provider] makes sockets. There are two: a berth host, whose sockets run on
// a TCP/IP stack of their own, and package kernel, whose sockets are those of
// the operating system. A program written against this package runs on either,
// and one conformance suite (package sockettest) holds both to the same
// behaviour, with Linux as the judge.
//
//	s, err := provider.Socket(socket.INET, socket.STREAM, 0)
//	err = s.Bind(netip.MustParseAddrPort("10.0.0.1:50007"))
//	err = s.Listen(128)
//	c, peer, err := s.Accept(ctx)
//	n, err := c.Recv(buf, 0)
//	n, err = c.Send(buf[:n], 0)
//	err = c.Close()
//
// # Names and numbers
//
// The calls, options and flags bear the names that they have in POSIX and
// Linux, and the constants have Linux's values on every operating system, so
// that a trace, a packet script or a C program can be read beside the Go code.
//
// # Errors
//
// Calls fail with a [syscall.Errno], the one that Linux gives for the same call
// in the same state. Three things that C does not have are exceptions:
// a deadline that passed gives [os.ErrDeadlineExceeded], a context that ended
// gives its own error, and an orderly end of a stream is Recv returning 0 and
// no error, as in C, not io.EOF. A call on a closed socket, and a call that was
// blocked when another goroutine closed the socket, gives EBADF.
//
// # Blocking
//
// A socket blocks until it is told otherwise with SetNonblock or, for one call,
// with [MSG_DONTWAIT]. Blocking calls end by deadline (SetReadDeadline,
// SetWriteDeadline) or, where a call takes one, by context. [Provider.Poll]
// waits for any of many sockets.
//
// All methods of a Socket may be called from several goroutines at once.
package socket
