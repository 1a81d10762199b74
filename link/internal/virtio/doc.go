// Package virtio is the header that a virtio network device puts before a
// frame, and its meaning as a [link.Frame]. Linux uses it on TUN and TAP
// descriptors (IFF_VNET_HDR) and on packet sockets (PACKET_VNET_HDR) to say that
// a checksum is partial or that a frame stands for several segments.
//
//	virtio 1.2, 5.1.6:  flags 8 | gso_type 8 | hdr_len 16 | gso_size 16 | csum_start 16 | csum_offset 16
//
// Parts: [Header] with Parse and Append, and the mapping to and from a frame
// (Describe, FromFrame).
//
// Limits: fields are in the byte order of the machine, as the legacy interface
// has them (virtio 1.2, 5.1.6.1). Of a header that is longer than [Len] (12 bytes
// with num_buffers, more with a hash report or tunnels) only the first [Len]
// bytes have a meaning here; the rest is zero on output. UDP fragmentation
// offload (VIRTIO_NET_HDR_GSO_UDP), which Linux gave up, is refused.
package virtio
