package sockettest

import (
	"net/netip"
	"syscall"

	"example.com/berth/socket"
)

var errqueueCases = []rows{
	// UDP-5.
	both("errqueue/refused", "an entry tells what, by whom, of which datagram, and quotes it", errqueueRefused),
	both("errqueue/unconnected", "with the option an unconnected socket is told too", errqueueUnconnected),
	both("errqueue/empty", "an empty queue is EAGAIN, also on a socket that blocks", errqueueEmpty),
	both("errqueue/poll", "POLLERR stands while there is an entry", errqueuePoll),
	both("errqueue/pending", "the error is also in SO_ERROR, once, and the entry stays", errqueuePending),
	both("errqueue/order", "entries come in their order", errqueueOrder),
	both("errqueue/data-apart", "the error queue and the receive queue are two", errqueueDataApart),
	both("errqueue/cut", "a quotation that does not fit is cut, with MSG_TRUNC", errqueueCut),
	both("errqueue/local", "a datagram too long for the path leaves a local entry with the MTU", errqueueLocal),
	both("errqueue/off", "switching the option off empties the queue", errqueueOff),
}

func (f *family) recvErrors() socket.Option[int] {
	if f.domain == socket.INET {
		return socket.IP_RECVERR
	}
	return socket.IPV6_RECVERR
}

// unreachablePort is the ICMP error that a port where nobody is gives.
func (f *family) unreachablePort() socket.ExtendedError {
	e := socket.ExtendedError{Errno: syscall.ECONNREFUSED, Offender: f.b}
	if f.domain == socket.INET {
		e.Origin, e.Type, e.Code = socket.SO_EE_ORIGIN_ICMP, 3, 3
	} else {
		e.Origin, e.Type, e.Code = socket.SO_EE_ORIGIN_ICMP6, 1, 4
	}
	return e
}

// queued takes the first entry of the error queue.
func (t *T) queued(s socket.Socket) *socket.Message {
	t.Helper()
	b := make([]byte, 2048)
	m := &socket.Message{Buffers: [][]byte{b}}
	n, err := s.RecvMsg(m, socket.MSG_ERRQUEUE)
	t.ok(err)
	if !m.Control.Has(socket.ControlErr) {
		t.Fatalf("no error in %+v", m.Control)
	}
	m.Buffers[0] = b[:n]
	return m
}

func (t *T) queueEmpty(s socket.Socket) {
	t.Helper()
	m := socket.Message{Buffers: [][]byte{make([]byte, 1)}}
	_, err := s.RecvMsg(&m, socket.MSG_ERRQUEUE)
	t.fails("the error queue", err, syscall.EAGAIN)
}

// refusedQueued is refused on a socket with the error queue.
func (t *T) refusedQueued(f family, data string) (s socket.Socket, to netip.AddrPort) {
	t.Helper()
	s = t.udpAt(t.A, f, f.a)
	set(t, s, f.recvErrors(), 1)
	to = t.closedPort(f, socket.DGRAM)
	t.connect(s, to)
	t.send(s, data)
	t.await(s, perr)
	return s, to
}

func errqueueRefused(t *T, f family) {
	s, to := t.refusedQueued(f, "hello")
	m := t.queued(s)
	equal(t, "Err", m.Control.Err, f.unreachablePort())
	equal(t, "Addr", m.Addr, to)
	equal(t, "quoted", string(m.Buffers[0]), "hello")
	equal(t, "Flags", m.Flags, socket.MSG_ERRQUEUE)
	t.queueEmpty(s)
}

func errqueueUnconnected(t *T, f family) {
	s := t.udpAt(t.A, f, f.a)
	set(t, s, f.recvErrors(), 1)
	to := t.closedPort(f, socket.DGRAM)
	t.sendTo(s, "x", to)
	t.await(s, perr)
	m := t.queued(s)
	equal(t, "Err", m.Control.Err, f.unreachablePort())
	equal(t, "Addr", m.Addr, to)
}

func errqueueEmpty(t *T, f family) {
	t.queueEmpty(t.udp(t.A, f))
	s := t.udp(t.A, f)
	set(t, s, f.recvErrors(), 1)
	t.queueEmpty(s)
	a, _ := t.pair(f)
	t.queueEmpty(a)
}

func errqueuePoll(t *T, f family) {
	s, _ := t.refusedQueued(f, "x")
	t.fails("SO_ERROR", t.pending(s), syscall.ECONNREFUSED)
	equal(t, "Poll with an entry", t.events(s), out|perr)
	t.queued(s)
	equal(t, "Poll without", t.events(s), out)
}

func errqueuePending(t *T, f family) {
	s, _ := t.refusedQueued(f, "x")
	t.recvErr(s, 0, syscall.ECONNREFUSED)
	t.nothing(s)
	equal(t, "Err", t.queued(s).Control.Err, f.unreachablePort())
	t.fails("SO_ERROR", t.pending(s), nil)
}

func errqueueOrder(t *T, f family) {
	s, _ := t.refusedQueued(f, "first")
	t.fails("SO_ERROR", t.pending(s), syscall.ECONNREFUSED)
	t.send(s, "second")
	// POLLERR stands for the first already: SO_ERROR tells of the second.
	t.until(s, "told of the second", func() bool { return t.pending(s) != nil })
	equal(t, "quoted", string(t.queued(s).Buffers[0]), "first")
	equal(t, "quoted", string(t.queued(s).Buffers[0]), "second")
	t.queueEmpty(s)
}

func errqueueDataApart(t *T, f family) {
	s := t.udpAt(t.A, f, f.a)
	set(t, s, f.recvErrors(), 1)
	t.sendTo(t.udp(t.B, f), "data", s.LocalAddr())
	t.await(s, in)
	t.sendTo(s, "x", t.closedPort(f, socket.DGRAM))
	t.await(s, perr)
	equal(t, "quoted", string(t.queued(s).Buffers[0]), "x")
	t.receives(s, "data")
}

func errqueueCut(t *T, f family) {
	s, _ := t.refusedQueued(f, "hello")
	m := socket.Message{Buffers: [][]byte{make([]byte, 2)}}
	n, err := s.RecvMsg(&m, socket.MSG_ERRQUEUE)
	t.ok(err)
	equal(t, "quoted", string(m.Buffers[0][:n]), "he")
	equal(t, "Flags", m.Flags, socket.MSG_ERRQUEUE|socket.MSG_TRUNC)
}

func errqueueLocal(t *T, f family) {
	if t.MTU-f.overhead-8 >= f.largest() {
		t.Skip("needs an MTU that a datagram can be longer than")
	}
	s := t.udp(t.A, f)
	to := at(f.b, 9)
	t.connect(s, to)
	set(t, s, f.discover(), socket.IP_PMTUDISC_DO)
	set(t, s, f.recvErrors(), 1)
	_, err := s.Send(make([]byte, t.MTU), 0)
	t.fails("Send", err, syscall.EMSGSIZE)
	m := t.queued(s)
	equal(t, "Errno", m.Control.Err.Errno, syscall.EMSGSIZE)
	equal(t, "Origin", m.Control.Err.Origin, socket.SO_EE_ORIGIN_LOCAL)
	equal(t, "Info", m.Control.Err.Info, uint32(t.MTU))
	equal(t, "quoted", len(m.Buffers[0]), 0)
	equal(t, "Addr", m.Addr, to)
}

func errqueueOff(t *T, f family) {
	s, _ := t.refusedQueued(f, "x")
	set(t, s, f.recvErrors(), 0)
	t.queueEmpty(s)
}
