// Package workload is what is measured: bulk data, requests, connections,
// datagrams, idle memory. Each workload drives a pair of hosts through the
// interfaces of package net and gives back metrics.
//
// What a receiver gets is compared with what was sent, byte by byte, in every
// workload and over every stack: a stack that is fast and wrong fails.
package workload

import (
	"net"
	"strconv"
	"time"

	"example.com/berth/bench/internal/host"
)

// Options tune a run.
type Options struct {
	Warm, Time time.Duration // before measuring, and measuring
	Conns      int           // of accept and idle
	Million    int           // connections of million
	MaxConns   int           // the most that crr makes, to stay inside the range of ports
	Block      int           // bytes of a write and a read of bulk data
}

// Workload is one measurement.
type Workload struct {
	Name, About string
	// Primary names the metric that tables compare, in Unit.
	Primary, Unit string
	LowerIsBetter bool
	// Datagrams tells that the workload needs them.
	Datagrams bool
	// Direct tells that no pair of hosts runs it: only a Net that measures it
	// by itself has it.
	Direct bool
	Run    func(*host.Pair, Options) (host.Metrics, error)
}

// All are the workloads, in the order of tables.
var All = []Workload{
	{Name: "bulk1", About: "one stream from A to B", Primary: "gbps", Unit: "Gbit/s", Run: bulk(1, forth)},
	{Name: "bulk1r", About: "one stream from B to A", Primary: "gbps", Unit: "Gbit/s", Run: bulk(1, back)},
	{Name: "duplex1", About: "one connection, both ways at once", Primary: "gbps", Unit: "Gbit/s", Run: bulk(1, both)},
	{Name: "bulk8", About: "8 streams", Primary: "gbps", Unit: "Gbit/s", Run: bulk(8, forth)},
	{Name: "bulk64", About: "64 streams", Primary: "gbps", Unit: "Gbit/s", Run: bulk(64, forth)},
	{Name: "rr1", About: "one byte there and back", Primary: "p50_us", Unit: "us p50", LowerIsBetter: true, Run: requests(1)},
	{Name: "rr64", About: "the same on 64 connections", Primary: "tps", Unit: "requests/s", Run: requests(64)},
	{Name: "crr1", About: "connect, a request, close", Primary: "conns_per_s", Unit: "connections/s", Run: connections(1)},
	{Name: "crr64", About: "the same, 64 at once", Primary: "conns_per_s", Unit: "connections/s", Run: connections(64)},
	{Name: "accept", About: "64 clients connect to one listener", Primary: "conns_per_s", Unit: "connections/s", Run: accept},
	{Name: "udp64", About: "datagrams of 64 bytes, at most 128 on the way", Primary: "pps", Unit: "received/s", Datagrams: true, Run: datagrams(64, 128)},
	{Name: "udp1400", About: "datagrams of 1400 bytes, at most 128 on the way", Primary: "pps", Unit: "received/s", Datagrams: true, Run: datagrams(1400, 128)},
	{Name: "udpflood64", About: "datagrams of 64 bytes without restraint", Primary: "pps", Unit: "received/s", Datagrams: true, Run: datagrams(64, 0)},
	{Name: "udprr1", About: "a datagram of one byte there and back", Primary: "p50_us", Unit: "us p50", LowerIsBetter: true, Datagrams: true, Run: datagramRequests},
	{Name: "idle", About: "memory of an idle connection", Primary: "bytes_per_end", Unit: "bytes an end", LowerIsBetter: true, Run: idle},
	{Name: "million", About: "a million connections in one process (long)", Primary: "rss_GiB", Unit: "GiB", LowerIsBetter: true, Run: million},
	{Name: "goodput", About: "one stream from its first byte", Primary: "mbps", Unit: "Mbit/s", Run: goodput},
	{Name: "size", About: "a stripped TCP echo, idle", Primary: "binary_MB", Unit: "MB", LowerIsBetter: true, Direct: true},
}

// ByName finds a workload.
func ByName(name string) (Workload, bool) {
	for _, w := range All {
		if w.Name == name {
			return w, true
		}
	}
	return Workload{}, false
}

// firstPort is where servers listen.
const firstPort = 7000

// target is the address of a host's server.
func target(h host.Host, server int) string {
	return net.JoinHostPort(h.Addr().String(), strconv.Itoa(firstPort+server))
}
