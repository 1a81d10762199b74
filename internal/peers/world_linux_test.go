package peers

import (
	"context"
	"net/netip"
	"os/exec"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/internal/testnet"
	"example.com/berth/link"
	"example.com/berth/link/tuntap"
	"example.com/berth/socket"
)

// A family is IPv4 or IPv6 with the addresses that the two ends have in it.
type family struct {
	name          string
	kernel, berth netip.Addr
	bits          int
}

var families = []family{
	{"IPv4", netip.MustParseAddr("10.77.0.1"), netip.MustParseAddr("10.77.0.2"), 24},
	{"IPv6", netip.MustParseAddr("fd77::1"), netip.MustParseAddr("fd77::2"), 64},
}

// onKernel and onBerth are addresses with the length of their prefix.
func (f family) onKernel() string { return netip.PrefixFrom(f.kernel, f.bits).String() }
func (f family) onBerth() string  { return netip.PrefixFrom(f.berth, f.bits).String() }

// A world is a kernel in a namespace of its own, a berth host, and the link
// between them.
type world struct {
	*testing.T
	kernel *testnet.NS
	berth  *berth.Host
	ctx    context.Context // ends before the test does
}

// patience is how long a test may take before what it waits for is called
// stalled.
const patience = 30 * time.Second

// tun returns a world whose link is a TUN, inside of wrap if that is not nil.
func tun(t *testing.T, wrap func(link.Device) link.Device, opts ...tuntap.Option) *world {
	t.Helper()
	ns := testnet.New(t)
	for _, f := range families {
		opts = append(opts, tuntap.HostAddr(f.onKernel()))
	}
	return join(t, ns, ns.TUN(opts...), wrap)
}

// join attaches a new host to a device.
func join(t *testing.T, ns *testnet.NS, dev link.Device, wrap func(link.Device) link.Device) *world {
	t.Helper()
	return joinWith(t, ns, dev, wrap, berth.Config{})
}

// joinWith is join with settings of the host.
func joinWith(t *testing.T, ns *testnet.NS, dev link.Device, wrap func(link.Device) link.Device, cfg berth.Config) *world {
	t.Helper()
	if wrap != nil {
		dev = wrap(dev)
	}
	var prefixes []string
	for _, f := range families {
		prefixes = append(prefixes, f.onBerth())
	}
	cfg.Name = "berth"
	h := berth.NewHost(cfg)
	if _, err := h.Attach(dev, prefixes...); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	w := &world{t, ns, h, ctx}
	stalled := time.AfterFunc(patience-time.Second, w.explain)
	t.Cleanup(func() {
		stalled.Stop()
		cancel()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// explain logs the sockets of both ends, while what stalls is still there.
func (w *world) explain() {
	for _, s := range w.berth.Sockets() {
		w.Logf("berth: %+v", s)
		if s.TCP != nil {
			w.Logf("       %+v", *s.TCP)
		}
	}
	if _, err := exec.LookPath("ss"); err == nil {
		out, err := w.kernel.Command(context.Background(), "ss", "-antiemo").CombinedOutput()
		w.Logf("kernel: %s%v", out, err)
	}
}

// each runs a test for either family, in the same world.
func (w *world) each(test func(w *world, f family)) {
	for _, f := range families {
		w.Run(f.name, func(t *testing.T) {
			inner := *w
			inner.T = t
			test(&inner, f)
		})
	}
}

// socket makes a socket of berth's of some kind: "tcp", "udp", "ping", or "raw"
// for ICMP. It is closed when the test ends, and its calls end before that.
func (w *world) socket(t *testing.T, f family, kind string) socket.Socket {
	t.Helper()
	domain, icmp := socket.INET, socket.IPPROTO_ICMP
	if f.berth.Is6() {
		domain, icmp = socket.INET6, socket.IPPROTO_ICMPV6
	}
	typ, protocol := socket.DGRAM, socket.Protocol(0)
	switch kind {
	case "tcp":
		typ = socket.STREAM
	case "ping":
		protocol = icmp
	case "raw":
		typ, protocol = socket.RAW, icmp
	}
	s, err := w.berth.Socket(domain, typ, protocol)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := w.limit(s); err != nil {
		t.Fatal(err)
	}
	return s
}

// limit ends a socket's calls before the test ends.
func (w *world) limit(s socket.Socket) error {
	deadline, _ := w.ctx.Deadline()
	return s.SetDeadline(deadline)
}
