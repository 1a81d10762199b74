// Package nat translates addresses and ports between an inside and an outside
// of a router: a NAPT for IPv4 (RFC 3022) whose behavior is that of RFC 4787
// (UDP), RFC 5382 (TCP) and RFC 5508 (ICMP), with the updates of RFC 7857, or
// any of the ways in which devices depart from it.
//
//	inside                    Table                       outside
//	10.0.0.2:5000 ──Out──▶ mapping 10.0.0.2:5000 ⇄ 203.0.113.1:6000 ──▶ remote
//	              ◀──────  sessions: who may answer                 ◀──In──
//
// A mapping joins an inside endpoint and an outside one. [Config.Mapping] says
// for which remotes one mapping serves. A session is a remote (an endpoint, an
// address, or anybody, as [Config.Filtering] says) that a mapping lets in, or a
// connection of TCP with its state; it has a timer, and a mapping lives as long
// as one of its sessions. [FullCone], [AddressRestricted], [PortRestricted] and
// [Symmetric] are the combinations that have names.
//
// The parts: [Table] with its inputs [Table.Out] and [Table.In], which rewrite a
// packet in place and give a [Verdict]; [Table.Forward] for mappings that are
// configured; [Table.Mappings], the table to read; [Table.Deadline] and
// [Table.Expire] for the owner's timer; [Config.Departures], which names what a
// configuration breaks of the RFCs.
//
// The package is pure: it is told the time with each call, holds no lock, and
// takes what chance there is from [Config.Random].
//
// # Checksums
//
// Those of IP, TCP, UDP and ICMP queries are updated by the difference (RFC
// 1624), so a packet that was damaged stays so. They must be complete: a packet
// whose checksum a device is to compute has it computed first. ICMP errors are
// verified, as RFC 5508 REQ-3 asks, and computed anew.
//
// # Limits
//
// [Limits] has one for each thing that is kept, and the rule that makes room.
// [Counters] counts what was dropped, by reason.
//
// Fragments are translated as they come: the first shows the ports, and those
// that arrive later follow it. Nothing is held, so a fragment that overtakes the
// first is not translated. A router that must take them in any order, as RFC
// 4787 REQ-14 asks, reassembles before it translates. Identifications are not
// changed, as RFC 7857 would have it: fragments that two inside hosts send to one remote under
// the same identification at the same time are mixed up, as by most devices.
//
// IPv6 is not translated (no NPTv6, no NAT64). Neither are other protocols than
// TCP, UDP and ICMP, and nothing in a payload (no application level gateways,
// which RFC 4787 REQ-10 wants off). An unsolicited SYN is dropped and never
// answered (RFC 5382 REQ-4a). Sequence numbers are not followed: a reset that
// somebody forged shortens a connection's time to the transitory timeout, until
// its next packet.
package nat
