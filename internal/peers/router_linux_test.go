package peers

import (
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"example.com/berth"
	"example.com/berth/internal/testnet"
	"example.com/berth/link/tuntap"
	"example.com/berth/socket"
)

// beyond are the addresses on the other side of the router: the router's, the
// far host's.
var beyond = map[string]struct{ router, host netip.Addr }{
	"IPv4": {netip.MustParseAddr("10.88.0.1"), netip.MustParseAddr("10.88.0.2")},
	"IPv6": {netip.MustParseAddr("fd88::1"), netip.MustParseAddr("fd88::2")},
}

// defaultRoute gives a namespace a default route by way of a gateway.
func (w *world) defaultRoute(ns *testnet.NS, via netip.Addr) {
	w.Helper()
	if out, err := ns.Command(w.ctx, "ip", "route", "add", "default", "via", via.String()).CombinedOutput(); err != nil {
		w.Fatalf("%v: %s", err, out)
	}
}

// TestKernelRoutes has the kernel as a router between berth and another
// namespace: berth does what traceroute does.
func TestKernelRoutes(t *testing.T) {
	testnet.NeedTool(t, "ip")
	w := tun(t, nil)
	far := testnet.New(t)
	w.kernel.Veth("near0", far, "far0")
	w.kernel.Sysctl("net.ipv4.ip_forward", "1")
	w.kernel.Sysctl("net.ipv6.conf.all.forwarding", "1")
	w.each(func(w *world, f family) {
		b := beyond[f.name]
		w.kernel.Addr("near0", netip.PrefixFrom(b.router, f.bits).String())
		far.Addr("far0", netip.PrefixFrom(b.host, f.bits).String())
		w.defaultRoute(far, b.router)
		if err := w.berth.AddRoute(berth.Route{Dst: netip.PrefixFrom(b.host, f.bits).Masked(), Via: f.kernel}); err != nil {
			w.Fatal(err)
		}
		for _, hop := range []struct {
			name     string
			ttl      int
			offender netip.Addr
			errno    syscall.Errno
		}{
			{"the router", 1, f.kernel, syscall.EHOSTUNREACH},
			{"the host", 2, b.host, syscall.ECONNREFUSED},
		} {
			w.Run(hop.name, func(t *testing.T) {
				s := w.socket(t, f, "udp")
				ttl := socket.IP_TTL
				if f.berth.Is6() {
					ttl = socket.IPV6_UNICAST_HOPS
				}
				if err := socket.Set(s, ttl, hop.ttl); err != nil {
					t.Fatal(err)
				}
				e := w.provoke(t, f, s, netip.AddrPortFrom(b.host, closedPort)).Control.Err
				if e.Offender != hop.offender || e.Errno != hop.errno {
					t.Errorf("%+v, want %v from %v", e, hop.errno, hop.offender)
				}
			})
		}
	})
}

// TestBerthRoutes has berth as a router between two namespaces. The far link has
// a smaller MTU than the near one: who sends must learn that from berth.
func TestBerthRoutes(t *testing.T) {
	for _, tool := range []string{"ip", "traceroute", "ping", "curl"} {
		testnet.NeedTool(t, tool)
	}
	w := tun(t, nil)
	far := testnet.New(t)
	var prefixes []string
	opts := []tuntap.Option{tuntap.MTU(1300)}
	for _, f := range families {
		b := beyond[f.name]
		prefixes = append(prefixes, netip.PrefixFrom(b.router, f.bits).String())
		opts = append(opts, tuntap.HostAddr(netip.PrefixFrom(b.host, f.bits).String()))
	}
	if _, err := w.berth.Attach(far.TUN(opts...), prefixes...); err != nil {
		t.Fatal(err)
	}
	if err := w.berth.SetForwarding(true); err != nil {
		t.Fatal(err)
	}
	w.each(func(w *world, f family) {
		b := beyond[f.name]
		w.defaultRoute(w.kernel, f.berth)
		w.defaultRoute(far, b.router)
		w.Run("traceroute", func(t *testing.T) {
			for from, want := range map[*testnet.NS][]string{
				w.kernel: {f.berth.String(), b.host.String()},
				far:      {b.router.String(), f.kernel.String()},
			} {
				if hops := w.traceroute(t, from, netip.MustParseAddr(want[1]), "default"); !slices.Equal(hops, want) {
					t.Errorf("the way: %q, want %q", hops, want)
				}
			}
		})
		w.Run("ping", func(t *testing.T) {
			// Longer than the far MTU. The first ones may be lost to that.
			out, err := w.kernel.Command(w.ctx, "ping", "-q", "-c5", "-i0.002", "-s4000", b.host.String()).CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
		w.Run("HTTP", func(t *testing.T) {
			there := *w
			there.kernel = far
			serve(t, there.kernelListen(t, netip.AddrPortFrom(b.host, 80)), little())
			w.curl(t, netip.AddrPortFrom(b.host, 80), little())
		})
	})
	if n := w.berth.Counters().IP.ForwardTooBig.Load(); n == 0 {
		t.Error("nothing was too big for the far link")
	}
}
