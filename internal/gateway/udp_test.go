package gateway_test

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"example.com/berth/internal/gateway"
	"example.com/berth/internal/policy"
)

func serveUDP(t testing.TB) netip.AddrPort {
	t.Helper()
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	go func() {
		b := make([]byte, 64<<10)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			pc.WriteTo(b[:n], from)
		}
	}()
	return pc.LocalAddr().(*net.UDPAddr).AddrPort()
}

func TestDatagramsReachTheWorld(t *testing.T) {
	at := serveUDP(t)
	p := behind(t, gateway.Config{})
	c := p.dial(t, "udp", netip.AddrPortFrom(loop4, at.Port()))
	b := make([]byte, 64<<10)
	for _, size := range []int{1, 0, 1000, 9000, 60000} {
		out := bytes.Repeat([]byte{byte(size)}, size)
		if _, err := c.Write(out); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(b); err != nil || !bytes.Equal(b[:n], out) {
			t.Errorf("%d of %d bytes: %v", n, size, err)
		}
	}
	if ev := p.events.wait(gateway.Begun); ev.Flow.Proto != policy.UDP {
		t.Errorf("%+v", ev)
	}
}

// Datagrams that come at once go on together, where they are of one length; each
// arrives as it was, also those that were there before the flow began.
func TestDatagramsAtOnce(t *testing.T) {
	at := serveUDP(t)
	p := behind(t, gateway.Config{})
	c := p.dial(t, "udp", netip.AddrPortFrom(loop4, at.Port()))
	b := make([]byte, 64<<10)
	for _, sizes := range [][]int{
		{1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400, 1400},
		{100, 100, 100, 50, 100, 0, 0, 100, 200, 200, 9000, 9000, 1, 1, 1},
	} {
		for i, size := range sizes {
			if _, err := c.Write(bytes.Repeat([]byte{byte(i)}, size)); err != nil {
				t.Fatal(err)
			}
		}
		for i, size := range sizes {
			n, err := c.Read(b)
			if want := bytes.Repeat([]byte{byte(i)}, size); err != nil || !bytes.Equal(b[:n], want) {
				t.Fatalf("datagram %d: %d bytes of %d, %v", i, n, size, err)
			}
		}
	}
}

// Nobody listens outside: the program is told by ICMP, as it would be.
func TestPortUnreachableComesBack(t *testing.T) {
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := pc.LocalAddr().(*net.UDPAddr).AddrPort()
	pc.Close()
	p := behind(t, gateway.Config{})
	c := p.dial(t, "udp", netip.AddrPortFrom(loop4, at.Port()))
	c.Write([]byte("anybody?"))
	if _, err := c.Read(make([]byte, 10)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v, want ECONNREFUSED", err)
	}
}
