package netconn_test

import (
	"net/netip"
	"testing"

	"example.com/berth/kernel"
	"example.com/berth/netconn/netconntest"
)

// The operating system's own sockets pass what package net promises.
func TestKernel(t *testing.T) {
	netconntest.Run(t, netconntest.Network{
		Client: kernel.Sockets(), Server: kernel.Sockets(),
		Addr4: netip.MustParseAddr("127.0.0.1"), Addr6: netip.IPv6Loopback(),
	})
}
