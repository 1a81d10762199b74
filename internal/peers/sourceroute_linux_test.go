package peers

import (
	"fmt"
	"net/netip"
	"testing"

	"example.com/berth"
	"example.com/berth/internal/testnet"
	"example.com/berth/kernel"
	"example.com/berth/link/tuntap"
	"example.com/berth/socket"
)

// A party is a provider with its address.
type party struct {
	p    socket.Provider
	addr netip.Addr
}

// inNamespace is the kernel's provider in a namespace that accepts source routes.
func (w *world) inNamespace(ns *testnet.NS) socket.Provider {
	w.Helper()
	ns.Sysctl("net.ipv4.conf.all.accept_source_route", "1")
	p, err := kernel.InNamespace(fmt.Sprintf("/proc/self/fd/%d", ns.FD()))
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// by is a source route of one hop, as IP_OPTIONS has it.
func by(kind byte, hop netip.Addr) string {
	a := hop.As4()
	return string([]byte{kind, 7, 4}) + string(a[:]) + "\x00"
}

// MUST-51, MUST-53: source routes of connections between berth and a kernel beyond a router, whoever
// opens them, and whichever of berth and the kernel is the router.
func TestSourceRoutesAsOnLinux(t *testing.T) {
	testnet.NeedTool(t, "ip")
	f, b := families[0], beyond["IPv4"]
	prefix := func(a netip.Addr) string { return netip.PrefixFrom(a, f.bits).String() }
	cfg := berth.Config{AcceptSourceRoute: true}

	t.Run("kernel routes", func(t *testing.T) {
		ns, far := testnet.New(t), testnet.New(t)
		ns.Sysctl("net.ipv4.conf.default.accept_source_route", "1")
		w := joinWith(t, ns, ns.TUN(tuntap.HostAddr(f.onKernel())), nil, cfg)
		ns.Veth("near0", far, "far0")
		ns.Addr("near0", prefix(b.router))
		far.Addr("far0", prefix(b.host))
		ns.Sysctl("net.ipv4.ip_forward", "1")
		w.defaultRoute(far, b.router)
		if err := w.berth.AddRoute(berth.Route{Dst: netip.PrefixFrom(b.host, f.bits).Masked(), Via: f.kernel}); err != nil {
			t.Fatal(err)
		}
		w.inNamespace(ns)
		own, there := party{w.berth, f.berth}, party{w.inNamespace(far), b.host}
		for _, kind := range []byte{0x83, 0x89} {
			w.sourceRouted(own, there, by(kind, f.kernel), by(kind, b.router))
			w.sourceRouted(there, own, by(kind, b.router), by(kind, f.kernel))
		}
	})

	t.Run("berth routes", func(t *testing.T) {
		ns, far := testnet.New(t), testnet.New(t)
		w := joinWith(t, ns, ns.TUN(tuntap.HostAddr(f.onKernel())), nil, cfg)
		if _, err := w.berth.Attach(far.TUN(tuntap.HostAddr(prefix(b.host))), prefix(b.router)); err != nil {
			t.Fatal(err)
		}
		if err := w.berth.SetForwarding(true); err != nil {
			t.Fatal(err)
		}
		w.defaultRoute(ns, f.berth)
		w.defaultRoute(far, b.router)
		near, there := party{w.inNamespace(ns), f.kernel}, party{w.inNamespace(far), b.host}
		for _, kind := range []byte{0x83, 0x89} {
			w.sourceRouted(near, there, by(kind, f.berth), by(kind, b.router))
		}
	})
}

// sourceRouted connects one end to the other by a source route, which comes to be
// that of the way back, and has both say something.
func (w *world) sourceRouted(from, to party, route, back string) {
	w.Helper()
	socketOf := func(p socket.Provider) socket.Socket {
		s, err := p.Socket(socket.INET, socket.STREAM, 0)
		if err != nil {
			w.Fatal(err)
		}
		w.Cleanup(func() { s.Close() })
		if err := w.limit(s); err != nil {
			w.Fatal(err)
		}
		return s
	}
	l, c := socketOf(to.p), socketOf(from.p)
	if err := l.Bind(netip.AddrPortFrom(to.addr, 0)); err != nil {
		w.Fatal(err)
	}
	if err := l.Listen(1); err != nil {
		w.Fatal(err)
	}
	if err := socket.Set(c, socket.IP_OPTIONS, route); err != nil {
		w.Fatal(err)
	}
	if err := c.Connect(w.ctx, l.LocalAddr()); err != nil {
		w.Fatal(err)
	}
	s, _, err := l.Accept(w.ctx)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { s.Close() })
	if err := w.limit(s); err != nil {
		w.Fatal(err)
	}
	if got, err := socket.Get(s, socket.IP_OPTIONS); got != back || err != nil {
		w.Errorf("the way back from %v is % x, %v, want % x", to.addr, got, err, back)
	}
	if got, err := socket.Get(c, socket.IP_OPTIONS); got != route || err != nil {
		w.Errorf("the way from %v is % x, %v, want % x", from.addr, got, err, route)
	}
	for _, way := range [][2]socket.Socket{{c, s}, {s, c}} {
		data := make([]byte, 50_000)
		if n, err := way[0].Send(data, 0); n != len(data) || err != nil {
			w.Fatal(n, err)
		}
		if n, err := way[1].Recv(data, socket.MSG_WAITALL); n != len(data) || err != nil {
			w.Fatal(n, err)
		}
	}
}
