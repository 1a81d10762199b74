package peers

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"example.com/berth/internal/testnet"
	"example.com/berth/socket"
)

// DEF-25: nmap's probes with flags that no connection begins with are answered as
// RFC 9293 3.10.7 says: a closed port resets, an open one says nothing, and none
// of them opens a connection.
//
// DEF-33, DEF-35: nmap finds initial sequence numbers too hard to predict, and no
// identifications to count.
func TestNmap(t *testing.T) {
	testnet.NeedTool(t, "nmap")
	w := tun(t, nil)
	l, err := w.berth.Socket(socket.INET, socket.STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	to := families[0].berth
	if err := l.Bind(netip.AddrPortFrom(to, 80)); err != nil {
		t.Fatal(err)
	}
	if err := l.Listen(16); err != nil {
		t.Fatal(err)
	}
	scan := func(t *testing.T, args ...string) string {
		t.Helper()
		args = append([]string{"-n", "-Pn", "-p", "80,81", "--max-retries", "2", "--host-timeout", "20s", "-v", "--reason"}, args...)
		out, err := w.kernel.Command(w.ctx, "nmap", append(args, to.String())...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return out
	}
	for _, tt := range []struct{ name, flag, open, closed string }{
		{"SYN", "-sS", "open syn-ack", "closed reset"},
		{"NULL", "-sN", "open|filtered no-response", "closed reset"},
		{"FIN", "-sF", "open|filtered no-response", "closed reset"},
		{"Xmas", "-sX", "open|filtered no-response", "closed reset"},
		{"FIN and ACK", "-sM", "closed reset", "closed reset"},
		{"ACK", "-sA", "unfiltered reset", "unfiltered reset"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := scan(t, tt.flag)
			for port, want := range map[int]string{80: tt.open, 81: tt.closed} {
				if got := stateOf(out, port); got != want {
					t.Errorf("port %d is %q, want %q:\n%s", port, got, want, out)
				}
			}
		})
	}
	for _, s := range w.berth.Sockets() {
		if s.State != socket.TCP_LISTEN && s.State != socket.TCP_SYN_RECV {
			t.Errorf("a socket is left: %+v", s)
		}
	}
	t.Run("what it tells of itself", func(t *testing.T) {
		out := scan(t, "-O", "--max-os-tries", "1")
		difficulty := 0
		if _, s, ok := strings.Cut(out, "TCP Sequence Prediction: Difficulty="); ok {
			fmt.Sscanf(s, "%d", &difficulty)
		}
		if difficulty < 200 {
			t.Errorf("sequence numbers are predicted with difficulty %d:\n%s", difficulty, out)
		}
		if !strings.Contains(out, "IP ID Sequence Generation: All zeros") {
			t.Errorf("identifications are counted:\n%s", out)
		}
	})
}

// stateOf is what nmap says of a TCP port, with its reason.
func stateOf(out string, port int) string {
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) >= 4 && f[0] == fmt.Sprintf("%d/tcp", port) {
			return f[1] + " " + f[3]
		}
	}
	return ""
}
