package netconntest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/berth/netconn"
)

// face is package net, or package netconn over the network under test.
type face struct {
	listen       func(network, address string) (net.Listener, error)
	listenPacket func(network, address string) (net.PacketConn, error)
	dial         func(ctx context.Context, o dialOptions, network, address string) (net.Conn, error)
	host         string // the server's address
	other        string // an address of the other family
	suffix       string
	otherSuffix  string
}

type dialOptions struct {
	local    net.Addr
	timeout  time.Duration
	deadline time.Time
}

func (h *host) face() *face {
	lc := netconn.ListenConfig{Provider: h.Server}
	f := &face{
		host: h.addr.String(), suffix: h.suffix,
		listen: func(network, address string) (net.Listener, error) {
			return lc.Listen(context.Background(), network, address)
		},
		listenPacket: func(network, address string) (net.PacketConn, error) {
			return lc.ListenPacket(context.Background(), network, address)
		},
		dial: func(ctx context.Context, o dialOptions, network, address string) (net.Conn, error) {
			d := netconn.Dialer{Provider: h.Client, LocalAddr: o.local, Timeout: o.timeout, Deadline: o.deadline}
			return d.DialContext(ctx, network, address)
		},
	}
	f.setOther()
	return f
}

// standard is package net on the loopback, in the same family.
func (h *host) standard() *face {
	f := &face{
		host: "127.0.0.1", suffix: h.suffix,
		listen: net.Listen, listenPacket: net.ListenPacket,
		dial: func(ctx context.Context, o dialOptions, network, address string) (net.Conn, error) {
			d := net.Dialer{LocalAddr: o.local, Timeout: o.timeout, Deadline: o.deadline}
			return d.DialContext(ctx, network, address)
		},
	}
	if h.suffix == "6" {
		f.host = "::1"
	}
	f.setOther()
	return f
}

func (f *face) setOther() {
	f.other, f.otherSuffix = "2001:db8::1", "6"
	if f.suffix == "6" {
		f.other, f.otherSuffix = "192.0.2.1", "4"
	}
}

func (f *face) at(port string) string { return net.JoinHostPort(f.host, port) }

// testErrors makes each mistake on both faces and compares what they say.
func testErrors(t *testing.T, h *host) {
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			want, err := attempt(h.standard(), m.make)
			if err != nil {
				t.Skipf("package net cannot be asked: %v", err)
			}
			got, err := attempt(h.face(), m.make)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
	}
}

// attempt makes a mistake, and describes the error. What it needs for that and
// cannot get is returned as an error.
func attempt(f *face, mistake func(*stage) error) (description string, err error) {
	s := &stage{face: f}
	defer func() {
		for _, c := range s.closers {
			c.Close()
		}
		if p := recover(); p != nil {
			broken, ok := p.(stageError)
			if !ok {
				panic(p)
			}
			err = broken.error
		}
	}()
	return describe(mistake(s)), nil
}

// stage sets up what a mistake needs.
type stage struct {
	*face
	closers []io.Closer
}

type stageError struct{ error }

func (s *stage) must(err error) {
	if err != nil {
		panic(stageError{err})
	}
}

func (s *stage) listener() net.Listener {
	l, err := s.listen("tcp", s.at("0"))
	s.must(err)
	s.closers = append(s.closers, l)
	return l
}

func (s *stage) pair() (client, server net.Conn) {
	l := s.listener()
	client, err := s.dial(context.Background(), dialOptions{}, "tcp", l.Addr().String())
	s.must(err)
	server, err = l.Accept()
	s.must(err)
	s.closers = append(s.closers, client, server)
	return client, server
}

// closedPort is the address of a port where nobody listens.
func (s *stage) closedPort() string {
	l := s.listener()
	l.Close()
	return l.Addr().String()
}

// reset is a connection whose peer has reset it, and who has read that.
func (s *stage) reset() net.Conn {
	c, peer := s.pair()
	s.must(peer.(interface{ SetLinger(int) error }).SetLinger(0))
	s.must(peer.Close())
	_, err := c.Read(make([]byte, 1))
	if !errors.Is(err, syscall.ECONNRESET) {
		s.must(fmt.Errorf("not reset: %w", err))
	}
	return c
}

func (s *stage) closed() net.Conn {
	c, _ := s.pair()
	s.must(c.Close())
	return c
}

func (s *stage) packets() net.PacketConn {
	c, err := s.listenPacket("udp"+s.suffix, s.at("0"))
	s.must(err)
	s.closers = append(s.closers, c)
	return c
}

func (s *stage) connectedUDP(to string) net.Conn {
	c, err := s.dial(context.Background(), dialOptions{}, "udp", to)
	s.must(err)
	s.closers = append(s.closers, c)
	s.must(c.SetDeadline(time.Now().Add(10 * time.Second)))
	return c
}

// describe tells all of an error that programs look at, without the addresses.
func describe(err error) string {
	if err == nil || err == io.EOF {
		return fmt.Sprint(err)
	}
	var b strings.Builder
	var op *net.OpError
	for errors.As(err, &op) {
		fmt.Fprintf(&b, "OpError{%s %s source:%v addr:%v} ", op.Op, op.Net, op.Source != nil, op.Addr != nil)
		if op.Addr != nil {
			fmt.Fprintf(&b, "%T ", op.Addr)
		}
		fmt.Fprintf(&b, "timeout:%v temporary:%v: ", op.Timeout(), op.Temporary())
		err = op.Err
		op = nil
	}
	switch e := err.(type) {
	case *os.SyscallError:
		fmt.Fprintf(&b, "%s: %v", e.Syscall, e.Err)
	case *net.AddrError:
		fmt.Fprintf(&b, "AddrError: %s", e.Err)
	case *net.DNSError:
		fmt.Fprintf(&b, "DNSError: %s %v", e.Err, e.IsNotFound)
	default:
		fmt.Fprintf(&b, "%v", err)
	}
	for _, target := range []error{
		net.ErrClosed, net.ErrWriteToConnected, context.Canceled, context.DeadlineExceeded,
		syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE, syscall.EADDRINUSE, syscall.EADDRNOTAVAIL, syscall.EMSGSIZE,
	} {
		if errors.Is(err, target) {
			fmt.Fprintf(&b, " is %v", target)
		}
	}
	return b.String()
}
