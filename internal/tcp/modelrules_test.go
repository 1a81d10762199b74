package tcp

import (
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// cause is what may change the state of a connection.
type cause uint8

const (
	byNothing cause = iota // reading and writing do not
	bySegment
	byUser
	byTime
)

// The changes of state of RFC 9293 3.3.2, figure 5, that each cause may bring
// about, with the resets and the time-outs that the figure leaves out. A segment
// may do more than one at once, as one with the last acknowledgment and a FIN.
var changes = [...]map[socket.TCPState][]socket.TCPState{
	byNothing: {},
	bySegment: {
		socket.TCP_SYN_SENT:    {socket.TCP_SYN_RECV, socket.TCP_ESTABLISHED},
		socket.TCP_SYN_RECV:    {socket.TCP_ESTABLISHED, socket.TCP_FIN_WAIT1}, // FIN-WAIT-1: closed before
		socket.TCP_ESTABLISHED: {socket.TCP_CLOSE_WAIT},
		socket.TCP_FIN_WAIT1:   {socket.TCP_FIN_WAIT2, socket.TCP_CLOSING},
		socket.TCP_FIN_WAIT2:   {socket.TCP_TIME_WAIT},
		socket.TCP_CLOSING:     {socket.TCP_TIME_WAIT},
		socket.TCP_LAST_ACK:    {socket.TCP_CLOSE},
	},
	byUser: {
		socket.TCP_CLOSE:       {socket.TCP_SYN_SENT},
		socket.TCP_ESTABLISHED: {socket.TCP_FIN_WAIT1},
		socket.TCP_CLOSE_WAIT:  {socket.TCP_LAST_ACK},
	},
	byTime: {},
}

// moved says that a connection has gone from one state to that it is in now by a
// way that there is. Every state but CLOSED may go to CLOSED: by a reset, by an
// abort, or by a time-out; but nobody's reading and writing may.
func (m *model) moved(i int, from socket.TCPState, by cause) {
	m.t.Helper()
	to := m.ends[i].c.State()
	switch {
	case to == from:
		return
	case to == socket.TCP_CLOSE && by != byNothing:
		if from == socket.TCP_TIME_WAIT && by == bySegment {
			m.fatalf("side %d: a segment ended TIME-WAIT", i)
		}
		return
	case !leads(changes[by], from, to, 3):
		m.fatalf("side %d: %v to %v", i, from, to)
	}
}

// leads tells whether at most n changes lead from one state to another.
func leads(edges map[socket.TCPState][]socket.TCPState, from, to socket.TCPState, n int) bool {
	for _, next := range edges[from] {
		if next == to || n > 1 && leads(edges, next, to, n-1) {
			return true
		}
	}
	return false
}

// check is what holds after each step.
func (m *model) check() {
	m.t.Helper()
	for i, e := range m.ends {
		if e.c == nil {
			continue
		}
		c := e.c
		held := c.sendQ.held + c.recvQ.held
		if c.ooo != nil {
			held += c.ooo.held
		}
		if u := e.p.Budget.Used(); u != int64(held) {
			m.fatalf("side %d: %d bytes taken from the budget, %d held", i, u, held)
		}
		c.fl.check(m.t)
		m.checkNumbers(i)
	}
}

// checkNumbers holds what a side believes against what the other knows: nothing
// is acknowledged that did not arrive, and nothing arrived that was not sent.
func (m *model) checkNumbers(i int) {
	m.t.Helper()
	e, o := m.ends[i], m.ends[1-i]
	if e.read > o.written {
		m.fatalf("side %d read %d bytes of %d", i, e.read, o.written)
	}
	if e.c.snd.nxt.Less(e.c.snd.una) {
		m.fatalf("side %d: SND.UNA is beyond SND.NXT", i)
	}
	if o.c == nil || !o.c.synchronized() || !e.c.synchronized() || o.c.irs != e.iss || e.c.irs != o.iss {
		return
	}
	if o.c.rcv.nxt.Less(e.c.snd.una) {
		m.fatalf("side %d: up to %d is acknowledged, and %d has arrived", i, e.c.snd.una-e.iss, o.c.rcv.nxt-e.iss)
	}
	if e.c.snd.nxt.Less(o.c.rcv.nxt) {
		m.fatalf("side %d: %d has arrived of %d", i, o.c.rcv.nxt-e.iss, e.c.snd.nxt-e.iss)
	}
	// What is known to have been read, is queued, or waits in order is all there
	// is up to RCV.NXT: no byte is missing, and none is there twice.
	if queued, _ := o.c.Queues(); !o.lossy && o.c.established() {
		if got := o.read + queued; got != arrived(o.c, e.iss) {
			m.fatalf("side %d: %d bytes read and %d queued of %d", 1-i, o.read, queued, arrived(o.c, e.iss))
		}
	}
}

// arrived is how many bytes have arrived in order.
func arrived(c *Conn, iss seqnum.Value) int {
	n := c.rcv.nxt.Sub(iss) - 1
	if c.finRcvd {
		n--
	}
	return n
}
