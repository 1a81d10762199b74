package netconntest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"example.com/berth/netconn"
	"example.com/berth/socket"
	"golang.org/x/net/nettest"
)

func testNettest(t *testing.T, h *host) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		l, err := netconn.Listen(h.Server, "tcp", h.any())
		if err != nil {
			return nil, nil, nil, err
		}
		defer l.Close()
		if c1, err = netconn.Dial(h.Client, "tcp", l.Addr().String()); err != nil {
			return nil, nil, nil, err
		}
		if c2, err = l.Accept(); err != nil {
			c1.Close()
			return nil, nil, nil, err
		}
		return c1, c2, func() { c1.Close(); c2.Close() }, nil
	})
}

func testStream(t *testing.T, h *host) {
	t.Run("addresses", func(t *testing.T) {
		c, s := h.pair(t)
		if c.LocalAddr().String() != s.RemoteAddr().String() || c.RemoteAddr().String() != s.LocalAddr().String() {
			t.Errorf("%v -> %v, but %v -> %v", c.LocalAddr(), c.RemoteAddr(), s.LocalAddr(), s.RemoteAddr())
		}
		if _, ok := c.RemoteAddr().(*net.TCPAddr); !ok || c.RemoteAddr().Network() != "tcp" {
			t.Errorf("the remote address is a %T", c.RemoteAddr())
		}
		local, remote := c.LocalAddr().String(), c.RemoteAddr().String()
		check(t, c.Close())
		if c.LocalAddr().String() != local || c.RemoteAddr().String() != remote {
			t.Error("the addresses are gone after Close")
		}
	})
	t.Run("half close", func(t *testing.T) {
		c, s := h.pair(t)
		_, err := c.Write([]byte("question"))
		check(t, err)
		check(t, c.CloseWrite())
		if _, err := c.Write([]byte("more")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("Write after CloseWrite: %v", err)
		}
		got, err := io.ReadAll(s)
		check(t, err)
		_, err = s.Write(append(got, "answered"...))
		check(t, err)
		check(t, s.Close())
		if got, err := io.ReadAll(c); err != nil || string(got) != "questionanswered" {
			t.Errorf("%q, %v", got, err)
		}
		if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("at the end: %d, %v, want io.EOF itself", n, err)
		}
	})
	t.Run("close read", func(t *testing.T) {
		c, _ := h.pair(t)
		check(t, c.CloseRead())
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("Read: %v", err)
		}
	})
	t.Run("reset", func(t *testing.T) {
		c, s := h.pair(t)
		remote := c.RemoteAddr().String()
		check(t, s.SetLinger(0))
		check(t, s.Close())
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("Read: %v", err)
		}
		if c.RemoteAddr().String() != remote {
			t.Error("the remote address is gone after a reset")
		}
	})
	t.Run("copies", func(t *testing.T) { testCopies(t, h) })
	t.Run("options", func(t *testing.T) { testStreamOptions(t, h) })
	t.Run("listener", func(t *testing.T) { testListener(t, h) })
	t.Run("adopted socket", func(t *testing.T) {
		c, s := h.pair(t)
		again := netconn.NewTCPConn(c.Socket())
		if again.LocalAddr().String() != s.RemoteAddr().String() || again.RemoteAddr().String() != s.LocalAddr().String() {
			t.Errorf("%v -> %v", again.LocalAddr(), again.RemoteAddr())
		}
	})
}

