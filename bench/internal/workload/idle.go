package workload

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"runtime/debug"
	"time"

	"example.com/berth/bench/internal/host"
	"example.com/berth/bench/internal/usage"
)

// settle is how long connections rest before their memory is read: longer than
// delayed acknowledgements and the like.
const settle = 500 * time.Millisecond

// idle tells what one end of a connection costs that is silent now and has
// carried a byte each way before, as real ones have.
func idle(p *host.Pair, opts Options) (host.Metrics, error) {
	x := usage.ReadMemory()
	o, _, err := establish(p, opts.Conns)
	if err != nil {
		return nil, err
	}
	if err := exchangeByte(p, o); err != nil {
		return nil, err
	}
	time.Sleep(settle)
	y := usage.ReadMemory()
	ends := 2 * float64(opts.Conns)
	each := func(d float64) float64 { return d / ends }
	m := host.Metrics{"slab_B": each(y.Slab - x.Slab)}
	if p.OneSided {
		ends /= 2
	}
	m["heap_B"] = each(y.Heap - x.Heap)
	m["stack_B"] = each(y.Stack - x.Stack)
	m["rss_B"] = each(y.RSS - x.RSS)
	m["goroutines"] = each(float64(y.Goroutines - x.Goroutines))
	m["bytes_per_end"] = m["heap_B"] + m["stack_B"]
	runtime.KeepAlive(o)
	return m, o.close()
}

// exchangeByte lets each connection carry a byte both ways. The two ends of an
// index need not be of one connection, so all write before any reads.
func exchangeByte(p *host.Pair, o *open) error {
	if p.StreamsOnly { // without buffers nobody can write before somebody reads
		return nil
	}
	ends := [][]net.Conn{o.client, o.server}
	for _, conns := range ends {
		for _, c := range conns {
			if _, err := c.Write([]byte{'x'}); err != nil {
				return err
			}
		}
	}
	buf := make([]byte, 1)
	for _, conns := range ends {
		for _, c := range conns {
			if _, err := io.ReadFull(c, buf); err != nil || buf[0] != 'x' {
				return fmt.Errorf("%q was read: %w", buf, err)
			}
		}
	}
	return nil
}

// memoryLimit is GOMEMLIMIT for million: the collector may overshoot it, and the
// process is to stay within 4 GiB.
const memoryLimit = 7 << 29

// million holds as many connections as Options.Million says, both ends of each
// in this process, within 4 GiB, and shows that they live.
func million(p *host.Pair, opts Options) (host.Metrics, error) {
	debug.SetMemoryLimit(max(memoryLimit/1_000_000*int64(opts.Million), 64<<20))
	x := usage.ReadMemory()
	o, took, err := establish(p, opts.Million)
	if err != nil {
		return nil, err
	}
	if err := exchangeByte(p, o); err != nil {
		return nil, err
	}
	time.Sleep(settle)
	peak := usage.KBytes("/proc/self/status", "VmHWM:")
	y := usage.ReadMemory()
	ends := 2 * float64(opts.Million)
	const gib = 1 << 30
	m := host.Metrics{
		"rss_GiB":       y.RSS / gib,
		"peak_GiB":      peak / gib,
		"bytes_per_end": (y.Heap - x.Heap) / ends,
		"goroutines":    float64(y.Goroutines - x.Goroutines),
		"conns":         float64(opts.Million),
		"conns_per_s":   float64(opts.Million) / took.Seconds(),
	}
	runtime.KeepAlive(o)
	return m, o.end() // the process ends: nobody needs them closed
}
