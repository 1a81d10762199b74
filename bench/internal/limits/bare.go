package limits

import (
	"fmt"
	"math"
	"runtime"
)

// bare are the bare stacks.
func bare() (rows []Row) {
	onPs := func(procs int, measure func() float64) func() float64 {
		return func() float64 {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			return measure()
		}
	}
	for _, procs := range []int{1, 2} {
		for _, w := range []BareWire{{1448, true}, {1448, false}, {65000, true}, {65000, false}} {
			rows = append(rows, Row{
				fmt.Sprintf("bare TCP in memory, %d P, MSS %d, checksums %v", procs, w.MSS, w.Checksums),
				"Gbit/s", true, onPs(procs, w.Gbps),
			})
		}
		rows = append(rows, Row{
			fmt.Sprintf("bare TCP in memory, %d P, a byte there and back", procs),
			"us", false, onPs(procs, BareWire{MSS: 1448, Checksums: true}.RoundTrip),
		})
	}
	for _, t := range []BareTUN{{true, true}, {true, false}, {false, true}, {false, false}} {
		kind, way := "plain", "from the kernel"
		if t.Vnet {
			kind = "virtio header"
		}
		if t.Send {
			way = "to the kernel"
		}
		rows = append(rows, Row{fmt.Sprintf("bare TCP over TUN (%s), %s", kind, way), "Gbit/s", true, func() float64 {
			r, err := t.Run()
			if err != nil {
				return math.NaN()
			}
			return r.Gbps
		}})
	}
	return rows
}
