// Package netconntest is what package netconn promises, as tests that run over
// any provider.
//
//	netconntest.Run(t, netconntest.Network{
//		Client: kernel.Sockets(), Server: kernel.Sockets(),
//		Addr4: netip.MustParseAddr("127.0.0.1"), Addr6: netip.IPv6Loopback(),
//	})
//
// Where it matters how package net answers the same mistake, package net is
// asked, on the loopback of the operating system, and the answers are compared.
package netconntest
