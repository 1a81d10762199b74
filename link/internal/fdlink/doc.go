// Package fdlink is a [link.Device] on a descriptor of the Linux kernel of which
// each read gives one frame and each write takes one: TUN, TAP, a packet socket,
// or a socket that keeps the boundaries of messages. It is what link/tuntap and
// link/afpacket have in common.
//
// Parts: [Device] with its life (device_linux.go), the reader (input_linux.go)
// with the slots that it reads into (slot_linux.go), the writer
// (output_linux.go), and the [Counters] of both.
//
// # Input
//
// One goroutine waits in Go's poller, reads what is ready, and hands it to the
// handler in one batch. A packet is read across two buffers, one of 2 KiB and one
// that holds anything, so that a small packet, which the stack may keep for long,
// does not hold 64 KiB: it stays in the buffer it was read into, or moves to a
// still smaller one. Only a large packet pays with a copy, of its first 2 KiB. A
// socket fills several such pairs in one system call.
//
// Who cannot wait for that goroutine to get a processor reads in its place
// ([Device.Drain]). One reads at a time; who finds another one reading goes away, and
// that one looks once more.
//
// # Output
//
// A frame goes out with one writev of the virtio header, Head and Payload, from
// the goroutine of the caller, several to a socket with one sendmmsg. Nothing is
// queued here.
//
// Limits: a batch ends at 64 frames or 256 KiB. A longer frame than
// link.MaxFrame is cut by the kernel.
package fdlink
