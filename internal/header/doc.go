// Package header reads and writes the formats of the wire: Ethernet, ARP, IPv4,
// IPv6 and its extension headers, ICMP, neighbor discovery, IGMP, MLD, UDP and
// TCP, and the Internet checksum.
//
// All formats have one shape. Parse fills a struct from the bytes of a packet
// and returns what follows the header, trimmed to the length that the header
// states; Append appends the encoded header to a slice. What Append wrote Parse
// reads back as it was.
//
// Parse never allocates for the formats of the data path, never panics, and
// looks at no byte beyond the slice. Slices in a parsed header (options, a
// quoted packet) share the memory of the packet. Formats that carry lists
// (router advertisements, group reports) allocate, bounded by the packet.
//
// # Checksums
//
// Headers whose checksum covers nothing but themselves are verified by Parse
// and completed by Append: IPv4 and IGMP. The checksums of UDP, TCP and ICMP
// cover a payload, and for most a pseudo-header; a device may have verified
// them or may be about to compute them. They are fields like others, and
// [Sum], [PseudoSum] and [Fold] compute them.
//
// # Limits
//
// Parse checks the syntax of one header. What a host does with it (which
// addresses may be a source, which hop limit neighbor discovery demands) is the
// business of the rooms above. No 802.1Q tags, no 802.3 length frames, no
// jumbograms, no authentication header.
package header
