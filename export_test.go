package berth

import (
	"fmt"
	"net/netip"

	"example.com/berth/internal/port"
	"example.com/berth/internal/seqnum"
	"example.com/berth/link"
)

// Left tells what a host still holds: the memory that queues have taken of the
// budget, entries of the demultiplexers, ports, sockets, timers. It is empty
// once all sockets are closed and nothing lives on.
func (h *Host) Left() (left []string) {
	report := func(n int, what string) {
		if n != 0 {
			left = append(left, fmt.Sprintf("%d %s", n, what))
		}
	}
	report(int(h.budget.Used()), "bytes of the budget")
	sockets := 0
	h.sockets.each(func(endpoint) { sockets++ })
	report(sockets, "sockets")
	report(int(h.open.Load()), "sockets of programs")
	connected, bound := h.streams.size()
	report(connected, "connections")
	report(bound, "listeners")
	for name, d := range map[string]*demux[*datagram]{
		"UDP": &h.datagrams.udp, "ping": &h.datagrams.ping4, "ping6": &h.datagrams.ping6,
	} {
		connected, bound := d.size()
		report(connected, name+" peers")
		report(bound, name+" ports")
	}
	if m := h.raws.m.Load(); m != nil {
		report(len(*m), "raw protocols")
	}
	h.ports.mu.Lock()
	for _, p := range []port.Protocol{port.TCP, port.UDP, port.ICMP} {
		for n := range 1 << 16 {
			if owners := h.ports.table.Owners(p, uint16(n)); owners > 0 {
				report(owners, fmt.Sprintf("owners of port %d", n))
			}
		}
	}
	h.ports.mu.Unlock()
	h.timers.mu.Lock()
	for _, e := range h.timers.heap {
		if _, ifc := e.owner.(*Interface); !ifc {
			report(1, fmt.Sprintf("timer of a %T", e.owner))
		}
	}
	h.timers.mu.Unlock()
	return left
}

func (d *demux[S]) size() (connected, bound int) {
	for i := range d.connected {
		sh := &d.connected[i]
		sh.RLock()
		connected += len(sh.byHash) + len(sh.others) + len(sh.remnants.byHash)
		sh.RUnlock()
	}
	for port := range 1 << 16 {
		bound += len(d.onPort(uint16(port)))
	}
	return connected, bound
}

// BudgetUsed is how much of Config.Memory is taken.
func (h *Host) BudgetUsed() int64 { return h.budget.Used() }

// TemplateAfter is after how many datagrams in a row to one destination a template is
// made.
const TemplateAfter = templateAfter

// Timers is how many deadlines the host's timer knows.
func (h *Host) Timers() int {
	h.timers.mu.Lock()
	defer h.timers.mu.Unlock()
	return len(h.timers.heap)
}

// InitialSequence is the ISN that a connection of these ends would have now.
func (h *Host) InitialSequence(local, remote netip.AddrPort) seqnum.Value {
	return h.initialSequence(h.now(), local, remote)
}

// Shard is the part of the demultiplexer's table that a connection belongs to,
// and the hash it is found by there.
func (h *Host) Shard(local, remote netip.AddrPort) (shard int, hash uint64) {
	_, hash = h.streams.at(h.tupleOf(local, remote))
	return int(hash % shards), hash
}

// Shards is the number of those parts.
const Shards = shards

// NewLoopback is the device of an interface lo of no host.
func NewLoopback() link.Device { return newLoopback(nil) }
