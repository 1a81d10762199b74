// Package gso does in software what a device does that takes large frames: it
// cuts them into the packets that they stand for, and completes checksums that
// were left partial (generic segmentation offload).
//
// A [Cutter] brings a batch of frames into the form that a device with given
// offloads takes. A switch uses it for a port that has fewer than the sender,
// the wrappers use it to look at packets one by one, and a host may use it
// towards a device that has none.
//
// # What a segment is
//
// Each segment has the headers of the large frame with these changes. IP: the
// length; in IPv4 the identification counts up and the header's checksum is
// new. TCP: the sequence number counts up; FIN and PSH are on the last segment
// only and CWR on the first only (RFC 3168 6.1.2); an urgent pointer keeps
// pointing at the same byte. UDP: the length. The transport's checksum is
// complete. The payload is not copied.
//
// # Limits
//
// IPv6 extension headers are repeated as they are; a frame with one that a host
// refuses (a routing header with something left to route among them) is not
// cut. Segments have at least 8 bytes, so that 64 KiB are at most 8192. CWR is
// taken for that of RFC 3168: a connection that uses accurate ECN (RFC 9768)
// means something else by it, and must not have large frames with CWR cut here.
package gso
