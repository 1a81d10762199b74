// Package autoconf gives an interface its addresses, and takes what routers say.
//
// [Interface] is the IPv6 side: the link-local address, duplicate address
// detection for every address (RFC 4862 section 5.4, with the nonce of RFC
// 7527), router solicitations (RFC 4861 section 6.3.7, RFC 7559), and router
// advertisements: default routers with their preference and more specific routes
// (RFC 4191), on-link prefixes, stateless address autoconfiguration with the
// identifiers of RFC 7217 or of EUI-64, temporary addresses (RFC 8981, if asked
// for), the link's MTU, hop limit and timers, and DNS servers and search domains
// (RFC 8106).
//
// [ACD] is the IPv4 side: address conflict detection (RFC 5227).
//
// Both are pure: they take the time as an argument, hold no lock, and send
// nothing, but leave [Action]s for the host, which [Interface.Take] gives.
// Received messages are validated before (package neighbor's Check methods).
//
// # Limits
//
// Advertisements are not authenticated, so what they may make a host keep is
// bounded: MaxAddresses, MaxPrefixes, MaxRoutes (the default routes among them),
// and MaxDNS servers and domains each. A full list refuses what is new, except
// that a route gives way to one of higher preference, and the DNS entry that
// ends first to a new one (RFC 8106 section 6.2). [Stats] counts what was
// refused. A forged advertisement cannot take an address away within two hours
// (RFC 4862 section 5.5.3 e).
package autoconf
