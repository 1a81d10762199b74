// Package pcapng writes what passes a device to a capture in the pcapng format
// (draft-ietf-opsawg-pcapng), which Wireshark and tshark read.
//
//	w := pcapng.NewWriter(file, pcapng.Options{})
//	dev = pcapng.Wrap(dev, w, "eth0")
//	...
//	err := w.Close()
//
// One Writer takes the packets of many devices, each an interface with its
// name, in both directions, with nanoseconds; names for addresses; TLS secrets,
// so that a reader can decrypt; and a remark with each packet, which is the
// Comment of its frame or that of whoever records it.
//
// # What is written
//
// What a large frame stands for, not the frame: its segments with complete
// checksums. A capture of the frames as they are would show packets longer than
// the MTU with checksums that are wrong, and nobody who reads it could tell an
// offload from a mistake. For the same reason a partial checksum is completed.
// Only a large frame with headers that do not allow to cut it is written as it
// is, with a remark that says so.
//
// A packet that goes out is written before the device has it, since the answer
// may come before Output returns. What the device then does not take stands in
// the capture too, and is counted as dropped in the interface's statistics.
//
// # An unclean end
//
// The blocks of a call are written with one call of Write, and no block refers
// to a later one: a program that is killed leaves a capture that is whole up to
// the last Write, or to the buffer between, if it puts one there. Only the
// statistics, which Close writes, are missing.
//
// # Limits
//
// The first error of the underlying writer ends the capture; it does not
// disturb the traffic, and Err and Close give it. That writer must not block
// for long, since the packets of all devices wait for it.
package pcapng
