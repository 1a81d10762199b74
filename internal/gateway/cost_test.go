package gateway_test

import (
	"io"
	"net"
	"net/netip"
	"testing"

	"example.com/berth/internal/gateway"
	"example.com/berth/link/linktest"
)

// An exchange is what a flow does all the time: so many bytes go out to a server, and
// come back.
type exchange struct {
	name    string
	network string
	size    int
}

var exchanges = []exchange{
	{"a byte", "tcp", 1},
	{"64 KiB", "tcp", 64 << 10},
	{"a datagram", "udp", 1000},
}

// begin opens a flow, and returns what does one exchange on it.
func (x exchange) begin(t testing.TB) (do func()) {
	var at netip.AddrPort
	if x.network == "udp" {
		at = frugalUDP(t)
	} else {
		at = serve(t, "tcp4", frugal)
	}
	c := behind(t, gateway.Config{}).dial(t, x.network, netip.AddrPortFrom(loop4, at.Port()))
	out, in := make([]byte, x.size), make([]byte, x.size)
	return func() {
		if _, err := c.Write(out); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, in); err != nil {
			t.Fatal(err)
		}
	}
}

// frugal is echoBack without allocations.
func frugal(c net.Conn) {
	b := make([]byte, 64<<10)
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		if _, err := c.Write(b[:n]); err != nil {
			return
		}
	}
}

// frugalUDP is serveUDP without allocations.
func frugalUDP(t testing.TB) netip.AddrPort {
	t.Helper()
	pc, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	go func() {
		b := make([]byte, 2000)
		for {
			n, from, err := pc.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			pc.WriteToUDPAddrPort(b[:n], from)
		}
	}()
	return pc.LocalAddr().(*net.UDPAddr).AddrPort()
}

// A flow that lasts allocates nothing, neither in the gateway nor in the program's host.
func TestAFlowAllocatesNothing(t *testing.T) {
	for _, x := range exchanges {
		t.Run(x.name, func(t *testing.T) {
			do := x.begin(t)
			for range 200 { // templates, pools and windows come to rest
				do()
			}
			linktest.NoAllocs(t, do)
		})
	}
}

func BenchmarkFlow(b *testing.B) {
	for _, x := range exchanges {
		b.Run(x.name, func(b *testing.B) {
			do := x.begin(b)
			b.SetBytes(int64(x.size))
			b.ReportAllocs()
			for b.Loop() {
				do()
			}
		})
	}
}
