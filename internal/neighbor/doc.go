// Package neighbor is the neighbor cache of one interface: which link-layer
// address belongs to which neighbor, and whether packets still reach it.
//
// One state machine serves IPv6 neighbor discovery (RFC 4861 sections 7.2 and
// 7.3, with the UNREACHABLE state of RFC 7048) and IPv4 ARP (RFC 826): a
// neighbor that is not confirmed to be reachable is asked again, by unicast
// first, which is the flushing of stale entries that RFC 1122 section 2.3.2.1
// demands of ARP.
//
//	               Pend                  Advert, ARP
//	(none) ──────▶ INCOMPLETE ─────────────────────────▶ REACHABLE ◀─┐
//	                   │ no answer                            │ 30 s  │ Confirm,
//	                   ▼                                      ▼       │ answer
//	                FAILED        Learn ──────────────────▶ STALE     │
//	                   ▲                                      │ used  │
//	                   │ no answer                            ▼       │
//	              UNREACHABLE ◀──── PROBE ◀───────────────── DELAY ───┤
//	                   │    no answer │      5 s                      │
//	                   └──────────────┴───────────────────────────────┘
//
// The parts: [Table] with its inputs (Resolve and Pend when a packet is sent,
// Learn, Advert and ARP when the neighbor speaks, Confirm when a transport makes
// progress, Timer when time passes), the [Action]s that they ask for, and
// [Packet], the validity checks of received neighbor discovery messages.
//
// The package is pure: it takes the time as an argument, holds no lock, and
// sends nothing. The type of the packets that wait for an address is the
// caller's.
//
// # Limits
//
// The table holds at most MaxEntries neighbors. To make room it drops, in this
// order, one that did not answer (FAILED), one that we were told of and never
// sent to, the least recently used one that is being asked for (INCOMPLETE), and
// the least recently used one that is STALE or UNREACHABLE. A neighbor that is
// in use is never dropped: the new one is refused. At most MaxIncomplete
// neighbors are asked for at a time, and multicast solicitations keep to
// SolicitRate, so that a scan of a prefix takes neither the memory nor the
// neighbors there are (RFC 6583). Packets that wait are bounded for each neighbor
// and for the table; the oldest of a neighbor's is dropped for a new one. [Stats]
// counts each of these.
package neighbor
