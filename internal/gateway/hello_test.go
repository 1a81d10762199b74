package gateway_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
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

// As long as the verdict says so, what follows is judged, too; then nothing is.
func TestInspectionGoesOn(t *testing.T) {
	heard := make(chan string, 4)
	at := serve(t, "tcp4", func(c net.Conn) {
		var all []byte
		for b := make([]byte, 100); ; {
			n, err := c.Read(b)
			if all = append(all, b[:n]...); err != nil {
				heard <- string(all)
				return
			}
			fmt.Fprint(c, "got it")
		}
	})
	to := netip.AddrPortFrom(loop4, at.Port())
	for _, tt := range []struct{ says, heard string }{
		{"good good good end bad", "goodgoodgoodendbad"},
		{"good go od bad good", "goodgood"},
		{"bad", ""},
	} {
		var said []byte
		p := behind(t, gateway.Config{Judge: inspecting(func(b []byte) (bool, policy.Verdict) {
			said = append(said, b...)
			if string(said) == "go" {
				return false, policy.Verdict{}
			}
			v := policy.Verdict{Allow: string(said) != "bad", Inspect: string(said) == "good"}
			said = nil
			return true, v
		})})
		c := p.dial(t, "tcp", to)
		for _, one := range strings.Fields(tt.says) {
			c.Write([]byte(one))
			if one == "go" {
				continue // which is held back, and so not answered
			}
			if _, err := io.ReadFull(c, make([]byte, 6)); err != nil {
				break
			}
		}
		c.Close()
		if got := <-heard; got != tt.heard {
			t.Errorf("of %q the server heard %q, want %q", tt.says, got, tt.heard)
		}
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
