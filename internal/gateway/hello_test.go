package gateway_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"example.com/berth/internal/gateway"
	"example.com/berth/internal/policy"
)

// What the program says first goes on only when it has been judged; what the server
// says comes at once.
func TestInspection(t *testing.T) {
	heard := make(chan string, 4)
	at := serve(t, "tcp4", func(c net.Conn) {
		fmt.Fprint(c, "hello, who is there?")
		all, err := io.ReadAll(c)
		heard <- fmt.Sprintf("%s %t", all, errors.Is(err, syscall.ECONNRESET))
	})
	to := netip.AddrPortFrom(loop4, at.Port())
	judged := func(said *[]byte) gateway.Judge {
		return inspecting(func(b []byte) (bool, policy.Verdict) {
			*said = append(*said, b...)
			return len(*said) >= 8, policy.Verdict{Allow: bytes.HasPrefix(*said, []byte("good day")), Reason: "that is no name"}
		})
	}
	for _, tt := range []struct {
		name, says, heard string
		allow, prompt     bool
	}{
		{"allowed", "good day", "good day, and more false", true, false},
		{"denied", "bad dayy", " true", false, false},
		{"allowed promptly", "good day", "good day, and more false", true, true},
		{"denied promptly", "bad dayy", " true", false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var said []byte
			p := behind(t, gateway.Config{Judge: judged(&said), Prompt: tt.prompt})
			c := p.dial(t, "tcp", to)
			if _, err := io.ReadFull(c, make([]byte, len("hello, who is there?"))); err != nil {
				t.Fatal(err)
			}
			for _, part := range []string{tt.says[:3], tt.says[3:]} {
				c.Write([]byte(part))
			}
			if !tt.allow {
				if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("the program sees %v, want ECONNRESET", err)
				}
				if ev := p.events.wait(gateway.Denied); ev.Verdict.Reason != "that is no name" || ev.Sent != 0 {
					t.Errorf("%+v", ev)
				}
			} else {
				c.Write([]byte(", and more"))
				c.Close()
			}
			if got := <-heard; got != tt.heard {
				t.Errorf("the server heard %q, want %q", got, tt.heard)
			}
		})
	}
}

func TestInspectionOfDatagrams(t *testing.T) {
	for _, prompt := range []bool{false, true} {
		inspectDatagrams(t, prompt)
	}
}

func inspectDatagrams(t *testing.T, prompt bool) {
	at := serveUDP(t)
	var said []byte
	p := behind(t, gateway.Config{Prompt: prompt, Judge: inspecting(func(b []byte) (bool, policy.Verdict) {
		said = append(said, b...)
		return len(said) >= 4, policy.Verdict{Allow: said[0] == 'g', Reason: "bad"}
	})})
	to := netip.AddrPortFrom(loop4, at.Port())
	c := p.dial(t, "udp", to)
	b := make([]byte, 10)
	for _, s := range []string{"go", "on", "!"} {
		c.Write([]byte(s))
	}
	for _, s := range []string{"go", "on", "!"} {
		if n, err := c.Read(b); string(b[:n]) != s || err != nil {
			t.Errorf("%q, %v; want %q", b[:n], err, s)
		}
	}
	said = nil
	c = p.dial(t, "udp", to)
	c.Write([]byte("bad!"))
	if _, err := c.Read(b); !errors.Is(err, syscall.EHOSTUNREACH) {
		t.Errorf("%v, want EHOSTUNREACH", err)
	}
}
