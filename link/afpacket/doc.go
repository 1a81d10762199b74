// Package afpacket is a device on an Ethernet interface of Linux, a real one or
// one end of a veth pair, by way of a packet socket: a berth host is one more
// station on that network, beside the kernel or in its stead.
//
//	dev, err := afpacket.Open("eth0")
//	host.Attach(dev, "192.168.1.77/24")
//
// # Addresses
//
// The device has an Ethernet address of its own, random unless [HardwareAddr]
// sets it, and hears what is sent to that by way of promiscuous mode. The kernel
// takes no notice of such frames. With [InterfaceAddr] the device uses the
// interface's own address; the kernel then hears the same frames, and answers
// too (a TCP segment with a reset), unless it has no IP address there.
//
// # Offload
//
// Frames cross with the virtio header (PACKET_VNET_HDR): what a veth peer or a
// card with receive offload hands over with a partial checksum, or as one large
// frame, comes in as such, and large frames go out to be cut by the card, or by
// the kernel at the last moment.
//
// # Limits
//
// Linux only (4.20 or later): on other systems Open fails with an error that
// wraps [errors.ErrUnsupported]. Opening needs CAP_NET_RAW. What the kernel of
// this machine sends on the interface does not come in, so a host here and the
// kernel cannot talk over the interface they share, as with macvlan. Frames with
// a VLAN tag do not come in; open the VLAN's own interface. Most wireless access
// points accept nothing from an address that is not the interface's.
package afpacket
