package berth

import (
	"syscall"

	"example.com/berth/internal/lean"
	"example.com/berth/internal/tcp"
	"example.com/berth/socket"
)

// TCP_REPORTS is an option of a host's stream sockets, which the kernel's do not
// have: 1 has the socket told of what happens to its connection and ends no call
// (RFC 9293 section 3.9.1.8). Reports come in the error queue. POLLERR says that
// one waits, and RecvMsg with MSG_ERRQUEUE takes it: the message's Control.Err has
// [ReportOrigin], one of the kinds as its Type, and what the kind says as its
// Errno and Info. Of each kind one waits at most, the last; 0, the default, ends
// the reports and drops those that wait. Connections that a listener accepts have
// to be asked for theirs.
var TCP_REPORTS = socket.Option[int]{ID: socket.OptionID{Level: socket.SOL_TCP, Name: 1000}}

// ReportOrigin is the origin of the reports of TCP_REPORTS.
const ReportOrigin socket.ErrorOrigin = 100

// The kinds of reports.
const (
	// ReportUrgent: the peer announced urgent data, or more of it while some is
	// not read: MSG_OOB tells whether it is here. Info counts the occasions.
	ReportUrgent uint8 = 1 + iota
	// ReportRetransmissions: the peer does not answer retransmissions (R1 of RFC
	// 9293 section 3.8.3). The connection goes on until R2, when calls fail. Errno
	// is ETIMEDOUT, Info the number of retransmissions so far.
	ReportRetransmissions
	// ReportSoftError: an ICMP message says why the peer may be out of reach, in
	// Errno. The connection goes on.
	ReportSoftError

	reportKinds
)

// reports are those of a connection that wait, and what has been reported. What
// completes MSG_ZEROCOPY waits beside them.
type reports struct {
	_ lean.Incomparable

	asked      bool                              // TCP_REPORTS
	waiting    [reportKinds]socket.ExtendedError // by kind, if its Type is set
	urgent     uint32
	struggling bool
	soft       syscall.Errno
	copies     copies
}

// setReports is TCP_REPORTS. The lock is held.
func (s *stream) setReports(on bool) {
	if s.reports == nil && !on {
		return
	}
	var before copies
	if s.reports != nil {
		before = s.reports.copies
	}
	s.reports = &reports{asked: on, copies: before}
	s.reports.look(&s.conn)
	s.reports.waiting = [reportKinds]socket.ExtendedError{} // what comes from now on
}

// look notes what is to be reported of a connection, if anything is. There may be
// none, r nil.
func (r *reports) look(c *tcp.Conn) {
	if r == nil || !r.asked {
		return
	}
	if n := c.UrgentMoves(); n != r.urgent {
		r.urgent = n
		r.add(ReportUrgent, 0, n)
	}
	if on := c.Struggling(); on != r.struggling {
		if r.struggling = on; on {
			r.add(ReportRetransmissions, syscall.ETIMEDOUT, uint32(c.Retries()))
		}
	}
	if e := c.SoftError(); e != r.soft {
		if r.soft = e; e != 0 {
			r.add(ReportSoftError, e, 0)
		}
	}
}

func (r *reports) add(kind uint8, e syscall.Errno, info uint32) {
	r.waiting[kind] = socket.ExtendedError{Errno: e, Origin: ReportOrigin, Type: kind, Info: info}
}

// events is POLLERR while a report waits. There may be none, r nil.
func (r *reports) events() socket.Events {
	if r != nil {
		if r.copies.waiting {
			return socket.POLLERR
		}
		for i := range r.waiting {
			if r.waiting[i].Type != 0 {
				return socket.POLLERR
			}
		}
	}
	return 0
}

// take gives a report to a receiver; EAGAIN if there is none.
func (r *reports) take(m *socket.Message) error {
	if r == nil {
		return syscall.EAGAIN
	}
	if r.copies.take(m) {
		m.Flags |= socket.MSG_ERRQUEUE
		m.Control.Present = socket.ControlErr
		return nil
	}
	for i := range r.waiting {
		if w := &r.waiting[i]; w.Type != 0 {
			m.Flags |= socket.MSG_ERRQUEUE
			m.Control.Present, m.Control.Err = socket.ControlErr, *w
			*w = socket.ExtendedError{}
			return nil
		}
	}
	return syscall.EAGAIN
}
