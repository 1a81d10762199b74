package sockettest

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"example.com/berth/socket"
)

// T is what a case runs with: the test, the hosts, and helpers that fail the
// test when something goes wrong that is not the case's subject.
type T struct {
	*testing.T
	*Env

	owners map[socket.Socket]socket.Provider
}

// patience is how long anything may take before it counts as hanging.
const patience = 10 * time.Second

var background = context.Background()

func (t *T) ok(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fails fails the test if err is not want, nil included.
func (t *T) fails(what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || (err == nil) != (want == nil) {
		t.Errorf("%s: %s, want %s", what, errName(err), errName(want))
	}
}

func errName(err error) string {
	if err == nil {
		return "no error"
	}
	return "“" + err.Error() + "”"
}

func equal[V comparable](t *T, what string, got, want V) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// own makes a socket end with the test, and never wait longer than patience.
func (t *T) own(p socket.Provider, s socket.Socket) socket.Socket {
	t.Helper()
	if t.owners == nil {
		t.owners = make(map[socket.Socket]socket.Provider)
	}
	t.owners[s] = p
	t.Cleanup(func() { s.Close() })
	t.ok(s.SetDeadline(time.Now().Add(patience)))
	return s
}

func (t *T) socket(p socket.Provider, d socket.Domain, typ socket.Type, proto socket.Protocol) socket.Socket {
	t.Helper()
	s, err := p.Socket(d, typ, proto)
	t.ok(err)
	return t.own(p, s)
}

func (t *T) tcp(p socket.Provider, f family) socket.Socket {
	t.Helper()
	return t.socket(p, f.domain, socket.STREAM, 0)
}

func (t *T) udp(p socket.Provider, f family) socket.Socket {
	t.Helper()
	return t.socket(p, f.domain, socket.DGRAM, 0)
}

// bound binds s to addr and an ephemeral port, and returns it.
func (t *T) bound(s socket.Socket, addr netip.Addr) socket.Socket {
	t.Helper()
	t.ok(s.Bind(at(addr, 0)))
	return s
}

// udpAt is a UDP socket at an address, with an ephemeral port.
func (t *T) udpAt(p socket.Provider, f family, addr netip.Addr) socket.Socket {
	t.Helper()
	return t.bound(t.udp(p, f), addr)
}

// listener listens on B.
func (t *T) listener(f family) socket.Socket {
	t.Helper()
	l := t.bound(t.tcp(t.B, f), f.b)
	t.ok(l.Listen(16))
	return l
}

func (t *T) accept(l socket.Socket) socket.Socket {
	t.Helper()
	s, _, err := l.Accept(background)
	t.ok(err)
	return t.own(t.owners[l], s)
}

func (t *T) connect(s socket.Socket, to netip.AddrPort) {
	t.Helper()
	t.ok(s.Connect(background, to))
}

// pair is a TCP connection from A to B.
func (t *T) pair(f family) (a, b socket.Socket) {
	t.Helper()
	l := t.listener(f)
	defer l.Close()
	a = t.tcp(t.A, f)
	t.connect(a, l.LocalAddr())
	return a, t.accept(l)
}

// udpPair is two UDP sockets, each connected to the other.
func (t *T) udpPair(f family) (a, b socket.Socket) {
	t.Helper()
	a, b = t.udpAt(t.A, f, f.a), t.udpAt(t.B, f, f.b)
	t.connect(a, b.LocalAddr())
	t.connect(b, a.LocalAddr())
	return a, b
}

func (t *T) send(s socket.Socket, data string) {
	t.Helper()
	n, err := s.Send([]byte(data), 0)
	if err != nil || n != len(data) {
		t.Fatalf("Send of %d bytes: %d, %v", len(data), n, err)
	}
}

func (t *T) sendTo(s socket.Socket, data string, to netip.AddrPort) {
	t.Helper()
	n, err := s.SendTo([]byte(data), 0, to)
	if err != nil || n != len(data) {
		t.Fatalf("SendTo %v of %d bytes: %d, %v", to, len(data), n, err)
	}
}

// receives fails unless the next bytes, or the next datagram, are want.
func (t *T) receives(s socket.Socket, want string) {
	t.Helper()
	b := make([]byte, len(want)+1)
	var flags socket.Flags
	if typ, _ := socket.Get(s, socket.SO_TYPE); typ == int(socket.STREAM) {
		b = b[:len(want)]
		flags = socket.MSG_WAITALL
	}
	n, err := s.Recv(b, flags)
	if err != nil || string(b[:n]) != want {
		t.Fatalf("received %q, %v, want %q", b[:n], err, want)
	}
}

func (t *T) receivesFrom(s socket.Socket, want string, from netip.AddrPort) {
	t.Helper()
	b := make([]byte, len(want)+1)
	n, addr, err := s.RecvFrom(b, 0)
	if err != nil || string(b[:n]) != want || addr != from {
		t.Fatalf("received %q from %v, %v, want %q from %v", b[:n], addr, err, want, from)
	}
}

// receivesEnd fails unless the stream has ended.
func (t *T) receivesEnd(s socket.Socket) {
	t.Helper()
	b := make([]byte, 16)
	if n, err := s.Recv(b, 0); n != 0 || err != nil {
		t.Errorf("received %q, %v, want the end of the stream", b[:n], err)
	}
}

// recvErr receives and fails unless the error is want.
func (t *T) recvErr(s socket.Socket, flags socket.Flags, want error) {
	t.Helper()
	b := make([]byte, 16)
	n, err := s.Recv(b, flags)
	if n != 0 {
		t.Errorf("received %q", b[:n])
	}
	t.fails("Recv", err, want)
}

func (t *T) sendErr(s socket.Socket, want error) {
	t.Helper()
	_, err := s.Send([]byte("x"), 0)
	t.fails("Send", err, want)
}

// nothing fails if a datagram or byte is waiting.
func (t *T) nothing(s socket.Socket) {
	t.Helper()
	t.recvErr(s, socket.MSG_DONTWAIT, syscall.EAGAIN)
}

const allEvents = socket.POLLIN | socket.POLLPRI | socket.POLLOUT | socket.POLLRDHUP

// events is what Poll reports of s now.
func (t *T) events(s socket.Socket) socket.Events {
	t.Helper()
	fds := []socket.PollFD{{Socket: s, Events: allEvents}}
	_, err := t.owners[s].Poll(background, fds, 0)
	t.ok(err)
	return fds[0].Revents
}

// await waits until s has one of the events, or an error, and returns what
// there is.
func (t *T) await(s socket.Socket, e socket.Events) socket.Events {
	t.Helper()
	fds := []socket.PollFD{{Socket: s, Events: e}}
	n, err := t.owners[s].Poll(background, fds, patience)
	t.ok(err)
	if n == 0 {
		t.Fatalf("no %v of the socket after %v", e, patience)
	}
	return t.events(s)
}

// settles waits until Poll reports exactly want.
func (t *T) settles(s socket.Socket, want socket.Events) {
	t.Helper()
	end := time.Now().Add(patience)
	for {
		got := t.events(s)
		if got == want {
			return
		}
		// Wait for one of those still missing; what is there already would end
		// the wait at once.
		fds := []socket.PollFD{{Socket: s, Events: want &^ got}}
		n, err := t.owners[s].Poll(background, fds, time.Until(end))
		t.ok(err)
		if n == 0 || time.Now().After(end) || want&^t.events(s) == 0 {
			equal(t, "Poll", t.events(s), want)
			return
		}
	}
}

func set[V any](t *T, s socket.Socket, o socket.Option[V], v V) {
	t.Helper()
	if err := socket.Set(s, o, v); err != nil {
		t.Fatalf("setting option %v to %v: %v", o.ID, v, err)
	}
}

func get[V any](t *T, s socket.Socket, o socket.Option[V]) V {
	t.Helper()
	v, err := socket.Get(s, o)
	if err != nil {
		t.Fatalf("getting option %v: %v", o.ID, err)
	}
	return v
}

// pending takes the error that waits in SO_ERROR.
func (t *T) pending(s socket.Socket) error {
	t.Helper()
	if n := get(t, s, socket.SO_ERROR); n != 0 {
		return syscall.Errno(n)
	}
	return nil
}

func (t *T) state(s socket.Socket) socket.TCPState {
	t.Helper()
	return get(t, s, socket.TCP_INFO).State
}

// reset makes peer's end of a connection get a RST from s.
func (t *T) reset(s socket.Socket) {
	t.Helper()
	set(t, s, socket.SO_LINGER, socket.Linger{On: true})
	t.ok(s.Close())
}

// closedPort is a port of B that nobody listens on; it is taken, so that nobody
// will.
func (t *T) closedPort(f family, typ socket.Type) netip.AddrPort {
	t.Helper()
	if typ == socket.DGRAM {
		// A bound UDP socket would take the datagram: a connected one does not
		// take it from others than its peer.
		s := t.udpAt(t.B, f, f.b)
		t.connect(s, at(f.b, 9))
		return s.LocalAddr()
	}
	return t.bound(t.tcp(t.B, f), f.b).LocalAddr()
}

// fullListener listens on B and takes no more connections: a SYN is dropped.
func (t *T) fullListener(f family) socket.Socket {
	t.Helper()
	l := t.bound(t.tcp(t.B, f), f.b)
	t.ok(l.Listen(0))
	t.connect(t.tcp(t.A, f), l.LocalAddr())
	t.await(l, socket.POLLIN)
	return l
}

// connecting is a socket of A whose SYN nobody answers.
func (t *T) connecting(f family) (s, listener socket.Socket) {
	t.Helper()
	listener = t.fullListener(f)
	s = t.tcp(t.A, f)
	t.ok(s.SetNonblock(true))
	t.fails("non-blocking Connect", s.Connect(background, listener.LocalAddr()), syscall.EINPROGRESS)
	t.ok(s.SetNonblock(false))
	return s, listener
}

// until asks cond again and again: for what only an option of s tells, and
// neither Poll nor a call that blocks.
func (t *T) until(s socket.Socket, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !cond(); {
		if time.Now().After(end) {
			t.Fatalf("not %s after %v", what, patience)
		}
		_, err := t.owners[s].Poll(background, nil, 100*time.Microsecond)
		t.ok(err)
	}
}

// acknowledged waits until the peer has acknowledged all that s has sent.
func (t *T) acknowledged(s socket.Socket) {
	t.Helper()
	t.until(s, "acknowledged", func() bool { return get(t, s, socket.TCP_INFO).Unacked == 0 })
}

// fill sends on s until its send buffer and the peer's receive buffer are full,
// and returns how many bytes that were.
func (t *T) fill(s socket.Socket) int {
	t.Helper()
	total := 0
	chunk := make([]byte, 64<<10)
	for {
		n, err := s.Send(chunk, socket.MSG_DONTWAIT)
		total += n
		if err != nil {
			t.fails("Send into a full buffer", err, syscall.EAGAIN)
			return total
		}
	}
}

// small makes the buffers of a connection small, so that it fills soon.
func small(t *T, s socket.Socket) {
	set(t, s, socket.SO_SNDBUF, 16<<10)
	set(t, s, socket.SO_RCVBUF, 16<<10)
}

// smallPair is a pair with small buffers.
func (t *T) smallPair(f family) (a, b socket.Socket) {
	t.Helper()
	l := t.bound(t.tcp(t.B, f), f.b)
	small(t, l)
	t.ok(l.Listen(1))
	a = t.tcp(t.A, f)
	small(t, a)
	t.connect(a, l.LocalAddr())
	b = t.accept(l)
	l.Close()
	return a, b
}

// drain receives until the stream ends, and returns all of it.
func (t *T) drain(s socket.Socket) []byte {
	t.Helper()
	var all bytes.Buffer
	b := make([]byte, 64<<10)
	for {
		n, err := s.Recv(b, 0)
		t.ok(err)
		if n == 0 {
			return all.Bytes()
		}
		all.Write(b[:n])
	}
}

// pattern is n bytes of which no two stretches are alike.
func pattern(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// beside runs f beside the case, which waits for it at its end. In f too a
// helper that cannot go on ends f and fails the test.
func (t *T) beside(f func()) (done <-chan struct{}) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f()
	}()
	t.Cleanup(func() { <-ended })
	return ended
}
