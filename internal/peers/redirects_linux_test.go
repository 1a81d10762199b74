package peers

import (
	"net/netip"
	"strings"
	"testing"

	"example.com/berth"
	"example.com/berth/internal/testnet"
)

// HOST-4: the kernel believes the redirects that berth sends as its router, and sends to the
// better first hop from then on.
func TestTheKernelFollowsBerthsRedirects(t *testing.T) {
	testnet.NeedTool(t, "ip")
	testnet.NeedTool(t, "ping")
	w := veth(t)
	if err := w.berth.SetForwarding(true); err != nil {
		t.Fatal(err)
	}
	ifc := w.berth.Interfaces()[1]
	gateways := map[string]netip.Addr{"IPv4": families[0].berth}
	for _, a := range ifc.Addrs() {
		if a.Prefix.Addr().Is6() && a.Prefix.Addr().IsLinkLocalUnicast() {
			gateways["IPv6"] = a.Prefix.Addr().WithZone("") // by which hosts know a router
		}
	}
	far := map[string]netip.Addr{"IPv4": netip.MustParseAddr("203.0.113.5"), "IPv6": netip.MustParseAddr("2001:db8::5")}
	better := map[string]netip.Addr{"IPv4": netip.MustParseAddr("10.77.0.9"), "IPv6": netip.MustParseAddr("fe80::9")}
	w.each(func(w *world, f family) {
		ip := func(args ...string) string {
			w.Helper()
			out, err := w.kernel.Command(w.ctx, "ip", args...).CombinedOutput()
			if err != nil {
				w.Fatalf("ip %v: %v: %s", args, err, out)
			}
			return out
		}
		to := far[f.name]
		via := better[f.name]
		if via.Is6() {
			via = via.WithZone(ifc.Name())
		}
		if err := w.berth.AddRoute(berth.Route{Dst: netip.PrefixFrom(to, to.BitLen()), Via: via}); err != nil {
			w.Fatal(err)
		}
		ip("route", "add", netip.PrefixFrom(to, to.BitLen()-8).Masked().String(), "via", gateways[f.name].String(), "dev", "near0")
		// The kernel believes in a gateway that it has an Ethernet address of.
		ip("neighbor", "add", better[f.name].String(), "lladdr", "02:00:00:00:00:09", "dev", "near0", "nud", "permanent")
		if before := ip("route", "get", to.String()); !strings.Contains(before, "via "+gateways[f.name].String()) {
			w.Fatalf("before: %s", before)
		}
		_, _ = w.kernel.Command(w.ctx, "ping", "-c1", "-W0.2", to.String()).CombinedOutput() // nobody answers
		if after := ip("route", "get", to.String()); !strings.Contains(after, "via "+better[f.name].String()) {
			w.Errorf("after: %s", after)
		}
	})
	if n := w.berth.Counters().ICMP.RedirectsSent.Load(); n != 2 {
		t.Errorf("%d redirects were sent", n)
	}
}
