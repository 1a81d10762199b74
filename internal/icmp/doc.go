// Package icmp is the rules of ICMP for IPv4 and IPv6, as functions: when a
// host may answer a packet with an error (MaySend4, MaySend6), what the error
// looks like (AppendError4, AppendError6), how many it sends ([Limiter]), and
// what an error that it receives means ([Parse4], [Parse6], [Errno4], [Errno6]).
//
// The host finds the source address and the route of a message, and delivers
// what was parsed to the transport whose packet is quoted. Whether the quoted
// packet is one that the transport really sent only the transport can tell, and
// must, before it believes the error (RFC 5927).
//
// Neighbor discovery, multicast listener discovery and IGMP live elsewhere.
// Source quench is ignored (RFC 6633), timestamp and address mask requests are
// not answered.
package icmp
