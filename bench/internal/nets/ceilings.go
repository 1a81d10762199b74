package nets

import (
	"example.com/berth/bench/internal/host"
	"example.com/berth/bench/internal/limits"
)

// ceilingNets are bare prototypes of what no stack can exceed: see package
// limits.
var ceilingNets = []host.Net{
	{
		Name: "ceiling-tun", About: "bare TCP over a plain TUN",
		Direct: map[string]func() (host.Metrics, error){
			"bulk1":  overTUN(limits.BareTUN{Send: true}),
			"bulk1r": overTUN(limits.BareTUN{}),
		},
	},
	{
		Name: "ceiling-tun-vnet", About: "bare TCP over a TUN with virtio headers",
		Direct: map[string]func() (host.Metrics, error){
			"bulk1":  overTUN(limits.BareTUN{Vnet: true, Send: true}),
			"bulk1r": overTUN(limits.BareTUN{Vnet: true}),
		},
	},
	{
		Name: "ceiling-wire1500", About: "bare TCP in memory, MTU 1500, checksums",
		Direct: map[string]func() (host.Metrics, error){
			"bulk1": inMemory(limits.BareWire{MSS: 1448, Checksums: true}),
			"rr1": func() (host.Metrics, error) {
				return host.Metrics{"p50_us": limits.BareWire{MSS: 1448, Checksums: true}.RoundTrip()}, nil
			},
		},
	},
	{
		Name: "ceiling-wire64k", About: "bare TCP in memory, segments of 64 KB, no checksums",
		Direct: map[string]func() (host.Metrics, error){
			"bulk1": inMemory(limits.BareWire{MSS: 65000}),
		},
	},
}

func overTUN(t limits.BareTUN) func() (host.Metrics, error) {
	return func() (host.Metrics, error) {
		r, err := t.Run()
		return host.Metrics{"gbps": r.Gbps, "cpu_cores": r.Cores}, err
	}
}

func inMemory(w limits.BareWire) func() (host.Metrics, error) {
	return func() (host.Metrics, error) { return host.Metrics{"gbps": w.Gbps()}, nil }
}
