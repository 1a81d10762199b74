package netconntest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/berth/netconn"
	"example.com/berth/socket"
)

// names is a Resolver of one name.
type names []netip.Addr

func (n names) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	if host != "server.test" {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return n, nil
}

func testDialer(t *testing.T, h *host) {
	t.Run("names", func(t *testing.T) {
		l := h.listen(t)
		d := netconn.Dialer{Provider: h.Client, Resolver: names{h.addr}}
		c, err := d.Dial("tcp", "server.test:"+port(l))
		check(t, err)
		check(t, c.Close())
		c, err = d.Dial("tcp"+h.suffix, "server.test:"+port(l))
		check(t, err)
		check(t, c.Close())
	})
	t.Run("local address", func(t *testing.T) { testLocalAddress(t, h) })
	t.Run("control", func(t *testing.T) {
		l := h.listen(t)
		refused := errors.New("refused")
		d := netconn.Dialer{Provider: h.Client, Control: func(_ context.Context, network, address string, s socket.Socket) error {
			if network != "tcp"+h.suffix || address != l.Addr().String() || s.LocalAddr().Port() != 0 {
				t.Errorf("called with %s %s", network, address)
			}
			return refused
		}}
		if _, err := d.Dial("tcp", l.Addr().String()); !errors.Is(err, refused) {
			t.Errorf("%v", err)
		}
		lc := netconn.ListenConfig{Provider: h.Server, Control: func(_ context.Context, network, _ string, _ socket.Socket) error {
			if network != "udp"+h.suffix {
				t.Errorf("called with %s", network)
			}
			return refused
		}}
		if _, err := lc.ListenPacket(context.Background(), "udp", h.any()); !errors.Is(err, refused) {
			t.Errorf("%v", err)
		}
	})
	t.Run("the next address if one refuses", func(t *testing.T) {
		l := h.listen(t)
		var tried []string
		d := netconn.Dialer{
			Provider: h.Client, FallbackDelay: -1, Timeout: time.Minute,
			Resolver: names{h.addr, h.addr, h.addr},
			Control: func(_ context.Context, network, _ string, _ socket.Socket) error {
				if tried = append(tried, network); len(tried) < 3 {
					return errors.New("refused")
				}
				return nil
			},
		}
		c, err := d.Dial("tcp", "server.test:"+port(l))
		check(t, err)
		check(t, c.Close())
		if len(tried) != 3 {
			t.Errorf("tried %v", tried)
		}
	})
	t.Run("the first error is told", func(t *testing.T) {
		n := 0
		d := netconn.Dialer{
			Provider: h.Client, Resolver: names{h.addr, h.addr},
			Control: func(context.Context, string, string, socket.Socket) error {
				n++
				return errors.New("refusal " + strconv.Itoa(n))
			},
		}
		if _, err := d.Dial("tcp", "server.test:80"); err == nil || !strings.HasSuffix(err.Error(), "refusal 1") {
			t.Errorf("%v", err)
		}
	})
	if h.Addr4.IsValid() && h.Addr6.IsValid() {
		testEyeballs(t, h)
	}
}

// testLocalAddress connects from a port that was free a moment ago. On a host
// with other programs one of them may have taken it; not ten times, though.
func testLocalAddress(t *testing.T, h *host) {
	l := h.listen(t)
	var err error
	for range 10 {
		var c net.Conn
		c, err = netconn.Dial(h.Client, "tcp", l.Addr().String())
		check(t, err)
		local := c.LocalAddr().(*net.TCPAddr)
		check(t, c.(*netconn.TCPConn).SetLinger(0)) // no TIME-WAIT
		check(t, c.Close())
		d := netconn.Dialer{Provider: h.Client, LocalAddr: local}
		c, err = d.Dial("tcp", l.Addr().String())
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		check(t, err)
		if c.LocalAddr().String() != local.String() {
			t.Errorf("local address %v, want %v", c.LocalAddr(), local)
		}
		check(t, c.Close())
		return
	}
	t.Error(err)
}

func port(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// testEyeballs has one family hang, fail, or both succeed.
func testEyeballs(t *testing.T, h *host) {
	l, err := netconn.Listen(h.Server, "tcp", ":0")
	check(t, err)
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	}()
	other := map[string]string{"tcp4": "tcp6", "tcp6": "tcp4"}
	var mu sync.Mutex
	// dial returns the family that won where each does what is said.
	dial := func(d netconn.Dialer, do func(ctx context.Context, network string) error) (won, first string, err error) {
		d.Provider, d.Resolver = h.Client, names{h.Addr4, h.Addr6}
		d.Control = func(ctx context.Context, network, _ string, _ socket.Socket) error {
			mu.Lock()
			if first == "" {
				first = network
			}
			mu.Unlock()
			return do(ctx, network)
		}
		c, err := d.Dial("tcp", "server.test:"+port(l))
		if err != nil {
			return "", first, err
		}
		defer c.Close()
		won = "tcp6"
		if c.RemoteAddr().(*net.TCPAddr).IP.To4() != nil {
			won = "tcp4"
		}
		mu.Lock()
		defer mu.Unlock()
		return won, first, nil
	}
	_, preferred, err := dial(netconn.Dialer{}, func(context.Context, string) error { return nil })
	check(t, err)
	t.Run("the first family hangs", func(t *testing.T) {
		won, _, err := dial(netconn.Dialer{FallbackDelay: 1}, func(ctx context.Context, network string) error {
			if network == preferred {
				<-ctx.Done()
			}
			return ctx.Err()
		})
		if err != nil || won != other[preferred] {
			t.Errorf("%s won, %v", won, err)
		}
	})
	t.Run("the first family fails", func(t *testing.T) {
		won, _, err := dial(netconn.Dialer{FallbackDelay: time.Hour}, func(_ context.Context, network string) error {
			if network == preferred {
				return errors.New("refused")
			}
			return nil
		})
		if err != nil || won != other[preferred] {
			t.Errorf("%s won, %v", won, err)
		}
	})
	t.Run("both fail", func(t *testing.T) {
		_, first, err := dial(netconn.Dialer{}, func(_ context.Context, network string) error { return errors.New(network) })
		if err == nil || !strings.HasSuffix(err.Error(), first) {
			t.Errorf("%v, want the error of %s", err, first)
		}
	})
	t.Run("the second is not waited for", func(t *testing.T) {
		won, _, err := dial(netconn.Dialer{FallbackDelay: 1}, func(ctx context.Context, network string) error {
			if network != preferred {
				<-ctx.Done()
			}
			return ctx.Err()
		})
		if err != nil || won != preferred {
			t.Errorf("%s won, %v", won, err)
		}
	})
}
