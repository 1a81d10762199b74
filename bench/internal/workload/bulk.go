package workload

import (
	"net"
	"sync/atomic"
	"time"

	"example.com/berth/bench/internal/host"
	"example.com/berth/bench/internal/pattern"
	"example.com/berth/bench/internal/stat"
	"example.com/berth/bench/internal/usage"
)

type direction int

const (
	forth direction = iota
	back
	both
)

// mss is the payload of a full packet of 1500 bytes: costs are stated for one.
const mss = 1448

// bulk moves data over n connections as fast as they take them.
func bulk(n int, d direction) func(*host.Pair, Options) (host.Metrics, error) {
	return func(p *host.Pair, opts Options) (host.Metrics, error) {
		o, err := connect(p, n)
		if err != nil {
			return nil, err
		}
		var total atomic.Int64
		for i, c := range o.client {
			s := o.server[i]
			if d != back {
				o.stream(c, s, opts.Block, &total)
			}
			if d != forth {
				o.stream(s, c, opts.Block, &total)
			}
		}
		m := measureBytes(&total, opts)
		return m, o.close()
	}
}

// stream writes to one end and reads from the other until they are closed.
func (o *open) stream(from, to net.Conn, block int, total *atomic.Int64) {
	o.run(func() error {
		for out := pattern.NewSource(block); ; {
			if _, err := from.Write(out.Next(block)); err != nil {
				return err
			}
		}
	})
	o.run(func() error {
		in, buf := pattern.NewSink(), make([]byte, block)
		for {
			n, err := to.Read(buf)
			if err != nil {
				return err
			}
			if err := in.Check(buf[:n]); err != nil {
				return err
			}
			total.Add(int64(n))
		}
	})
}

// measureBytes tells how many bytes arrived, and what they cost.
func measureBytes(total *atomic.Int64, opts Options) host.Metrics {
	time.Sleep(opts.Warm)
	u, n := usage.Read(), total.Load()
	time.Sleep(opts.Time)
	v := usage.Read()
	bytes := float64(total.Load() - n)
	m := host.Metrics{}
	v.Since(u, m)
	bits := bytes * 8 / v.At.Sub(u.At).Seconds()
	m["gbps"] = bits / 1e9
	m["mbps"] = bits / 1e6
	m["cpu_s_per_GB"] = stat.Ratio((v.CPU - u.CPU).Seconds(), bytes/1e9)
	m["allocs_per_mss"] = stat.Ratio(float64(v.Mallocs-u.Mallocs), bytes/mss)
	m["alloc_B_per_mss"] = stat.Ratio(float64(v.Bytes-u.Bytes), bytes/mss)
	return m
}

// goodput is bulk1 from the first byte on: slow start counts, which is what a
// long or lossy path is about, but not alone: it takes five times as long.
func goodput(p *host.Pair, opts Options) (host.Metrics, error) {
	opts.Warm = 0
	opts.Time *= 5
	return bulk(1, forth)(p, opts)
}
