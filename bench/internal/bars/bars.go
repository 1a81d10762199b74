// Package bars holds what berth has set itself to reach, as ratios of medians
// within one run on one machine, and shows what is reached.
package bars

import (
	"slices"

	"example.com/berth/bench/internal/stat"
	"example.com/berth/bench/internal/table"
	"example.com/berth/bench/internal/workload"
)

// Bar is one of them: a metric of berth's, absolute or against the best of some
// others.
type Bar struct {
	What     string
	Net      string // berth's
	Workload string
	Metric   string // empty for the primary one of the workload
	// To are the nets of whom the best counts; none for an absolute bar.
	To []string
	// ToWorkload is theirs if it is another.
	ToWorkload string
	// Goal is the least ratio or value, or with AtMost the greatest.
	Goal   float64
	AtMost bool
	Unit   string // of an absolute bar
}

// The peers, each in its best configurations for the purpose.
var (
	loopback   = []string{"kernel-lo"}
	veth       = []string{"kernel-veth"}
	lneto      = []string{"lneto1500"}
	gvisorWire = []string{"gv-wire1500", "gv-wire1500-in", "gv-pipe1500"}
	gvisorAny  = []string{"gv-wire1500", "gv-wire1500-in", "gv-pipe1500", "gv-wire1500-hg", "gv-wire1500-hg-in"}
	gvisorBulk = []string{"gv-wire1500-hg", "gv-wire1500-hg-in", "gv-wire64k-nc", "gv-wire64k-nc-in"}
	gvisorTUN  = []string{"gv-tun", "gv-tun-vnet"}
)

// berth's configurations in memory.
const (
	wire  = "berth-wire1500"
	large = "berth-wire1500-large"
	vnet  = "berth-tun-vnet"
	plain = "berth-tun"
)

// none is what still counts as no allocation: the collector and timers of the
// runtime allocate a little by themselves.
const none = 0.02

// All are the bars.
var All = slices.Concat(bulk, tun, requests, connects, datagrams, costs, goodput(), sizes)

var bulk = []Bar{
	{What: "bulk, 64 KB segments, to the kernel's loopback", Net: large, Workload: "bulk1", To: loopback, Goal: 2},
	{What: "bulk, 64 KB segments, to gVisor", Net: large, Workload: "bulk1", To: gvisorBulk, Goal: 2.5},
	{What: "bulk, MTU 1500, checksums, to gVisor", Net: wire, Workload: "bulk1", To: gvisorWire, Goal: 5},
	{What: "bulk, MTU 1500, checksums, to lneto", Net: wire, Workload: "bulk1", To: lneto, Goal: 3.5},
	{What: "8 streams, 64 KB segments, to one", Net: large, Workload: "bulk8", To: []string{large}, ToWorkload: "bulk1", Goal: 1},
	{What: "64 streams, 64 KB segments, to one", Net: large, Workload: "bulk64", To: []string{large}, ToWorkload: "bulk1", Goal: 1},
	{What: "8 streams, MTU 1500, to one", Net: wire, Workload: "bulk8", To: []string{wire}, ToWorkload: "bulk1", Goal: 1},
	{What: "64 streams, MTU 1500, to one", Net: wire, Workload: "bulk64", To: []string{wire}, ToWorkload: "bulk1", Goal: 1},
}

var tun = []Bar{
	{What: "TUN with virtio header, to the kernel, to the ceiling", Net: vnet, Workload: "bulk1", To: []string{"ceiling-tun-vnet"}, Goal: 0.85},
	{What: "TUN with virtio header, from the kernel, to the ceiling", Net: vnet, Workload: "bulk1r", To: []string{"ceiling-tun-vnet"}, Goal: 0.85},
	{What: "the same, 64 streams to the kernel, to gVisor", Net: vnet, Workload: "bulk64", To: []string{"gv-tun-vnet"}, Goal: 8},
	{What: "the same, spurious retransmissions (DSACKs)", Net: vnet, Workload: "bulk64", Metric: "spurious", Goal: 0, AtMost: true},
	{What: "plain TUN, to the kernel, to the ceiling", Net: plain, Workload: "bulk1", To: []string{"ceiling-tun"}, Goal: 0.8},
	{What: "plain TUN, from the kernel, to the ceiling", Net: plain, Workload: "bulk1r", To: []string{"ceiling-tun"}, Goal: 0.8},
}

var requests = []Bar{
	{What: "request of a byte, p50, to the kernel's loopback", Net: large, Workload: "rr1", To: loopback, Goal: 1.0 / 7, AtMost: true},
	{What: "request of a byte, p50, to gVisor", Net: large, Workload: "rr1", To: gvisorAny, Goal: 1.0 / 12, AtMost: true},
	{What: "requests on 64 connections, to the kernel's loopback", Net: large, Workload: "rr64", To: loopback, Goal: 5},
	{What: "request over TUN, p50, to the kernel over veth", Net: vnet, Workload: "rr1", To: veth, Goal: 1.4, AtMost: true},
}

var connects = []Bar{
	{What: "connect, request, close, to the kernel's loopback", Net: large, Workload: "crr1", To: loopback, Goal: 8},
	{What: "the same, 64 at once, to the kernel's loopback", Net: large, Workload: "crr64", To: loopback, Goal: 5},
	{What: "the same, allocations", Net: large, Workload: "crr1", Metric: "allocs_per_op", Goal: 10, AtMost: true},
	{What: "accept storm, to the kernel's loopback", Net: large, Workload: "accept", To: loopback, Goal: 5},
}

