// Package nets has the stacks and links that benchmarks compare: the kernel's,
// gVisor's, lneto's, references in memory, and berth's.
package nets

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"example.com/berth/bench/internal/emul"
	"example.com/berth/bench/internal/host"
	"example.com/berth/link"
	"example.com/berth/link/tuntap"
	"example.com/berth/link/wire"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// All are the configurations, in the order of tables.
func All() []host.Net {
	var all []host.Net
	for _, group := range [][]host.Net{berthNets, kernelNets, referenceNets, gvisorNets, lnetoNets, pathNets(), sweepNets(), ceilingNets, echoNets} {
		all = append(all, group...)
	}
	return all
}

// ByName finds a configuration.
func ByName(name string) (host.Net, bool) {
	for _, n := range All() {
		if n.Name == name {
			return n, true
		}
	}
	return host.Net{}, false
}

var berthNets = []host.Net{
	{Name: "berth-wire1500", About: "in memory, MTU 1500, no large segments, checksums", Open: berthWire(wire.Offload(0))},
	{Name: "berth-wire1500-large", About: "in memory, MTU 1500, large segments", Open: berthWire()},
	{Name: "berth-wire64k", About: "in memory, MTU 65535, checksums", Open: berthWire(wire.MTU(65535), wire.Offload(0))},
	{Name: "berth-wire64k-nc", About: "in memory, MTU 65535, no checksums", Open: berthWire(wire.MTU(65535), wire.Offload(link.OffloadChecksum))},
	{Name: "berth-tun", About: "plain TUN to the kernel", Open: berthTUN(tuntap.NoOffload())},
	{Name: "berth-tun-vnet", About: "TUN with virtio headers to the kernel", Open: berthTUN()},
	{Name: "berth-packet", About: "packet socket on veth to the kernel", Open: berthPacket},
}

var kernelNets = []host.Net{
	{Name: "kernel-lo", About: "loopback, MTU 65536", Open: kernelLoopback(65536)},
	{Name: "kernel-lo1500", About: "loopback, MTU 1500", Open: kernelLoopback(1500)},
	{Name: "kernel-veth", About: "two namespaces on veth, offloads", Open: kernelVeth},
	{Name: "kernel-tunwire", About: "two namespaces, two TUNs joined in user space", Open: kernelPath("cubic", 0, emul.Params{})},
}

var referenceNets = []host.Net{
	{Name: "netpipe", About: "net.Pipe: one copy, no network", Open: netPipe},
	{Name: "bufconn", About: "gRPC's listener in memory, no network", Open: bufConn},
}

var gvisorNets = []host.Net{
	{Name: "gv-loopback", About: "one stack, its loopback", Open: gvisorLoopback},
	{Name: "gv-pipe1500", About: "gVisor's pipe, MTU 1500, checksums", Open: gvisorPipe(1500)},
	{Name: "gv-pipe64k", About: "gVisor's pipe, MTU 65535, checksums", Open: gvisorPipe(65535)},
	{Name: "gv-veth1500", About: "gVisor's veth, MTU 1500, no checksums", Open: gvisorVeth(1500)},
	{Name: "gv-veth64k", About: "gVisor's veth, MTU 65535, no checksums", Open: gvisorVeth(65535)},
	{Name: "gv-wire1500", About: "wire, MTU 1500, checksums", Open: gvisorWire(wireOptions{mtu: 1500, queued: true}, gvisorOptions{})},
	{Name: "gv-wire1500-in", About: "the same, delivered by the sender", Open: gvisorWire(wireOptions{mtu: 1500}, gvisorOptions{})},
	{Name: "gv-wire1500-gg", About: "wire, MTU 1500, gVisor's segmentation, checksums", Open: gvisorWire(wireOptions{mtu: 1500, queued: true, gso: stack.GVisorGSOSupported}, gvisorOptions{})},
	{Name: "gv-wire1500-gg-nc", About: "the same without checksums", Open: gvisorWire(wireOptions{mtu: 1500, queued: true, gso: stack.GVisorGSOSupported, noChecksums: true}, gvisorOptions{})},
	{Name: "gv-wire1500-hg", About: "wire, MTU 1500, large segments, no checksums", Open: gvisorWire(wireOptions{mtu: 1500, queued: true, gso: stack.HostGSOSupported, noChecksums: true}, gvisorOptions{})},
	{Name: "gv-wire1500-hg-in", About: "the same, delivered by the sender", Open: gvisorWire(wireOptions{mtu: 1500, gso: stack.HostGSOSupported, noChecksums: true}, gvisorOptions{})},
	{Name: "gv-wire1500-hg-big", About: "large segments, buffers of 8 and 6 MiB", Open: gvisorWire(wireOptions{mtu: 1500, queued: true, gso: stack.HostGSOSupported, noChecksums: true}, gvisorOptions{bigBuffers: true})},
	{Name: "gv-wire64k", About: "wire, MTU 65535, checksums", Open: gvisorWire(wireOptions{mtu: 65535, queued: true}, gvisorOptions{})},
	{Name: "gv-wire64k-nc", About: "wire, MTU 65535, no checksums", Open: gvisorWire(wireOptions{mtu: 65535, queued: true, noChecksums: true}, gvisorOptions{})},
	{Name: "gv-wire64k-nc-in", About: "the same, delivered by the sender", Open: gvisorWire(wireOptions{mtu: 65535, noChecksums: true}, gvisorOptions{})},
	{Name: "gv-tun", About: "plain TUN to the kernel, one processor", Open: gvisorTUN(1500, 1)},
	{Name: "gv-tun-mp", About: "the same, two processors", Open: gvisorTUN(1500, 2)},
	{Name: "gv-tun64k", About: "plain TUN, MTU 65535", Open: gvisorTUN(65535, 1)},
	{Name: "gv-tun-vnet", About: "TUN with virtio headers (a link of this harness's)", Open: gvisorTUNVnet},
	{Name: "gv-packet", About: "packet socket on veth, as runsc has it", Open: gvisorPacket},
}

