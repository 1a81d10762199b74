package peers

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"example.com/berth/internal/testnet"
	"example.com/berth/link/afpacket"
	"example.com/berth/link/tuntap"
)

// stationMAC is berth's Ethernet address.
var stationMAC = [6]byte{2, 0, 0, 0, 0x77, 2}

// veth returns a world whose link is a veth pair: the kernel has the one end,
// and berth a packet socket on the other, in a namespace that has no addresses.
// The kernel's end is called near0, berth's far0.
func veth(t *testing.T, opts ...afpacket.Option) *world {
	t.Helper()
	ns, bare := testnet.New(t), testnet.New(t)
	bare.Sysctl("net.ipv6.conf.default.disable_ipv6", "1")
	ns.Veth("near0", bare, "far0")
	for _, f := range families {
		ns.Addr("near0", f.onKernel())
	}
	opts = append(opts, afpacket.NamespaceFD(bare.FD()), afpacket.HardwareAddr(stationMAC))
	dev, err := afpacket.Open("far0", opts...)
	if err != nil {
		t.Fatal(err)
	}
	return join(t, ns, dev, nil)
}

// TestEthernet lets the kernel and berth find each other by ARP and neighbor
// discovery, and transfer something.
func TestEthernet(t *testing.T) {
	for _, tool := range []string{"ip", "ping", "curl"} {
		testnet.NeedTool(t, tool)
	}
	for _, tt := range []struct {
		name, device string // the kernel's
		world        func(t *testing.T) *world
	}{
		{"AF_PACKET", "near0", func(t *testing.T) *world { return veth(t) }},
		{"AF_PACKET without offload", "near0", func(t *testing.T) *world { return veth(t, afpacket.NoOffload()) }},
		{"TAP", "bt0", func(t *testing.T) *world { return tun(t, nil, tuntap.TAP(), tuntap.HardwareAddr(stationMAC)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.world(t).each(func(w *world, f family) {
				w.Run("the kernel finds berth", func(t *testing.T) {
					w.ping(t, f.berth.String(), 3, "-s8000", "-i0.002")
					w.reachable(t, f.berth, tt.device)
				})
				w.Run("berth finds the kernel", func(t *testing.T) {
					s := w.socket(t, f, "ping")
					if err := s.Connect(w.ctx, netip.AddrPortFrom(f.kernel, 0)); err != nil {
						t.Fatal(err)
					}
					for seq := range uint16(3) {
						if err := echo(s, f, "ping", seq, 8000); err != nil {
							t.Fatal(err)
						}
					}
				})
				w.Run("HTTP", func(t *testing.T) {
					inner := *w
					inner.T = t
					inner.http(f, little())
				})
			})
		})
	}
}

// TestLinkLocal uses the addresses that both ends give themselves.
func TestLinkLocal(t *testing.T) {
	testnet.NeedTool(t, "ping")
	w := veth(t)
	for _, a := range w.berth.Interfaces()[1].Addrs() {
		if addr := a.Prefix.Addr(); addr.IsLinkLocalUnicast() {
			w.ping(t, addr.WithZone("near0").String(), 3, "-s8000", "-i0.002")
			return
		}
	}
	t.Errorf("berth has no link-local address: %+v", w.berth.Interfaces()[1].Addrs())
}

// TestDuplicateAddress gives the kernel an address that berth has: berth must
// defend it (RFC 4862 section 5.4).
func TestDuplicateAddress(t *testing.T) {
	testnet.NeedTool(t, "ip")
	w := veth(t)
	w.kernel.Sysctl("net.ipv6.conf.near0.accept_dad", "1")
	w.kernel.Sysctl("net.ipv6.conf.near0.dad_transmits", "1")
	if out, err := w.kernel.Command(w.ctx, "ip", "address", "add", "fd77::2/64", "dev", "near0").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	await(t, "the kernel's giving the address up", func() bool {
		out, err := w.kernel.Command(w.ctx, "ip", "address", "show", "dev", "near0").Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(out, "dadfailed")
	})
}

// reachable looks whether the kernel has heard where an address is.
func (w *world) reachable(t *testing.T, addr netip.Addr, device string) {
	t.Helper()
	out, err := w.kernel.Command(w.ctx, "ip", "neighbor", "show", addr.String(), "dev", device).Output()
	mac := strings.ReplaceAll(fmt.Sprintf("% x", stationMAC[:]), " ", ":")
	if err != nil || !strings.Contains(out, "lladdr "+mac) || !strings.Contains(out, "REACHABLE") {
		t.Errorf("the kernel's neighbors: %q, %v", out, err)
	}
}
