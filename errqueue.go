package berth

import (
	"net/netip"
	"syscall"

	"example.com/berth/internal/lean"
	"example.com/berth/socket"
)

// An errorQueue is what IP_RECVERR keeps: why packets that were sent did not
// arrive. It holds errorQueueLimit entries; later ones are dropped, as on Linux
// when the receive buffer is full.
type errorQueue struct{ entries []queuedError }

const (
	errorQueueLimit = 64
	errorDataLimit  = 2048 // of the bytes that came back
)

type queuedError struct {
	socket.ExtendedError
	to   netip.AddrPort // where the packet was sent
	data []byte         // its payload, as far as it came back
}

func (q *errorQueue) n() int { return len(q.entries) }

func (q *errorQueue) push(e queuedError) {
	if len(q.entries) >= errorQueueLimit {
		return
	}
	e.data = lean.Bytes(e.data[:min(len(e.data), errorDataLimit)])
	q.entries = append(q.entries, e)
}

func (q *errorQueue) clear() { q.entries = nil }

// take gives the first entry to a receiver; EAGAIN if there is none.
func (q *errorQueue) take(s *messageSock, bufs [][]byte, m *socket.Message) (int, error) {
	if len(q.entries) == 0 {
		return 0, syscall.EAGAIN
	}
	e := q.entries[0]
	q.entries = lean.Remove(q.entries, 0)
	n := scatter(bufs, e.data)
	if n < len(e.data) {
		m.Flags |= socket.MSG_TRUNC
	}
	m.Flags |= socket.MSG_ERRQUEUE
	m.Addr = s.show(e.to)
	m.Control.Present = socket.ControlErr
	m.Control.Err = e.ExtendedError
	s.err = nil
	if len(q.entries) > 0 {
		s.err = q.entries[0].Errno
	}
	return n, nil
}
