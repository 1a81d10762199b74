// Package reassembly puts the fragments of IPv4 and IPv6 packets together again
// (RFC 791 3.2, RFC 8200 4.5), and says where to cut packets that are too long.
//
// A [Table] holds the packets that are not complete yet. It is a pure room: it
// has no clock and no lock, and is told the time with each call.
//
// Fragments are where many attacks begin, since a receiver has to keep what it
// cannot check yet. So:
//
//   - Nothing overlaps. A fragment that overlaps others without being a
//     duplicate of one ends its packet (RFC 5722 4, RFC 8200 4.5), in IPv4 too,
//     as on Linux.
//   - What is held is bounded in bytes, those of bookkeeping included: for all,
//     for each source, and in number of fragments for each packet. See [Limits]
//     for what makes room.
//   - A packet has 30 s (IPv4) or 60 s (IPv6) from its first-arriving fragment;
//     what comes later does not lengthen that.
//   - The first fragment of IPv6 holds all headers, or is refused (RFC 7112).
//     In IPv4 a first fragment of 8 bytes is legal (RFC 791 3.2), and harmless
//     to one who looks at the transport's header only in the whole packet.
//
// A complete packet comes out as it was before it was cut, in one piece of
// memory, so that it can be taken in like any other.
package reassembly
