package berth

import (
	"syscall"

	"example.com/berth/link"
	"example.com/berth/socket"
)

// SendBuffer sends the first n bytes of a buffer by a stream socket of this host. It is
// a Send that does not wait, and copies nothing where the bytes fill half of the
// buffer or more: the socket holds a reference until the peer has acknowledged them. The
// caller's is his own still; if the buffer is [link.Buffer.Shared] then, he must not
// change the bytes, but release it and take another. EINVAL: it is no stream of this
// host.
func (h *Host) SendBuffer(s socket.Socket, buf *link.Buffer, n int) (int, error) {
	st, ok := s.(*stream)
	if !ok || st.host != h {
		return 0, syscall.EINVAL
	}
	deepen()
	st.mu.Lock()
	if st.fasts().held { // the first bytes of a connection go with its SYN
		st.mu.Unlock()
		return st.Send(buf.Bytes()[:n], socket.MSG_DONTWAIT)
	}
	defer st.mu.Unlock()
	if err := st.ended(&st.writers); err != nil {
		return 0, err
	}
	if err := st.cannotWrite(); err != nil {
		return 0, err
	}
	now := h.now()
	sent, err := st.conn.WriteBuffer(now, buf, n)
	if err == nil {
		st.pumpAt(now)
	}
	return sent, err
}
