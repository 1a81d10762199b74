package netconn_test

import (
	"net"
	"testing"

	"example.com/berth"
	"example.com/berth/link/wire"
	"example.com/berth/netconn"
)

// exchange makes a connection between two hosts, sends a request and an answer
// over it, and closes it, all on one goroutine: over a wire in memory nothing
// has to be waited for.
type exchange struct {
	dialer   netconn.Dialer
	listener net.Listener
	buf      [1]byte
}

func newExchange(tb testing.TB) *exchange {
	a, b := wire.Pair()
	client, server := berth.NewHost(berth.Config{}), berth.NewHost(berth.Config{})
	tb.Cleanup(func() { client.Close(); server.Close() })
	if _, err := client.Attach(a, "10.0.0.1/24"); err != nil {
		tb.Fatal(err)
	}
	if _, err := server.Attach(b, "10.0.0.2/24"); err != nil {
		tb.Fatal(err)
	}
	l, err := netconn.Listen(server, "tcp", ":80")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	return &exchange{dialer: netconn.Dialer{Provider: client}, listener: l}
}

// run makes the exchange. The server closes first, so that the client has no
// port that it must not use again.
func (x *exchange) run(tb testing.TB) {
	check := func(_ int, err error) {
		if err != nil {
			tb.Fatal(err)
		}
	}
	client, err := x.dialer.Dial("tcp", "10.0.0.2:80")
	check(0, err)
	server, err := x.listener.Accept()
	check(0, err)
	check(client.Write(x.buf[:]))
	check(server.Read(x.buf[:]))
	check(server.Write(x.buf[:]))
	check(client.Read(x.buf[:]))
	check(0, server.Close())
	check(0, client.Close())
}

// Connecting, a request, its answer and closing, both ends together.
func TestConnectAllocatesLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, too")
	}
	x := newExchange(t)
	const most = 5
	if n := testing.AllocsPerRun(1000, func() { x.run(t) }); n > most {
		t.Errorf("%v allocations, want at most %d", n, most)
	}
}

func BenchmarkConnect(b *testing.B) {
	x := newExchange(b)
	b.ReportAllocs()
	for b.Loop() {
		x.run(b)
	}
}
