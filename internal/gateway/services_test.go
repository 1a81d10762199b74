package gateway_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"example.com/berth/internal/gateway"
	"example.com/berth/netconn"
)

// The gateway answers DNS at its own addresses, over UDP and TCP.
func TestDNS(t *testing.T) {
	p := behind(t, gateway.Config{DNS: func(_ context.Context, from netip.AddrPort, q []byte, stream bool) []byte {
		if string(q) == "silence" {
			return nil
		}
		return fmt.Appendf(nil, "%s from %v, %t", q, from.Addr(), stream)
	}})
	for _, tt := range []struct {
		gate, prog string
		at         netip.Addr
	}{{"10.0.2.2", "10.0.2.100", gate4.Addr()}, {"fd00:2::2", "fd00:2::100", gate6.Addr()}} {
		at := netip.AddrPortFrom(tt.at, 53)
		b := make([]byte, 200)
		u := p.dial(t, "udp", at)
		u.Write([]byte("silence"))
		u.Write([]byte("question"))
		if n, err := u.Read(b); string(b[:n]) != "question from "+tt.prog+", false" {
			t.Errorf("%q, %v", b[:n], err)
		}
		c := p.dial(t, "tcp", at)
		for range 2 {
			c.Write(append(binary.BigEndian.AppendUint16(nil, 8), "question"...))
			want := "question from " + tt.prog + ", true"
			n, err := io.ReadFull(c, b[:2+len(want)])
			if string(b[2:n]) != want || int(binary.BigEndian.Uint16(b)) != len(want) {
				t.Errorf("%q, %v", b[:n], err)
			}
		}
	}
	if _, err := p.tryDial("tcp", netip.AddrPortFrom(gate4.Addr(), 54)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("another port: %v, want ECONNREFUSED", err)
	}
}

// Ports inside can be reached from outside where they are published.
func TestPublish(t *testing.T) {
	p := behind(t, gateway.Config{})
	inside := netip.MustParseAddrPort("10.0.2.100:8080")
	ln, err := netconn.Listen(p.Host, "tcp", inside.String())
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				echoBack(c)
			}()
		}
	}()
	pc, err := netconn.ListenPacket(p.Host, "udp", inside.String())
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		b := make([]byte, 2000)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			pc.WriteTo(b[:n], from)
		}
	}()
	for _, network := range []string{"tcp", "udp"} {
		at, err := p.g.Publish(network, "127.0.0.1:0", inside)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			c, err := net.Dial(network, at.String())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(c, "are you in?")
			b := make([]byte, 11)
			if _, err := io.ReadFull(c, b); string(b) != "are you in?" {
				t.Errorf("%s: %q, %v", network, b, err)
			}
			c.Close()
		}
	}
	if ev := p.events.wait(gateway.Begun); !ev.Inwards || ev.Flow.Dst != inside {
		t.Errorf("%+v", ev)
	}
	at, err := p.g.Publish("tcp", "127.0.0.1:0", netip.MustParseAddrPort("10.0.2.100:9"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", at.String())
	if err == nil {
		defer c.Close()
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("nobody listens inside: %v, want ECONNRESET", err)
	}
	if _, err := p.g.Publish("sctp", ":0", inside); err == nil {
		t.Error("sctp was published")
	}
}
