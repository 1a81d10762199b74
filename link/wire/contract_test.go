package wire_test

import (
	"testing"

	"example.com/berth/link"
	"example.com/berth/link/linktest"
	"example.com/berth/link/wire"
)

func TestContract(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts []wire.Option
	}{
		{"default", nil},
		{"Ethernet", []wire.Option{wire.Ethernet()}},
		{"no offload", []wire.Option{wire.Offload(0)}},
		{"checksum only", []wire.Option{wire.Ethernet(), wire.Offload(link.OffloadChecksum)}},
		{"largest MTU", []wire.Option{wire.MTU(65535)}},
		{"smallest MTU", []wire.Option{wire.MTU(68)}},
		{"small queue", []wire.Option{wire.Queue(1)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			linktest.Run(t, func(*testing.T) (a, b link.Device) { return wire.Pair(tt.opts...) })
		})
	}
	t.Run("switch", func(t *testing.T) {
		linktest.Run(t, func(*testing.T) (a, b link.Device) {
			s := wire.NewSwitch()
			return s.Port(), s.Port()
		})
	})
	t.Run("switch to a port without offload", func(t *testing.T) {
		linktest.Run(t, func(*testing.T) (a, b link.Device) {
			s := wire.NewSwitch()
			return s.Port(), s.Port(wire.Offload(0))
		})
	})
	t.Run("hub", func(t *testing.T) {
		linktest.Run(t, func(*testing.T) (a, b link.Device) {
			h := wire.NewHub()
			return h.Port(), h.Port()
		})
	})
}
