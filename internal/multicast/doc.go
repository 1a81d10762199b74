// Package multicast is membership in multicast groups: what sockets ask for, and
// what an interface tells the routers on its link.
//
// [Filter] is a socket's part: which groups it joined, on which interfaces, and
// from which sources it takes their packets (RFC 3678, with the errors of
// Linux). Each call that changes it gives a [Change], which the host applies to
// the interface that it names.
//
// [Interface] is an interface's part, once for IPv4 and once for IPv6: it merges
// what the sockets ask for (RFC 3376 section 3.2, RFC 3810 section 4.2), decides
// which packets are taken, and speaks the listener's side of IGMPv3 (RFC 3376)
// or MLDv2 (RFC 3810), and of IGMPv2, IGMPv1 (RFC 2236) or MLDv1 (RFC 2710) where
// a router asks in one of those. The protocols differ in their messages and
// hardly in their rules; what is said here of groups and queries holds for all.
//
// Both are pure: they take the time as an argument, hold no lock, and send
// nothing. An interface leaves [Message]s for the host, which Take gives.
//
// # Limits
//
// Memberships and sources of a socket are limited as on Linux ([Limits]), and so
// the state of an interface is bounded by the number of sockets. From the wire
// come only queries: for each group at most maxQueried sources are remembered;
// a query for more is answered with the whole state of the group. Reports wait
// in timers, never in queues: however many queries come, a group is reported
// once in each response time.
package multicast
