// Package impair makes a good link bad. [New] wraps any device, so that what it
// sends, and if wanted what it receives, is lost, delayed, duplicated,
// reordered, damaged, or squeezed through a narrow link with a queue: of a
// fixed rate or that of a recorded [Trace], drop-tail or managed ([AQM]).
//
//	dev := impair.New(a, impair.Config{Loss: 0.01, Delay: 20 * time.Millisecond})
//
// [Profile] gives the numbers of links of a well-known kind. A [Rule] decides
// about single packets; [Drop], [Delay] and [Change] make one from a [Match]:
//
//	impair.Drop(impair.Nth(3, impair.TCPFlags("SA"))) // the third SYN-ACK
//
// A [Line] is one direction of all that without a clock: a pure machine, for a
// simulator that has an event loop of its own.
//
// # Theory of operation
//
// A packet passes the stations of a [Config] in this order, which is that of a
// real path: the rule, the queue before the narrow link with its management,
// then on the link loss, bursts of loss, damage, duplication, reordering, and
// delay with its jitter. A packet that is lost has taken its time on the link.
// Jitter alone does not reorder: a packet does not leave before the one ahead
// of it, whether that one arrives or not.
//
// What chance has in store for a packet is drawn when it comes (fate.go), the
// same number of random values for each, whatever is switched on. So the n-th
// packet meets the same fate with the same [Config.Seed], whatever happened
// before, and switching on duplication does not change which packets are lost.
// For the same reason a fault can be taken away again ([Config.Pardon]) without
// changing what happens to any other packet: one that is pardoned neither
// delays others nor counts as overtaking them.
//
// The narrow link (narrow.go, queue.go) takes a packet from the queue when it
// is free, and not before. Then CoDel judges how long the packet has waited
// (codel.go, RFC 8289), and then the rate that holds is that of the packet. A
// fixed rate is exact in the long run, since the fractions of nanoseconds are
// carried over. A trace is a list of opportunities (trace.go): a packet uses
// those that come after it. Marks of congestion (ecn.go) are set in a copy.
//
// A line is looked at when something leaves and when the queue moves, and
// looking at it more often changes nothing: each step is taken at the time that
// it has by the state before, not at that of the look. So a timer that is late
// makes packets late but does not change what becomes of them.
//
// In a [Device], what is to leave at once leaves on the goroutine that brought
// it. What is to leave later is kept, and leaves in batches, in order, from one
// timer for each direction. Under testing/synctest the delay is exact; on the
// wall clock a packet leaves late by what the timer is late.
//
// A large frame is cut into the packets that it stands for, so that each has
// its own fate, unless there is nothing but delay. Checksums are completed
// where a bit may be flipped or a rule looks, so that damage is damage.
//
// # Limits
//
// A direction holds at most 128 MiB or 262,144 packets on their way; more are
// dropped and counted as Overflow. Of those at most 1024 are held back for
// reordering; one more is not reordered. Packets that the device beneath does
// not take when they leave are counted as Refused. A device belongs in the
// synctest bubble that it is made in.
//
// There is one queue for all packets: no fair queueing, and no other queue
// management than CoDel and step thresholds. Jitter is uniform and loss does
// not depend on the length of a packet or on the load.
package impair
