//go:build !unix

package gateway

import "net"

// A lazyReader reads from a connection into a buffer of the pool.
type lazyReader struct {
	conn  net.Conn
	most  int  // how much is read at once
	grams bool // what is read are datagrams, which may be empty
}

func (r *lazyReader) init(c net.Conn, most int) { r.conn, r.most = c, most }

// read waits for bytes and returns them in a buffer that the caller puts back, or
// without one the error: io.EOF at the end. An empty datagram has no buffer.
func (r *lazyReader) read() (*[bufferSize]byte, int, error) { return readNow(r.conn, r.most) }
