package neighbor

import (
	"net/netip"
	"slices"
	"syscall"
	"time"

	"example.com/berth/internal/header"
)

// Stats counts what a table did, and what it dropped and why.
type Stats struct {
	Created        uint64 // entries made
	Evicted        uint64 // entries dropped for others
	Refused        uint64 // entries not made: all of the table is in use
	Solicited      uint64 // solicitations asked for
	Deferred       uint64 // solicitations made to wait by the rate limit
	Failed         uint64 // neighbors given up
	Unreachable    uint64 // neighbors that stopped answering
	Changed        uint64 // link-layer addresses replaced
	Conflicts      uint64 // link-layer addresses not taken: another one stands
	Ignored        uint64 // messages with an address that cannot be a neighbor's
	PendingDropped uint64 // packets that waited and were dropped at a limit
}

// Stats gives the counters.
func (t *Table[P]) Stats() Stats { return t.stats }

// Len is how many neighbors the table holds, and PendingBytes what the packets
// count that wait for them.
func (t *Table[P]) Len() int          { return len(t.entries) }
func (t *Table[P]) PendingBytes() int { return t.pendingBytes }

// Entry shows a neighbor.
type Entry struct {
	Addr    netip.Addr
	MAC     header.MAC // zero unless State.Resolved
	State   State
	Router  bool
	Used    time.Duration // when a packet was last sent to it; 0 for never
	Pending int           // packets that wait
}

// Entries appends all neighbors to buf, in the order of their addresses.
func (t *Table[P]) Entries(now time.Duration, buf []Entry) []Entry {
	start := len(buf)
	for _, e := range t.entries {
		t.age(now, e)
		shown := Entry{Addr: e.addr, State: e.state, Router: e.router, Used: e.used, Pending: len(e.pending)}
		if e.state.Resolved() {
			shown.MAC = e.hw
		}
		buf = append(buf, shown)
	}
	slices.SortFunc(buf[start:], func(a, b Entry) int { return a.Addr.Compare(b.Addr) })
	return buf
}

// Set makes a permanent entry, which nothing from the wire changes. Errors:
// EINVAL for an address that cannot be a neighbor's, ENOBUFS if all of the table
// is in use.
func (t *Table[P]) Set(now time.Duration, addr netip.Addr, hw header.MAC) error {
	addr = addr.WithZone("")
	if !unicast(addr, hw) {
		return syscall.EINVAL
	}
	e := t.find(addr)
	if e == nil {
		if e = t.create(now, addr, Stale); e == nil {
			return syscall.ENOBUFS
		}
	}
	e.hw, e.changed = hw, now
	t.enter(e, Permanent)
	t.resolved(now, e)
	return nil
}

// Remove deletes an entry of any kind, and tells whether there was one.
func (t *Table[P]) Remove(addr netip.Addr) bool {
	e := t.entries[addr.WithZone("")]
	if e == nil {
		return false
	}
	t.delete(e)
	return true
}

// Flush deletes all entries but the permanent ones; with those too if all is
// set, as when the interface goes away. Packets that wait are freed.
func (t *Table[P]) Flush(all bool) {
	for _, e := range t.entries {
		if all || e.state != Permanent {
			t.delete(e)
		}
	}
}
