package gateway_test

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/internal/gateway"
	"example.com/berth/socket"
)

// ping sends an echo request from a host and returns what comes of it.
func ping(t testing.TB, h *berth.Host, to netip.Addr) error {
	t.Helper()
	return pingFor(h, to, time.Minute)
}

// pingFor is ping that waits for so long.
func pingFor(h *berth.Host, to netip.Addr, wait time.Duration) error {
	domain, proto, typ := socket.INET, socket.IPPROTO_ICMP, byte(8)
	if to.Is6() {
		domain, proto, typ = socket.INET6, socket.IPPROTO_ICMPV6, 128
	}
	s, err := h.Socket(domain, socket.DGRAM, proto)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Connect(context.Background(), netip.AddrPortFrom(to, 0)); err != nil {
		return err
	}
	if _, err := s.Send(append([]byte{typ, 0, 0, 0, 0, 0, 0, 1}, "are you there?"...), 0); err != nil {
		return err
	}
	b := make([]byte, 100)
	s.SetReadDeadline(time.Now().Add(wait))
	n, err := s.Recv(b, 0)
	if err == nil && !bytes.HasSuffix(b[:n], []byte("are you there?")) {
		return fmt.Errorf("another answer: %x", b[:n])
	}
	return err
}

func TestPings(t *testing.T) {
	for _, far := range []netip.Addr{loop4, loop6} {
		t.Run(far.String(), func(t *testing.T) {
			var to netip.Addr
			p := behind(t, gateway.Config{Ping: func(_ context.Context, a netip.Addr, data []byte) error {
				to = a
				if string(data) != "are you there?" {
					t.Errorf("asked %q", data)
				}
				return nil
			}})
			for range 3 {
				if err := ping(t, p.Host, far); err != nil {
					t.Error(err)
				}
			}
			if !to.IsLoopback() {
				t.Errorf("asked %v, want what the alias stands for", to)
			}
		})
	}
}

// The operating system's own ping, where this user may.
func TestPingsOfTheSystem(t *testing.T) {
	for _, far := range []netip.Addr{loop4, loop6} {
		t.Run(far.String(), func(t *testing.T) {
			p := behind(t, gateway.Config{})
			for range 3 {
				if err := ping(t, p.Host, far); err != nil {
					t.Skip(p.events.wait(gateway.Failed).Err)
				}
			}
		})
	}
}
