// Package route decides where a packet goes and what it is sent from.
//
//   - [Table] is the routing table: the longest prefix wins, then the lowest
//     metric, then the route that was added first. A table never changes; Add
//     and Remove return another one that shares what did not change, so that a
//     host swaps a pointer and readers take no lock.
//   - [Selector] chooses among a host's own addresses the source for a
//     destination, and puts several destinations in the order to try them
//     (RFC 6724; for IPv4 the source is chosen as Linux does).
//   - [MTUCache] remembers the path MTU of destinations that ICMP told about.
//   - [Redirects] remembers what gateways said of better next hops.
//   - [Gateways] knows which gateways have stopped answering, and when to ask them.
//
// All are plain data: no goroutine, no lock, no clock. A Table and a Selector
// may be read by anybody; the cache is its owner's to lock.
//
// Limits: there is one table, without policy routing, types of service or
// multipath; a second route with the same prefix is kept and used only for
// lookups that the first does not fit, or while its gateway does not answer. Rules 4 (home addresses), 5.5
// (the router that announced the prefix) and 7 of section 6 (native transport)
// of RFC 6724 do not apply: a host has no mobility and no tunnels of its own.
package route
