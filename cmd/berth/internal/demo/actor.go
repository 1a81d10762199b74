package demo

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"example.com/berth/internal/ladder"
	"example.com/berth/socket"
)

// actor is a socket in the hands of a program on one of the hosts. Each call is
// the one of package socket, and is recorded: what was called, what came back,
// and the socket's five-tuple and state after it.
type actor struct {
	*party
	trace *ladder.Trace
	s     socket.Socket

	typ      socket.Type
	protocol socket.Protocol
	local    netip.AddrPort
	peer     netip.AddrPort
}

// open makes a socket.
func (p *party) open(t *ladder.Trace, d socket.Domain, typ socket.Type, protocol socket.Protocol) (*actor, error) {
	a := &actor{party: p, trace: t, typ: typ, protocol: protocol}
	at := t.Now()
	var err error
	a.s, err = p.host.Socket(d, typ, protocol)
	name := ""
	switch protocol {
	case 0:
	case socket.IPPROTO_ICMP:
		name = ", ICMP"
	case socket.IPPROTO_ICMPV6:
		name = ", ICMPV6"
	}
	a.note(at, fmt.Sprintf("Socket(%v, %v%s)", d, typ, name), err)
	return a, err
}

// note records a call.
func (a *actor) note(at time.Duration, text string, err error) {
	c := ladder.Call{Side: a.side, Text: text, Detail: a.detail()}
	if err != nil {
		c.Text += " = " + err.Error()
	}
	a.trace.Called(at, c)
}

func (a *actor) bind(to netip.AddrPort) error {
	at := a.trace.Now()
	err := a.s.Bind(to)
	a.note(at, fmt.Sprintf("Bind(%v)", to), err)
	return err
}

func (a *actor) listen(backlog int) error {
	at := a.trace.Now()
	err := a.s.Listen(backlog)
	a.note(at, fmt.Sprintf("Listen(%d)", backlog), err)
	return err
}

// accept is recorded when it returns.
func (a *actor) accept(ctx context.Context) (*actor, error) {
	s, peer, err := a.s.Accept(ctx)
	at := a.trace.Now()
	if err != nil {
		a.note(at, "Accept()", err)
		return nil, err
	}
	c := &actor{party: a.party, trace: a.trace, s: s, typ: a.typ}
	c.note(at, fmt.Sprintf("Accept() = %v", peer), nil)
	return c, nil
}

// connect is recorded when it is called, and on a stream, where it waits, also
// when it returns.
func (a *actor) connect(ctx context.Context, to netip.AddrPort) error {
	at := a.trace.Now()
	err := a.s.Connect(ctx, to)
	now := a.trace.Now()
	text := fmt.Sprintf("Connect(%s)", end(to))
	if a.typ == socket.RAW {
		text = fmt.Sprintf("Connect(%v)", to.Addr())
	}
	if a.typ != socket.STREAM {
		a.note(at, text, err)
		return err
	}
	a.note(now, "Connect returns", err)
	if a.peer = to; err == nil {
		waiting := a.tuple() + "  " + socket.TCP_SYN_SENT.String()
		a.trace.Called(at, ladder.Call{Side: a.side, Text: text, Detail: waiting})
	} else {
		a.trace.Called(at, ladder.Call{Side: a.side, Text: text})
	}
	return err
}

func (a *actor) send(b []byte, what func([]byte) string) error {
	at := a.trace.Now()
	n, err := a.s.Send(b, 0)
	a.note(at, fmt.Sprintf("Send(%s) = %d", what(b), n), err)
	return err
}

func (a *actor) sendTo(b []byte, what func([]byte) string, to netip.AddrPort) error {
	at := a.trace.Now()
	n, err := a.s.SendTo(b, 0, to)
	a.note(at, fmt.Sprintf("SendTo(%s, %v) = %d", what(b), to, n), err)
	return err
}

// recv is recorded when it returns. The end of the peer's half is n == 0.
func (a *actor) recv(b []byte, what func([]byte) string) (n int, err error) {
	n, err = a.s.Recv(b, 0)
	a.note(a.trace.Now(), "Recv() = "+received(b, n, err, what), nil)
	return n, err
}

func (a *actor) recvFrom(b []byte, what func([]byte) string) (n int, from netip.AddrPort, err error) {
	n, from, err = a.s.RecvFrom(b, 0)
	a.note(a.trace.Now(), "RecvFrom() = "+received(b, n, err, what), nil)
	return n, from, err
}

func (a *actor) shutdown() error {
	at := a.trace.Now()
	err := a.s.Shutdown(socket.SHUT_WR)
	a.note(at, "Shutdown(SHUT_WR)", err)
	return err
}

func (a *actor) close() error {
	a.detail() // the ends, while the socket tells them
	at := a.trace.Now()
	err := a.s.Close()
	a.note(at, "Close()", err)
	return err
}

// received tells what a receiving call gave.
func received(b []byte, n int, err error, what func([]byte) string) string {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "timed out"
	case err != nil:
		return err.Error()
	case n == 0:
		return "0, the end"
	}
	return fmt.Sprintf("%d %s", n, what(b[:n]))
}

// excerpt is the beginning of data, in quotes.
func excerpt(b []byte) string {
	const most = 20
	if len(b) <= most {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("%q…", b[:most-6])
}
