// Package host is what a stack has to offer to take part: a Net opens a Pair of
// Hosts that reach each other, and everything a workload does goes through a
// Host, which hands out the interfaces of package net. So one workload runs
// unchanged over the kernel, over berth and over its peers.
package host

import (
	"context"
	"net"
	"net/netip"
)

// Host is one end of a Pair: a network stack with an address.
type Host interface {
	// Addr is the address that the other host dials.
	Addr() netip.Addr
	// Listen, Dial and ListenPacket are as in package net. Networks are "tcp"
	// and "udp", addresses "ip:port".
	Listen(network, addr string) (net.Listener, error)
	Dial(ctx context.Context, network, addr string) (net.Conn, error)
	ListenPacket(network, addr string) (net.PacketConn, error)
}

// NoKeepAlive is what every stack sets: with package net's probes every 15 seconds
// a million silent connections would be more work than any workload.
const NoKeepAlive = -1

// Pair is two hosts joined by a link. A is the client unless a workload says
// otherwise; of a stack in user space and the kernel, A is the former.
type Pair struct {
	A, B Host
	// StreamsOnly marks references without datagrams, such as net.Pipe.
	StreamsOnly bool
	// OneSided tells that only A's memory is this process's: B is the kernel.
	OneSided bool
	// Counters, if not nil, reports what the link and the stacks have counted.
	Counters func() Metrics
}

// Metrics are the results of one run, by name with unit.
type Metrics map[string]float64

// Net is a stack in one configuration, or a ceiling: a bare prototype that does
// by itself what a workload measures.
type Net struct {
	Name string
	// About says in a line what it is.
	About string
	// Open makes the hosts, in the network namespace of the process, which is
	// empty. They live as long as the process.
	Open func() (*Pair, error)
	// Direct, if not nil, measures the workloads of these names itself; Open is
	// nil then.
	Direct map[string]func() (Metrics, error)
}
