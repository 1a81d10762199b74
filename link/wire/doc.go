// Package wire joins hosts in memory: a [Pair] of devices that are each other's
// far end, an Ethernet [Switch], and a [Hub].
//
// # Theory of operation
//
// There are no goroutines. Output calls the handler of the receiving device on
// the caller's goroutine, with the very frames it was given: a segment that a
// program sends is in the peer's receive buffer when the call returns, and the
// acknowledgement has come back too.
//
// A device has a lane for the frames that come in, or sixteen if its handler is a
// [link.ConcurrentHandler], as a berth host's is: then each flow of TCP and UDP has
// one of them, by a hash of its ends, and processors that have different flows do
// not wait for one another, nor work for one another.
//
// Each lane brings in from one goroutine at a time. Whoever finds another one
// delivering in the same lane, or is itself inside that delivery because the
// handler's answer was answered, leaves its frames in the lane's queue, and
// the one that delivers takes them along, in order, before it returns. So no
// lane is entered twice, and the stack is at most as deep as there are lanes. A queue holds at most as many frames as the option [Queue] says
// (65536 if it says nothing); what is beyond that is not taken by Output on a
// pair, and dropped by a switch or hub, and counted in [Stats] either way.
//
// # Offloads
//
// By default devices take every offload, so that 64 KiB pass in one frame and no
// checksum is computed: nothing can go wrong between two ends in one memory.
// With the option [Offload] a device takes less. Both ends of a pair have the
// same; ports of a switch or hub may differ, and each gets only what it could
// send itself.
//
// # Limits
//
// A wire carries no frame by itself, so a goroutine that keeps a device busy
// may find itself delivering what others send in its lane, too. Delay, loss and rate are
// not here: package impair adds them to any device.
package wire
