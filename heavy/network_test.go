package heavy

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/link/wire"
	"example.com/berth/netconn"
)

// A network is two hosts that reach each other.
type network struct {
	client, server *berth.Host
	addr           netip.Addr     // the server's
	line           *impair.Device // the client's, if it is a bad one
	bulk           int            // bytes of a large transfer
}

var (
	server4 = netip.MustParseAddr("10.0.0.2")
	server6 = netip.MustParseAddr("fd00::2")
)

// badLine is what happens to packets, in each direction.
var badLine = impair.Config{Loss: 0.01, Delay: 10 * time.Millisecond}

// everywhere runs a test on every line, and on fake time. It may run in a bubble
// of synctest, and so must not have subtests.
func everywhere(t *testing.T, test func(*testing.T, *network)) {
	onEveryLine(t, test)
	t.Run("fake time", func(t *testing.T) { onFakeTime(t, test) })
}

// onEveryLine runs a test over good and bad lines.
func onEveryLine(t *testing.T, test func(*testing.T, *network)) {
	t.Run("wire/IPv4", func(t *testing.T) { test(t, onWire(t, server4)) })
	t.Run("wire/IPv6", func(t *testing.T) { test(t, onWire(t, server6)) })
	t.Run("bad line", func(t *testing.T) {
		n := onBadLine(t, berth.Config{}, server4)
		n.bulk = 1 << 20 // ten times that takes ten seconds and more
		test(t, n)
	})
}

// onFakeTime runs a test in a bubble of synctest, on a bad line.
//
// The send buffers take all that a test sends. The clock of a bubble stands while
// anybody waits for a mutex, and many programs hold one while they write: a Write
// that had to wait for an acknowledgement would wait for ever.
func onFakeTime(t *testing.T, test func(*testing.T, *network)) {
	var c berth.Config
	c.TCP.SendBuffer = berth.BufferSize{Min: 64 << 20, Default: 64 << 20, Max: 64 << 20}
	synctest.Test(t, func(t *testing.T) { test(t, onBadLine(t, c, server6)) })
}

// onWire is a network whose line is good.
func onWire(t *testing.T, server netip.Addr) *network {
	t.Helper()
	a, b := wire.Pair()
	return join(t, berth.Config{}, a, b, server)
}

// onBadLine is a network whose line loses and delays.
func onBadLine(t *testing.T, c berth.Config, server netip.Addr) *network {
	t.Helper()
	a, b := wire.Pair()
	out, in := badLine, badLine
	out.Seed, in.Seed = 1, 2
	line := impair.New(a, out)
	if err := line.SetInput(in); err != nil {
		t.Fatal(err)
	}
	n := join(t, c, line, b, server)
	n.line = line
	t.Cleanup(func() {
		if line.OutputStats().Lost == 0 && line.InputStats().Lost == 0 && !t.Failed() {
			t.Log("the line happened to lose nothing")
		}
	})
	return n
}

func join(t *testing.T, c berth.Config, a, b link.Device, server netip.Addr) *network {
	t.Helper()
	return &network{
		client: hostOn(t, c, a, "10.0.0.1/24", "fd00::1/64"),
		server: hostOn(t, c, b, "10.0.0.2/24", "fd00::2/64"),
		addr:   server,
		bulk:   10 << 20,
	}
}

// hostOn is a host attached to a device. It is closed when the test ends.
func hostOn(t *testing.T, c berth.Config, dev link.Device, prefixes ...string) *berth.Host {
	t.Helper()
	h := berth.NewHost(c)
	_, err := h.Attach(dev, prefixes...)
	check(t, err)
	t.Cleanup(func() { check(t, h.Close()) })
	return h
}

// breakLine makes a bad line one that loses everything.
func (n *network) breakLine(t *testing.T) {
	t.Helper()
	check(t, n.line.SetOutput(impair.Config{Loss: 1}))
	check(t, n.line.SetInput(impair.Config{Loss: 1}))
}

// listen listens on a port of the server's.
func (n *network) listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := netconn.Listen(n.server, "tcp", net.JoinHostPort(n.addr.String(), "0"))
	check(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// dial connects from the client; its shape is that of net.Dialer.DialContext.
func (n *network) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := netconn.Dialer{Provider: n.client}
	return d.DialContext(ctx, network, address)
}

// connect is dial for tests that want nothing but a TCP connection.
func (n *network) connect(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := n.dial(t.Context(), "tcp", l.Addr().String())
	check(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