var lnetoNets = []host.Net{
	{Name: "lneto1500", About: "two lneto stacks, polled, MTU 1500, checksums", Open: lnetoPair(1500, 65535)},
}

// path is a long way of 200 Mbit/s with a queue of one bandwidth-delay product.
func path(rtt time.Duration, loss float64) emul.Params {
	const rate = 200e6
	return emul.Params{Delay: rtt / 2, Rate: rate, Queue: int(rtt.Seconds() * rate / 8), Loss: loss}
}

// pathNets are every stack over four paths: 20 and 100 ms, clean and with 1 %
// of the packets lost each way.
func pathNets() []host.Net {
	const bigBuffer = 8 << 20
	var all []host.Net
	for _, p := range []struct {
		name, about string
		params      emul.Params
	}{
		{"wan20", "200 Mbit/s, 20 ms", path(20*time.Millisecond, 0)},
		{"loss20", "200 Mbit/s, 20 ms, 1 % lost", path(20*time.Millisecond, 0.01)},
		{"wan100", "200 Mbit/s, 100 ms", path(100*time.Millisecond, 0)},
		{"loss100", "200 Mbit/s, 100 ms, 1 % lost", path(100*time.Millisecond, 0.01)},
	} {
		add := func(name, about string, open func() (*host.Pair, error)) {
			all = append(all, host.Net{Name: fmt.Sprintf(name, p.name), About: p.about + about, Open: open})
		}
		add("berth-%s", "", berthPath(p.params, berthOptions{}))
		add("berth-%s-big", ", buffers of 8 MiB", berthPath(p.params, berthOptions{bigBuffers: true}))
		for _, congestion := range []string{"reno", "cubic", "bbr"} {
			add("berth-%s-"+congestion, ", "+congestion, berthPath(p.params, berthOptions{congestion: congestion}))
		}
		for _, congestion := range []string{"reno", "cubic", "bbr"} {
			add("kernel-%s-"+congestion, ", "+congestion, kernelPath(congestion, 0, p.params))
		}
		add("kernel-%s-big", ", buffers of 8 MiB", kernelPath("cubic", bigBuffer, p.params))
		add("gv-%s", "", gvisorPath(p.params, gvisorOptions{}))
		add("gv-%s-reno", ", reno", gvisorPath(p.params, gvisorOptions{congestion: "reno"}))
		add("gv-%s-big", ", buffers of 8 and 6 MiB", gvisorPath(p.params, gvisorOptions{bigBuffers: true}))
	}
	return all
}

// The points of the plots. MTUs are of wires in memory; round trips are of paths
// without loss, losses of paths of 20 ms.
var (
	SweepMTUs   = []int{576, 1500, 4000, 9000, 16000, 32000, 65535}
	SweepRTTs   = []time.Duration{1 * time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond}
	SweepLosses = []float64{0.0001, 0.001, 0.003, 0.01, 0.03, 0.1}
)

// SweepStacks are the stacks of the plots.
var SweepStacks = []string{"berth", "gv", "kernel"}

// SweepMTU, SweepRTT and SweepLoss are the names of the points of plots.
func SweepMTU(stack string, mtu int) string { return fmt.Sprintf("%s-mtu-%d", stack, mtu) }

// SweepRTT is a point of throughput over the round trip.
func SweepRTT(stack string, rtt time.Duration) string { return fmt.Sprintf("%s-rtt-%v", stack, rtt) }

// SweepLoss is a point of throughput over the share of packets lost.
func SweepLoss(stack string, loss float64) string { return fmt.Sprintf("%s-lose-%g", stack, loss) }

func sweepNets() []host.Net {
	var all []host.Net
	add := func(name, about string, open func() (*host.Pair, error)) {
		all = append(all, host.Net{Name: name, About: about, Open: open})
	}
	for _, mtu := range SweepMTUs {
		about := fmt.Sprintf("in memory, MTU %d, checksums", mtu)
		add(SweepMTU("berth", mtu), about, berthWire(wire.MTU(mtu), wire.Offload(0)))
		add(SweepMTU("gv", mtu), about, gvisorWire(wireOptions{mtu: uint32(mtu), queued: true}, gvisorOptions{}))
		add(SweepMTU("kernel", mtu), fmt.Sprintf("loopback, MTU %d, offloads", mtu), kernelLoopback(mtu))
	}
	overPath := func(name func(string) string, about string, p emul.Params) {
		add(name("berth"), about, berthPath(p, berthOptions{}))
		add(name("gv"), about, gvisorPath(p, gvisorOptions{}))
		add(name("kernel"), about+", cubic", kernelPath("cubic", 0, p))
	}
	for _, rtt := range SweepRTTs {
		overPath(func(s string) string { return SweepRTT(s, rtt) }, fmt.Sprintf("200 Mbit/s, %v", rtt), path(rtt, 0))
	}
	for _, loss := range SweepLosses {
		overPath(func(s string) string { return SweepLoss(s, loss) }, fmt.Sprintf("200 Mbit/s, 20 ms, %g %% lost", 100*loss), path(20*time.Millisecond, loss))
	}
	return all
}

// IsSweep tells whether a net is a point of a plot, which no table shows.
func IsSweep(name string) bool {
	for _, kind := range []string{"-mtu-", "-rtt-", "-lose-"} {
		if strings.Contains(name, kind) {
			return true
		}
	}
	return false
}

// merge joins metrics.
func merge(a, b host.Metrics) host.Metrics {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
