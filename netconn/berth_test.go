package netconn_test

import (
	"net/netip"
	"testing"

	"example.com/berth"
	"example.com/berth/link"
	"example.com/berth/link/wire"
	"example.com/berth/netconn/netconntest"
)

// Two berth hosts on a wire pass what package net promises.
func TestBerth(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts []wire.Option
	}{
		{"IP", nil},
		{"Ethernet without offload", []wire.Option{wire.Ethernet(), wire.Offload(0)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			netconntest.Run(t, hosts(t, nil, tt.opts...))
		})
	}
}

// One host with itself, over lo.
func TestBerthLoopback(t *testing.T) {
	h := berth.NewHost(berth.Config{})
	t.Cleanup(func() { h.Close() })
	netconntest.Run(t, netconntest.Network{
		Client: h, Server: h,
		Addr4: netip.MustParseAddr("127.0.0.1"), Addr6: netip.IPv6Loopback(),
	})
}

// hosts is two hosts on a wire, with wrap, if not nil, around the client's
// device.
func hosts(t *testing.T, wrap func(link.Device) link.Device, opts ...wire.Option) netconntest.Network {
	t.Helper()
	a, b := wire.Pair(opts...)
	var dev link.Device = a
	if wrap != nil {
		dev = wrap(a)
	}
	return netconntest.Network{
		Client: hostOn(t, dev, "10.0.0.1/24", "fd00::1/64"),
		Server: hostOn(t, b, "10.0.0.2/24", "fd00::2/64"),
		Addr4:  netip.MustParseAddr("10.0.0.2"), Addr6: netip.MustParseAddr("fd00::2"),
	}
}

// hostOn is a host attached to a device. It is closed when the test ends.
func hostOn(t *testing.T, dev link.Device, prefixes ...string) *berth.Host {
	t.Helper()
	h := berth.NewHost(berth.Config{})
	if _, err := h.Attach(dev, prefixes...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}
