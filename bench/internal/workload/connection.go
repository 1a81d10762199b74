package workload

import (
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"example.com/berth/bench/internal/host"
)

// connections makes whole connections, n at once: connect, one byte each way,
// close.
func connections(n int) func(*host.Pair, Options) (host.Metrics, error) {
	return func(p *host.Pair, opts Options) (host.Metrics, error) {
		l, err := p.B.Listen("tcp", target(p.B, 0))
		if err != nil {
			return nil, err
		}
		defer l.Close()
		go serveEach(l)
		most := int64(opts.MaxConns)
		if p.StreamsOnly {
			most = 0 // there are no ports to run out of
		}
		var made atomic.Int64
		m, err := timed(n, opts, func(_ int, ph *phase) ([]time.Duration, error) {
			took := make([]time.Duration, 0, 1<<16)
			for !ph.over.Load() && (most == 0 || made.Load() < most) {
				start := time.Now()
				if err := oneConnection(p); err != nil {
					return took, fmt.Errorf("after %d connections: %w", made.Load(), err)
				}
				made.Add(1)
				took = ph.record(took, start)
			}
			return took, nil
		})
		if err == nil && most > 0 && made.Load() >= most {
			err = fmt.Errorf("out of connections after %d: measure for a shorter time", made.Load())
		}
		m["conns_per_s"] = m["tps"]
		return m, err
	}
}

// oneConnection is a client's part.
func oneConnection(p *host.Pair) error {
	c, err := dial(p.A, p.B, 0)
	if err != nil {
		return err
	}
	defer c.Close()
	out, in := []byte{'q'}, make([]byte, 1)
	if _, err := c.Write(out); err != nil {
		return err
	}
	if _, err := c.Read(in); err != nil {
		return err
	}
	if in[0] != out[0] {
		return fmt.Errorf("%d was sent and %d came back", out[0], in[0])
	}
	return nil
}

// serveEach answers each connection on a goroutine of its own.
func serveEach(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			buf := make([]byte, 1)
			if _, err := c.Read(buf); err != nil {
				return
			}
			if _, err := c.Write(buf); err != nil {
				return
			}
			c.Read(buf) // until the client closes: it shall be the one in TIME-WAIT
		}()
	}
}