var datagrams = []Bar{
	{What: "UDP 64 B, to gVisor", Net: large, Workload: "udp64", To: gvisorAny, Goal: 9},
	{What: "UDP 64 B, to lneto", Net: large, Workload: "udp64", To: lneto, Goal: 1.6},
	{What: "UDP 64 B, with checksums, to lneto", Net: wire, Workload: "udp64", To: lneto, Goal: 1.6},
	{What: "UDP 1400 B, to gVisor", Net: large, Workload: "udp1400", To: gvisorAny, Goal: 9},
	{What: "UDP 1400 B, to lneto", Net: large, Workload: "udp1400", To: lneto, Goal: 1.6},
	{What: "UDP 64 B over TUN, to gVisor", Net: vnet, Workload: "udp64", To: gvisorTUN, Goal: 2},
}

var costs = []Bar{
	{What: "idle connection", Net: large, Workload: "idle", Goal: 1536, AtMost: true, Unit: "bytes an end"},
	{What: "idle connection", Net: large, Workload: "idle", Metric: "goroutines", Goal: none, AtMost: true, Unit: "goroutines"},
	{What: "a million connections in one process", Net: large, Workload: "million", Metric: "peak_GiB", Goal: 4, AtMost: true, Unit: "GiB"},
	{What: "allocations for 1448 bytes, MTU 1500", Net: wire, Workload: "bulk1", Metric: "allocs_per_mss", Goal: none, AtMost: true},
	{What: "allocations for 1448 bytes, 64 KB segments", Net: large, Workload: "bulk1", Metric: "allocs_per_mss", Goal: none, AtMost: true},
	{What: "allocations for a datagram", Net: large, Workload: "udp64", Metric: "allocs_per_op", Goal: none, AtMost: true},
	{What: "allocations for a request", Net: large, Workload: "rr1", Metric: "allocs_per_op", Goal: none, AtMost: true},
	{What: "CPU seconds a GB, 64 KB segments, to the kernel's loopback", Net: large, Workload: "bulk1", Metric: "cpu_s_per_GB", To: loopback, Goal: 0.5, AtMost: true},
}

// goodput are the bars over long paths: Linux with the same algorithm, BBR in
// spite of loss, and buffers that are never too large.
func goodput() (all []Bar) {
	for _, p := range []struct{ path, about string }{
		{"wan20", "20 ms"},
		{"loss20", "20 ms, 1 % lost"},
		{"wan100", "100 ms"},
		{"loss100", "100 ms, 1 % lost"},
	} {
		for _, cc := range []string{"reno", "cubic", "bbr"} {
			all = append(all, Bar{
				What: "goodput, " + p.about + ", " + cc + ", to Linux",
				Net:  "berth-" + p.path + "-" + cc, Workload: "goodput", To: []string{"kernel-" + p.path + "-" + cc}, Goal: 1,
			})
		}
		all = append(all, Bar{
			What: "goodput, " + p.about + ", buffers of 8 MiB, to the usual ones",
			Net:  "berth-" + p.path + "-big", Workload: "goodput", To: []string{"berth-" + p.path}, Goal: 1,
		})
	}
	return append(all, Bar{
		What: "goodput, 20 ms, 1 % lost, bbr", Net: "berth-loss20-bbr", Workload: "goodput", Goal: 150, Unit: "Mbit/s",
	})
}

var sizes = []Bar{
	{What: "stripped TCP echo", Net: "echo-berth", Workload: "size", Goal: 3.2, AtMost: true, Unit: "MB"},
	{What: "stripped TCP echo, idle", Net: "echo-berth", Workload: "size", Metric: "rss_MB", Goal: 4.5, AtMost: true, Unit: "MB resident"},
}

// long are workloads that are measured by themselves.
const long = "million"

// Needs tells whether any bar is measured by a workload over a net.
func Needs(net, name string) bool {
	return name != long && slices.ContainsFunc(All, func(b Bar) bool {
		return b.Net == net && b.Workload == name || b.toWorkload() == name && slices.Contains(b.To, net)
	})
}

func (b Bar) toWorkload() string {
	if b.ToWorkload != "" {
		return b.ToWorkload
	}
	return b.Workload
}

// metric is the one that is compared, and whether less is better.
func (b Bar) metric() (name string, lower bool) {
	w, _ := workload.ByName(b.Workload)
	if b.Metric == "" {
		return w.Primary, w.LowerIsBetter
	}
	return b.Metric, b.AtMost
}

// reached is a bar's value on so many processors, and whom it is against.
func (b Bar) reached(sets map[table.Key]table.Set, procs int) (value float64, against string, ok bool) {
	metric, lower := b.metric()
	own := sets[table.Key{Net: b.Net, Workload: b.Workload, Procs: procs}]
	if len(own.Values(metric)) == 0 {
		return 0, "", false
	}
	if len(b.To) == 0 {
		return own.Median(metric), "", true
	}
	var best float64
	var peer table.Set
	for _, net := range b.To {
		s := sets[table.Key{Net: net, Workload: b.toWorkload(), Procs: procs}]
		if m := s.Median(metric); m != 0 && (peer == nil || m < best == lower) {
			best, peer, against = m, s, net
		}
	}
	ratios := table.Ratios(own, peer, metric)
	return stat.Median(ratios), against, len(ratios) > 0
}

// met tells whether a value is good enough.
func (b Bar) met(value float64) bool {
	if b.AtMost {
		return value <= b.Goal
	}
	return value >= b.Goal
}
