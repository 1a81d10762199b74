package berth

import (
	"syscall"

	"example.com/berth/link"
	"example.com/berth/socket"
)

// A Loan is bytes that a stream socket has received, lent to who passes them on:
// they lie where they came in, and nothing is copied. The zero Loan is ready for
// [Host.Borrow], and may be used again after [Loan.Return]. It is one goroutine's.
type Loan struct {
	// Pieces are the bytes, in order. They must not be changed.
	Pieces [][]byte

	s      *stream
	pieces [loanPieces][]byte
	bufs   [loanPieces]*link.Buffer
}

// The most pieces of a loan, and bytes: what is in the second-level cache still.
const (
	loanPieces = 16
	loanBytes  = 256 << 10
)

// Borrow lends what a stream socket of this host has received, or some of it. It
// does not wait, and its errors are those of a Recv that does not; at the end of the
// stream there are no pieces, and no error. Until Return, which follows in any case,
// nobody else may receive from the socket, or connect it anew. EINVAL: it is no stream of this host.
func (h *Host) Borrow(s socket.Socket, l *Loan) error {
	l.s, l.Pieces = nil, nil
	st, ok := s.(*stream)
	if !ok || st.host != h {
		return syscall.EINVAL
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	switch {
	case st.closed:
		return syscall.EBADF
	case st.lis != nil:
		return syscall.ENOTCONN
	}
	n, err := st.conn.Lend(l.pieces[:], l.bufs[:], loanBytes)
	if err != nil {
		return err
	}
	l.s, l.Pieces = st, l.pieces[:n]
	return nil
}

// Len is how many bytes are lent.
func (l *Loan) Len() (n int) {
	for _, p := range l.Pieces {
		n += len(p)
	}
	return n
}

// Return ends the loan. The first n bytes are taken off the stream, as by a Recv of
// so many; the others are still there to be received.
func (l *Loan) Return(n int) {
	if s := l.s; s != nil && n > 0 {
		s.mu.Lock()
		if !s.closed {
			s.conn.Take(s.host.now(), n)
			s.pump() // the window may have opened
		}
		s.mu.Unlock()
	}
	for i := range l.Pieces {
		l.bufs[i].Release()
		l.pieces[i], l.bufs[i] = nil, nil
	}
	l.s, l.Pieces = nil, nil
}
