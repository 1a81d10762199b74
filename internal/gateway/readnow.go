package gateway

import "net"

// readNow reads into a buffer that it holds while it waits.
func readNow(c net.Conn, most int) (*[bufferSize]byte, int, error) {
	b := buffers.Get().(*[bufferSize]byte)
	n, err := c.Read(b[:most])
	if n > 0 {
		return b, n, nil
	}
	buffers.Put(b)
	return nil, 0, err
}
