package netconntest

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"example.com/berth/netconn"
	"example.com/berth/socket"
)

func testDatagram(t *testing.T, h *host) {
	c, s := h.datagrams(t)
	from := c.LocalAddr().(*net.UDPAddr)
	b := make([]byte, 100)
	writes := []struct {
		name  string
		write func([]byte) (int, error)
	}{
		{"Write", c.Write},
		{"WriteMsg", func(b []byte) (int, error) {
			return c.WriteMsg(&socket.Message{Buffers: [][]byte{b[:1], b[1:]}}, 0)
		}},
		{"WriteMsgUDPAddrPort", func(b []byte) (int, error) {
			return c.WriteMsgUDPAddrPort(b, nil, netip.AddrPort{})
		}},
	}
	reads := []struct {
		name string
		read func() (int, string, error)
	}{
		{"ReadFrom", func() (int, string, error) { n, a, err := s.ReadFrom(b); return n, a.String(), err }},
		{"ReadFromUDP", func() (int, string, error) { n, a, err := s.ReadFromUDP(b); return n, a.String(), err }},
		{"ReadFromUDPAddrPort", func() (int, string, error) {
			n, a, err := s.ReadFromUDPAddrPort(b)
			return n, a.String(), err
		}},
		{"ReadMsg", func() (int, string, error) {
			m := socket.Message{Buffers: [][]byte{b[:2], b[2:]}}
			n, err := s.ReadMsg(&m, 0)
			return n, m.Addr.String(), err
		}},
		{"ReadMsgUDPAddrPort", func() (int, string, error) {
			n, _, a, err := s.ReadMsgUDPAddrPort(b, nil)
			return n, a.String(), err
		}},
	}
	for _, w := range writes {
		for _, r := range reads {
			n, err := w.write([]byte("to the server"))
			check(t, err)
			if n != 13 {
				t.Errorf("%s: %d bytes", w.name, n)
			}
			n, a, err := r.read()
			if err != nil || string(b[:n]) != "to the server" || a != from.String() {
				t.Errorf("%s, %s: %q from %s, %v; want it from %v", w.name, r.name, b[:n], a, err, from)
			}
		}
	}
	for name, write := range map[string]func([]byte) (int, error){
		"WriteTo":    func(b []byte) (int, error) { return s.WriteTo(b, from) },
		"WriteToUDP": func(b []byte) (int, error) { return s.WriteToUDP(b, from) },
		"WriteToUDPAddrPort": func(b []byte) (int, error) {
			return s.WriteToUDPAddrPort(b, from.AddrPort())
		},
		"WriteMsg": func(b []byte) (int, error) {
			return s.WriteMsg(&socket.Message{Buffers: [][]byte{b}, Addr: from.AddrPort()}, 0)
		},
	} {
		_, err := write([]byte("to the client"))
		check(t, err)
		n, err := c.Read(b)
		if err != nil || string(b[:n]) != "to the client" {
			t.Errorf("%s: %q, %v", name, b[:n], err)
		}
	}
	t.Run("control", func(t *testing.T) { testControl(t, h) })
	t.Run("edges", func(t *testing.T) { testDatagramEdges(t, h) })
}

// testControl sends with one hop limit and reads it at the other end.
func testControl(t *testing.T, h *host) {
	c, s := h.datagrams(t)
	option := socket.IP_RECVTTL
	if h.addr.Is6() {
		option = socket.IPV6_RECVHOPLIMIT
	}
	check(t, socket.Set(s.Socket(), option, 1))
	_, err := c.WriteMsgUDPAddrPort([]byte("x"), &socket.Control{Present: socket.ControlTTL, TTL: 77}, netip.AddrPort{})
	check(t, err)
	var got socket.Control
	_, flags, _, err := s.ReadMsgUDPAddrPort(make([]byte, 0), &got)
	check(t, err)
	if !got.Has(socket.ControlTTL) || got.TTL != 77 || flags&socket.MSG_TRUNC == 0 {
		t.Errorf("control %+v, flags %#x", got, flags)
	}
}

