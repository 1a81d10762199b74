// Package impair makes a good link bad. [New] wraps any device, so that what it
// sends, and if wanted what it receives, is lost, delayed, duplicated,
// reordered, damaged, or squeezed through a narrow link with a short queue.
//
//	dev := impair.New(a, impair.Config{Loss: 0.01, Delay: 20 * time.Millisecond})
//
// # Theory of operation
//
// A packet passes the stations of a [Config] in this order, which is that of a
// real path: the rule, the queue before a link of the given rate (drop-tail),
// then on the link loss, bursts of loss, damage, duplication, reordering, and
// delay with its jitter. A packet that is lost has taken its time on the link.
// Jitter alone does not reorder: a packet does not leave before the one ahead
// of it.
//
// What becomes of a packet is decided when it comes, by a pure function of the
// state of the path, the packet's length and the time (path.go). It draws the
// same number of random values for each packet, whatever is switched on. So the
// n-th packet meets the same fate with the same [Config.Seed], and switching on
// duplication does not change which packets are lost.
//
// What is to leave at once leaves on the goroutine that brought it. What is to
// leave later is kept, and leaves in batches, in order, from one timer for each
// direction. Under testing/synctest the delay is exact; on the wall clock a
// packet leaves late by what the timer is late.
//
// A large frame is cut into the packets that it stands for, so that each has
// its own fate, unless there is nothing but delay. Checksums are completed
// where a bit may be flipped or a rule looks, so that damage is damage.
//
// # Limits
//
// A direction holds at most 128 MiB of packets on their way; more are dropped
// and counted as Overflow. Packets that the device beneath does not take when
// they leave are counted as Refused. A device belongs in the synctest bubble
// that it is made in.
package impair