// testCopies sends more than any buffer holds through ReadFrom and WriteTo.
func testCopies(t *testing.T, h *host) {
	c, s := h.pair(t)
	data := make([]byte, 8<<20)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	sent := make(chan error, 1)
	go func() {
		n, err := c.ReadFrom(bytes.NewReader(data))
		if err == nil && n != int64(len(data)) {
			err = io.ErrShortWrite
		}
		sent <- errors.Join(err, c.CloseWrite())
	}()
	var got bytes.Buffer
	n, err := s.WriteTo(&got)
	check(t, err)
	check(t, <-sent)
	if n != int64(len(data)) || !bytes.Equal(got.Bytes(), data) {
		t.Errorf("%d of %d bytes, or others", n, len(data))
	}
	check(t, s.Close())
	if _, err := s.ReadFrom(bytes.NewReader(data)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("ReadFrom after Close: %v", err)
	}
	if _, err := s.WriteTo(&got); !errors.Is(err, net.ErrClosed) {
		t.Errorf("WriteTo after Close: %v", err)
	}
}

func testStreamOptions(t *testing.T, h *host) {
	c, s := h.pair(t)
	for _, end := range []*netconn.TCPConn{c, s} {
		if got, err := socket.Get(end.Socket(), socket.TCP_NODELAY); err != nil || got == 0 {
			t.Errorf("TCP_NODELAY %d, %v: it is the default", got, err)
		}
		if got, err := socket.Get(end.Socket(), socket.TCP_KEEPIDLE); err != nil || got != 15 {
			t.Errorf("TCP_KEEPIDLE %d, %v: 15 seconds are the default", got, err)
		}
	}
	check(t, c.SetNoDelay(false))
	check(t, c.SetKeepAlive(true))
	check(t, c.SetKeepAlivePeriod(1500*time.Millisecond))
	check(t, c.SetReadBuffer(100<<10))
	check(t, c.SetWriteBuffer(100<<10))
	check(t, c.SetLinger(-1))
	for _, tt := range []struct {
		name   string
		option socket.Option[int]
		want   int
	}{
		{"TCP_NODELAY", socket.TCP_NODELAY, 0},
		{"SO_KEEPALIVE", socket.SO_KEEPALIVE, 1},
		{"TCP_KEEPIDLE", socket.TCP_KEEPIDLE, 2},
		{"SO_RCVBUF", socket.SO_RCVBUF, 200 << 10},
		{"SO_SNDBUF", socket.SO_SNDBUF, 200 << 10},
	} {
		if got, err := socket.Get(c.Socket(), tt.option); err != nil || got != tt.want {
			t.Errorf("%s is %d, %v; want %d", tt.name, got, err, tt.want)
		}
	}
	check(t, c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 7 * time.Second, Interval: -1}))
	idle, _ := socket.Get(c.Socket(), socket.TCP_KEEPIDLE)
	count, _ := socket.Get(c.Socket(), socket.TCP_KEEPCNT)
	if idle != 7 || count != 9 {
		t.Errorf("TCP_KEEPIDLE %d, TCP_KEEPCNT %d; want 7 and 9", idle, count)
	}
	if mp, err := c.MultipathTCP(); mp || err != nil {
		t.Errorf("MultipathTCP %v, %v", mp, err)
	}
}

func testListener(t *testing.T, h *host) {
	l := h.listen(t)
	if a, ok := l.Addr().(*net.TCPAddr); !ok || a.Port == 0 || !a.IP.Equal(h.addr.AsSlice()) {
		t.Errorf("address %v", l.Addr())
	}
	check(t, l.SetDeadline(time.Now().Add(-time.Second)))
	if _, err := l.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Accept after the deadline: %v", err)
	}
	check(t, l.SetDeadline(time.Time{}))
	accepted := make(chan error)
	go func() {
		_, err := l.Accept()
		accepted <- err
	}()
	c, err := netconn.Dial(h.Client, "tcp", l.Addr().String())
	check(t, err)
	defer c.Close()
	check(t, <-accepted)
	go func() {
		_, err := l.Accept()
		accepted <- err
	}()
	check(t, l.Close())
	if err := <-accepted; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept while closing: %v", err)
	}
	again, err := netconn.Listen(h.Server, "tcp"+h.suffix, l.Addr().String())
	check(t, err) // SO_REUSEADDR is the default
	check(t, again.Close())
}
