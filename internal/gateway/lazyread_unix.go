//go:build unix

package gateway

import (
	"io"
	"net"
	"os"
	"syscall"
)

// A lazyReader reads from a connection into a buffer that it takes only when there
// is something to read.
type lazyReader struct {
	conn net.Conn
	raw  syscall.RawConn // nil if the connection is no descriptor
	try  func(fd uintptr) bool

	most  int  // how much is read at once
	grams bool // what is read are datagrams, which may be empty

	// What try has read.
	buf *[bufferSize]byte
	n   int
	err error
}

func (r *lazyReader) init(c net.Conn, most int) {
	r.conn, r.most = c, most
	if sc, ok := c.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			r.raw, r.try = raw, r.tryRead
		}
	}
}

// read waits for bytes and returns them in a buffer that the caller puts back, or
// without one the error: io.EOF at the end. An empty datagram has no buffer.
func (r *lazyReader) read() (*[bufferSize]byte, int, error) {
	if r.raw == nil {
		return readNow(r.conn, r.most)
	}
	if err := r.raw.Read(r.try); err != nil {
		return nil, 0, err
	}
	if r.n > 0 {
		return r.buf, r.n, nil
	}
	if r.n == 0 && r.err == nil && r.grams {
		return nil, 0, nil
	}
	if r.err != nil {
		return nil, 0, os.NewSyscallError("read", r.err)
	}
	return nil, 0, io.EOF
}

// tryRead is what a RawConn calls until it says that it is done.
func (r *lazyReader) tryRead(fd uintptr) bool {
	r.buf = buffers.Get().(*[bufferSize]byte)
	for {
		r.n, r.err = syscall.Read(int(fd), r.buf[:r.most])
		if r.err != syscall.EINTR {
			break
		}
	}
	if r.n <= 0 {
		buffers.Put(r.buf)
		r.buf, r.n = nil, 0
	}
	return r.err != syscall.EAGAIN
}
