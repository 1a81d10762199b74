package workload

import (
	"fmt"
	"net"
	"time"

	"example.com/berth/bench/internal/host"
)

// requests sends one byte and waits for it to come back, on n connections.
func requests(n int) func(*host.Pair, Options) (host.Metrics, error) {
	return func(p *host.Pair, opts Options) (host.Metrics, error) {
		o, err := connect(p, n)
		if err != nil {
			return nil, err
		}
		for _, c := range o.server {
			o.run(func() error { return echo(c) })
		}
		m, err := timed(n, opts, func(i int, ph *phase) ([]time.Duration, error) {
			return pingPong(o.client[i], ph)
		})
		if closed := o.close(); err == nil {
			err = closed
		}
		return m, err
	}
}

// pingPong sends a byte, another each time, and waits until it is back.
func pingPong(c net.Conn, ph *phase) ([]time.Duration, error) {
	took := make([]time.Duration, 0, 1<<18)
	out, in := make([]byte, 1), make([]byte, 1)
	for !ph.over.Load() {
		out[0]++
		start := time.Now()
		if _, err := c.Write(out); err != nil {
			return took, err
		}
		if _, err := c.Read(in); err != nil {
			return took, err
		}
		if in[0] != out[0] {
			return took, fmt.Errorf("%d was sent and %d came back", out[0], in[0])
		}
		took = ph.record(took, start)
	}
	return took, nil
}

// echo sends back what comes.
func echo(c net.Conn) error {
	buf := make([]byte, 64)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return err
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return err
		}
	}
}
