package overnet

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"example.com/berth/socket"
)

var (
	background = context.Background()
	anyPort    = netip.MustParseAddrPort("127.0.0.1:0")
	p          Provider
)

func made(t *testing.T, d socket.Domain, typ socket.Type) socket.Socket {
	t.Helper()
	s, err := p.Socket(d, typ, 0)
	ok(t, err)
	t.Cleanup(func() { s.Close() })
	ok(t, s.SetDeadline(time.Now().Add(10*time.Second)))
	return s
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func fails(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// pair is a connection, of which the listener is closed.
func pair(t *testing.T) (a, b socket.Socket) {
	t.Helper()
	l := made(t, socket.INET, socket.STREAM)
	ok(t, l.Bind(anyPort))
	ok(t, l.Listen(1))
	a = made(t, socket.INET, socket.STREAM)
	ok(t, a.Connect(background, l.LocalAddr()))
	b, caller, err := l.Accept(background)
	ok(t, err)
	t.Cleanup(func() { b.Close() })
	if caller != a.LocalAddr() {
		t.Errorf("caller %v, want %v", caller, a.LocalAddr())
	}
	ok(t, l.Close())
	return a, b
}

func TestSocketKinds(t *testing.T) {
	for _, tt := range []struct {
		d    socket.Domain
		typ  socket.Type
		p    socket.Protocol
		want error
	}{
		{socket.INET, socket.STREAM, 0, nil},
		{socket.INET6, socket.DGRAM, socket.IPPROTO_UDP, nil},
		{1, socket.STREAM, 0, syscall.EAFNOSUPPORT},
		{socket.INET, 9, 0, syscall.EINVAL},
		{socket.INET, socket.STREAM, socket.IPPROTO_UDP, syscall.EPROTONOSUPPORT},
		{socket.INET, socket.RAW, 1, syscall.ENOTSUP},
		{socket.INET, socket.DGRAM, socket.IPPROTO_ICMP, syscall.ENOTSUP},
	} {
		s, err := p.Socket(tt.d, tt.typ, tt.p)
		fails(t, "Socket", err, tt.want)
		if err == nil {
			s.Close()
		}
	}
}

func TestStreamGoesBothWaysAndEndsByHalves(t *testing.T) {
	a, b := pair(t)
	data := bytes.Repeat([]byte("berth"), 100_000)
	sent := make(chan error, 1)
	go func() {
		_, err := a.SendMsg(&socket.Message{Buffers: [][]byte{data[:7], nil, data[7:]}}, socket.MSG_NOSIGNAL)
		if err == nil {
			err = a.Shutdown(socket.SHUT_WR)
		}
		sent <- err
	}()
	got := make([]byte, len(data)+10)
	n, err := b.Recv(got, socket.MSG_WAITALL)
	ok(t, err)
	ok(t, <-sent)
	if !bytes.Equal(got[:n], data) {
		t.Errorf("received %d other bytes", n)
	}
	if n, err := b.Recv(got, 0); n != 0 || err != nil {
		t.Errorf("after the end: %d, %v", n, err)
	}
	_, err = b.Send([]byte("reply"), 0)
	ok(t, err)
	m := socket.Message{Buffers: [][]byte{nil, got}}
	n, err = a.RecvMsg(&m, 0)
	ok(t, err)
	if string(got[:n]) != "reply" {
		t.Errorf("received %q", got[:n])
	}
}

func TestStreamErrors(t *testing.T) {
	s := made(t, socket.INET, socket.STREAM)
	_, err := s.Send([]byte("x"), 0)
	fails(t, "Send", err, syscall.EPIPE)
	_, err = s.Recv(make([]byte, 1), 0)
	fails(t, "Recv", err, syscall.ENOTCONN)
	fails(t, "Shutdown", s.Shutdown(socket.SHUT_RD), syscall.ENOTCONN)
	fails(t, "Shutdown", s.Shutdown(7), syscall.EINVAL)
	_, err = s.PeerAddr()
	fails(t, "PeerAddr", err, syscall.ENOTCONN)
	_, _, err = s.Accept(background)
	fails(t, "Accept", err, syscall.EINVAL)
	fails(t, "Bind", s.Bind(netip.MustParseAddrPort("[::1]:0")), syscall.EAFNOSUPPORT)
	fails(t, "SetNonblock", s.SetNonblock(true), syscall.ENOTSUP)

	a, b := pair(t)
	fails(t, "second Connect", a.Connect(background, b.LocalAddr()), syscall.EISCONN)
	fails(t, "Listen", a.Listen(1), syscall.EINVAL)
	_, err = a.Send([]byte("x"), socket.MSG_OOB)
	fails(t, "MSG_OOB", err, syscall.ENOTSUP)
	_, err = a.Recv(make([]byte, 1), socket.MSG_PEEK)
	fails(t, "MSG_PEEK", err, syscall.ENOTSUP)

	// The port of a connection that has ended is nobody's.
	addr := b.LocalAddr()
	fails(t, "Connect", s.Connect(background, addr), syscall.ECONNREFUSED)
}

func TestWaitsEnd(t *testing.T) {
	a, _ := pair(t)
	ok(t, a.SetReadDeadline(time.Now().Add(time.Millisecond)))
	_, err := a.Recv(make([]byte, 1), 0)
	fails(t, "Recv", err, os.ErrDeadlineExceeded)

	l := made(t, socket.INET, socket.STREAM)
	ok(t, l.Bind(anyPort))
	ok(t, l.Listen(1))
	ctx, cancel := context.WithCancel(background)
	go cancel()
	_, _, err = l.Accept(ctx)
	fails(t, "Accept", err, context.Canceled)

	ok(t, l.SetReadDeadline(time.Time{}))
	go l.Close()
	_, _, err = l.Accept(background)
	fails(t, "Accept", err, syscall.EBADF)
	fails(t, "Close", l.Close(), syscall.EBADF)
	fails(t, "Listen", l.Listen(1), syscall.EBADF)
}

func TestDatagrams(t *testing.T) {
	a, b := made(t, socket.INET, socket.DGRAM), made(t, socket.INET, socket.DGRAM)
	ok(t, b.Bind(anyPort))
	_, err := a.Send([]byte("x"), 0)
	fails(t, "Send", err, syscall.EDESTADDRREQ)
	_, err = a.SendTo([]byte("hello"), 0, b.LocalAddr())
	ok(t, err)
	buf := make([]byte, 3)
	m := socket.Message{Buffers: [][]byte{buf[:1], buf[1:]}}
	n, err := b.RecvMsg(&m, 0)
	ok(t, err)
	if string(buf[:n]) != "hel" || m.Flags != socket.MSG_TRUNC || m.Addr.Port() != a.LocalAddr().Port() {
		t.Errorf("received %q from %v, flags %#x", buf[:n], m.Addr, m.Flags)
	}
	fails(t, "Listen", b.Listen(1), syscall.EOPNOTSUPP)
	fails(t, "Bind", b.Bind(anyPort), syscall.EINVAL)
	taken := made(t, socket.INET, socket.DGRAM)
	fails(t, "Bind", taken.Bind(b.LocalAddr()), syscall.EADDRINUSE)
	ok(t, taken.Bind(anyPort))
}

func TestDatagramPeer(t *testing.T) {
	a, b := made(t, socket.INET, socket.DGRAM), made(t, socket.INET, socket.DGRAM)
	ok(t, b.Bind(anyPort))
	ok(t, a.Connect(background, b.LocalAddr()))
	peer, err := a.PeerAddr()
	ok(t, err)
	if peer != b.LocalAddr() {
		t.Errorf("peer %v", peer)
	}
	_, err = a.Send([]byte("x"), 0)
	ok(t, err)
	_, from, err := b.RecvFrom(make([]byte, 1), 0)
	ok(t, err)
	if from != a.LocalAddr() {
		t.Errorf("from %v, want %v", from, a.LocalAddr())
	}
	_, err = a.SendTo([]byte("x"), 0, anyPort)
	fails(t, "SendTo another", err, syscall.EISCONN)
	ok(t, a.Connect(background, netip.AddrPort{}))
	_, err = a.PeerAddr()
	fails(t, "PeerAddr", err, syscall.ENOTCONN)
}

func TestInet6SpeaksIPv4WithMappedAddresses(t *testing.T) {
	l := made(t, socket.INET6, socket.STREAM)
	ok(t, l.Listen(1))
	s := made(t, socket.INET, socket.STREAM)
	if err := s.Connect(background, netip.AddrPortFrom(anyPort.Addr(), l.LocalAddr().Port())); err != nil {
		t.Skipf("no dual-stack sockets here: %v", err)
	}
	c, caller, err := l.Accept(background)
	ok(t, err)
	defer c.Close()
	if !caller.Addr().Is4In6() || !c.LocalAddr().Addr().Is4In6() {
		t.Errorf("caller %v, local %v", caller, c.LocalAddr())
	}
}

func TestOptions(t *testing.T) {
	a, b := pair(t)
	for _, o := range []socket.Option[int]{
		socket.TCP_NODELAY, socket.SO_KEEPALIVE, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT,
	} {
		ok(t, socket.Set(a, o, 7))
		if v, err := socket.Get(a, o); v != 7 || err != nil {
			t.Errorf("%v: %d, %v", o.ID, v, err)
		}
	}
	ok(t, socket.Set(a, socket.SO_RCVBUF, 50_000))
	ok(t, socket.Set(a, socket.SO_SNDBUF, 50_000))
	for o, want := range map[socket.Option[int]]int{
		socket.SO_DOMAIN:     int(socket.INET),
		socket.SO_TYPE:       int(socket.STREAM),
		socket.SO_PROTOCOL:   int(socket.IPPROTO_TCP),
		socket.SO_ACCEPTCONN: 0,
		socket.SO_ERROR:      0,
	} {
		if v, err := socket.Get(a, o); v != want || err != nil {
			t.Errorf("%v: %d, %v", o.ID, v, err)
		}
	}
	fails(t, "unknown", socket.Set(a, socket.TCP_CORK, 1), syscall.ENOTSUP)
	fails(t, "another type", a.SetOption(socket.SO_LINGER.ID, 1), syscall.EINVAL)
	fails(t, "another type", a.SetOption(socket.TCP_NODELAY.ID, "1"), syscall.EINVAL)
	ok(t, socket.Set(a, socket.SO_LINGER, socket.Linger{On: true}))
	ok(t, a.Close())
	_, err := b.Recv(make([]byte, 1), 0)
	fails(t, "Recv after the peer's reset", err, syscall.ECONNRESET)
	fails(t, "SetOption", socket.Set(a, socket.TCP_NODELAY, 1), syscall.EBADF)
	if _, err := socket.Get(a, socket.TCP_NODELAY); err != syscall.EBADF {
		t.Errorf("Option: %v, want EBADF", err)
	}
}

func TestClosedSocket(t *testing.T) {
	for _, typ := range []socket.Type{socket.STREAM, socket.DGRAM} {
		s := made(t, socket.INET, typ)
		ok(t, s.Bind(anyPort))
		addr := s.LocalAddr()
		ok(t, s.Close())
		if s.LocalAddr() != addr {
			t.Errorf("LocalAddr %v, was %v", s.LocalAddr(), addr)
		}
		m := socket.Message{Buffers: [][]byte{{1}}}
		_, sendErr := s.SendMsg(&m, 0)
		_, recvErr := s.RecvMsg(&m, 0)
		_, _, fromErr := s.RecvFrom(m.Buffers[0], 0)
		_, toErr := s.SendTo(m.Buffers[0], 0, anyPort)
		_, peerErr := s.PeerAddr()
		for what, err := range map[string]error{
			"Bind":        s.Bind(anyPort),
			"Connect":     s.Connect(background, anyPort),
			"SendMsg":     sendErr,
			"RecvMsg":     recvErr,
			"RecvFrom":    fromErr,
			"SendTo":      toErr,
			"PeerAddr":    peerErr,
			"SetNonblock": s.SetNonblock(false),
			"SetDeadline": s.SetDeadline(time.Time{}),
			"Close":       s.Close(),
		} {
			fails(t, what, err, syscall.EBADF)
		}
	}
}

func TestConnectIsGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(background)
	cancel()
	for _, typ := range []socket.Type{socket.STREAM, socket.DGRAM} {
		fails(t, "Connect", made(t, socket.INET, typ).Connect(ctx, netip.MustParseAddrPort("127.0.0.1:9")), context.Canceled)
	}
	s := made(t, socket.INET, socket.STREAM)
	ok(t, s.SetWriteDeadline(time.Unix(1, 0)))
	fails(t, "Connect", s.Connect(background, netip.MustParseAddrPort("127.0.0.1:9")), os.ErrDeadlineExceeded)
}

func TestControlDataIsNotSupported(t *testing.T) {
	a, _ := pair(t)
	for _, s := range []socket.Socket{a, made(t, socket.INET, socket.DGRAM)} {
		_, err := s.SendMsg(&socket.Message{Control: socket.Control{Present: socket.ControlTTL}}, 0)
		fails(t, "SendMsg", err, syscall.ENOTSUP)
	}
	d := made(t, socket.INET, socket.DGRAM)
	fails(t, "Shutdown", d.Shutdown(socket.SHUT_RD), syscall.ENOTSUP)
	_, _, err := d.Accept(background)
	fails(t, "Accept", err, syscall.EOPNOTSUPP)
	_, err = d.Recv(make([]byte, 1), socket.MSG_PEEK)
	fails(t, "MSG_PEEK", err, syscall.ENOTSUP)
}

func TestPollIsNotSupported(t *testing.T) {
	_, err := p.Poll(background, nil, 0)
	fails(t, "Poll", err, syscall.ENOTSUP)
}
