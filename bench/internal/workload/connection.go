package workload

import (
	"context"
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
		most, servers := int64(opts.MaxConns), (opts.MaxConns+perServer-1)/perServer
		if p.StreamsOnly {
			most, servers = 0, 1 // there are no ports to run out of
		}
		addrs := make([]string, servers)
		for i := range addrs {
			addrs[i] = target(p.B, i)
			l, err := p.B.Listen("tcp", addrs[i])
			if err != nil {
				return nil, err
			}
			defer l.Close()
			go serveEach(l)
		}
		var made atomic.Int64
		m, err := timed(n, opts, func(_ int, ph *phase) ([]time.Duration, error) {
			took := make([]time.Duration, 0, 1<<16)
			buf := make([]byte, 1)
			for !ph.over.Load() {
				i := made.Add(1) - 1
				if most > 0 && i >= most {
					break
				}
				start := time.Now()
				if err := oneConnection(p.A, addrs[int(i)/perServer%servers], buf); err != nil {
					return took, fmt.Errorf("after %d connections: %w", i, err)
				}
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
func oneConnection(client host.Host, server string, buf []byte) error {
	c, err := client.Dial(context.Background(), "tcp", server)
	if err != nil {
		return err
	}
	defer c.Close()
	const question = 'q'
	buf[0] = question
	if _, err := c.Write(buf); err != nil {
		return err
	}
	buf[0] = 0
	if _, err := c.Read(buf); err != nil {
		return err
	}
	if buf[0] != question {
		return fmt.Errorf("%d was sent and %d came back", question, buf[0])
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
