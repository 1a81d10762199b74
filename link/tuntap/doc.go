// Package tuntap is a device on a TUN or TAP interface of Linux: one end is the
// kernel's network interface, the other is a [link.Device], so that a berth host
// is one more machine that the kernel and its programs talk to.
//
//	dev, err := tuntap.Open("bt0", tuntap.HostAddr("10.77.0.1/24"))
//	host.Attach(dev, "10.77.0.2/24")
//
// [Open] makes the interface, gives the kernel's side its addresses and MTU and
// brings it up, through netlink: no command is needed. [FromFD] takes a
// descriptor that somebody else opened.
//
// # Offload
//
// Frames cross with the virtio header where the kernel can: checksums stay
// partial, TCP segments and UDP datagrams of up to 64 KiB cross whole (TSO and
// USO, both ways). What the kernel sends then comes in as large frames with
// partial checksums. [NoOffload] leaves it out.
//
// # Limits
//
// Linux only: on other systems Open fails with an error that wraps
// [errors.ErrUnsupported]. Making an interface needs CAP_NET_ADMIN in its
// network namespace; the errors say what to do without. One queue. UDP
// segmentation needs Linux 6.2. The interface goes away with Close, or with the
// process, unless it was made persistent by somebody else.
package tuntap