func testDatagramEdges(t *testing.T, h *host) {
	c, s := h.datagrams(t)
	b := make([]byte, 4)
	_, err := c.Write(nil)
	check(t, err)
	if n, from, err := s.ReadFrom(b); n != 0 || err != nil || from == nil {
		t.Errorf("an empty datagram: %d bytes from %v, %v", n, from, err)
	}
	_, err = c.Write(bytes.Repeat([]byte("x"), 10))
	check(t, err)
	if n, _, err := s.ReadFrom(b); n != 4 || err != nil {
		t.Errorf("a datagram that is too long: %d bytes, %v", n, err)
	}
	check(t, s.SetReadDeadline(time.Now().Add(-time.Second)))
	if n, from, err := s.ReadFrom(b); n != 0 || from != nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the deadline: %d bytes from %v, %v", n, from, err)
	}
	check(t, s.SetDeadline(time.Time{}))
	check(t, s.SetWriteDeadline(time.Time{}))
	check(t, s.SetReadBuffer(1<<16))
	if c.RemoteAddr().String() != s.LocalAddr().String() || s.RemoteAddr() != nil {
		t.Errorf("remote addresses %v and %v", c.RemoteAddr(), s.RemoteAddr())
	}
	again, err := netconn.ListenUDP(h.Server, "udp", s.LocalAddr().(*net.UDPAddr))
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a second server: %v, %v", again, err)
	}
}

// testBothFamilies listens on no address in particular.
func testBothFamilies(t *testing.T, n Network) {
	t.Run("stream", func(t *testing.T) {
		l, err := netconn.Listen(n.Server, "tcp", ":0")
		check(t, err)
		defer l.Close()
		_, port, err := net.SplitHostPort(l.Addr().String())
		check(t, err)
		for _, a := range []netip.Addr{n.Addr4, n.Addr6} {
			c, err := netconn.Dial(n.Client, "tcp", net.JoinHostPort(a.String(), port))
			check(t, err)
			s, err := l.Accept()
			check(t, err)
			if c.RemoteAddr().String() != s.LocalAddr().String() || c.LocalAddr().String() != s.RemoteAddr().String() {
				t.Errorf("%v -> %v, but %v -> %v", c.LocalAddr(), c.RemoteAddr(), s.LocalAddr(), s.RemoteAddr())
			}
			c.Close()
			s.Close()
		}
	})
	t.Run("datagram", func(t *testing.T) {
		s, err := netconn.ListenUDP(n.Server, "udp", nil)
		check(t, err)
		defer s.Close()
		port := s.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		for _, a := range []netip.Addr{n.Addr4, n.Addr6} {
			c, err := netconn.Dial(n.Client, "udp", netip.AddrPortFrom(a, port).String())
			check(t, err)
			defer c.Close()
			_, err = c.Write([]byte("x"))
			check(t, err)
			b := make([]byte, 9)
			_, from, err := s.ReadFromUDPAddrPort(b)
			check(t, err)
			_, err = s.WriteToUDPAddrPort([]byte("answer"), netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
			check(t, err)
			if n, err := c.Read(b); err != nil || string(b[:n]) != "answer" {
				t.Errorf("%v: %q, %v", a, b[:n], err)
			}
		}
	})
	t.Run("one port for both only if free in both", func(t *testing.T) {
		l, err := netconn.ListenTCP(n.Server, "tcp6", nil)
		check(t, err)
		defer l.Close()
		at := l.Addr().(*net.TCPAddr)
		four, err := netconn.ListenTCP(n.Server, "tcp4", &net.TCPAddr{Port: at.Port})
		check(t, err) // tcp6 leaves IPv4 alone
		defer four.Close()
		if _, err := netconn.ListenTCP(n.Server, "tcp", &net.TCPAddr{Port: at.Port}); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("tcp beside tcp4 and tcp6: %v", err)
		}
	})
}
