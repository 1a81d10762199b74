package workload

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"example.com/berth/bench/internal/host"
	"example.com/berth/bench/internal/usage"
)

const (
	// dialers connect at once when many connections are made.
	dialers = 64
	// perServer is how many connections one server takes: a client has no more
	// ports to one.
	perServer = 25_000
)

// establish makes n connections and holds both ends of them, in no order.
func establish(p *host.Pair, n int) (o *open, took time.Duration, err error) {
	servers := (n + perServer - 1) / perServer
	o = &open{client: make([]net.Conn, n), server: make([]net.Conn, n)}
	defer func() {
		if err != nil {
			o.close()
		}
	}()
	for i := range servers {
		l, err := p.B.Listen("tcp", target(p.B, i))
		if err != nil {
			return o, 0, err
		}
		o.listeners = append(o.listeners, l)
	}
	start := time.Now()
	accepted := make(chan error, servers)
	var next, taken atomic.Int64
	for _, l := range o.listeners {
		go func() { accepted <- o.acceptAll(l, &next, &taken) }()
	}
	if err := o.dialAll(p, servers); err != nil {
		return o, 0, err
	}
	for limit := time.Now().Add(patience); taken.Load() < int64(n); {
		select {
		case err := <-accepted:
			return o, 0, err
		case <-time.After(time.Millisecond):
		}
		if time.Now().After(limit) {
			return o, 0, fmt.Errorf("%d of %d connections were accepted", taken.Load(), n)
		}
	}
	return o, time.Since(start), nil
}

// acceptAll keeps what a listener brings until it is closed.
func (o *open) acceptAll(l net.Listener, next, taken *atomic.Int64) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		o.server[next.Add(1)-1] = c
		taken.Add(1)
	}
}

// dialAll makes the clients' ends.
func (o *open) dialAll(p *host.Pair, servers int) error {
	var next atomic.Int64
	errs := make([]error, dialers)
	var all sync.WaitGroup
	for d := range dialers {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(o.client) {
					return
				}
				c, err := dial(p.A, p.B, i%servers)
				if err != nil {
					errs[d] = fmt.Errorf("connection %d: %w", i, err)
					return
				}
				o.client[i] = c
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// accept is a storm of clients on one listener.
func accept(p *host.Pair, opts Options) (host.Metrics, error) {
	u := usage.Read()
	o, took, err := establish(p, opts.Conns)
	if err != nil {
		return nil, err
	}
	v := usage.Read()
	n := float64(opts.Conns)
	m := host.Metrics{"conns_per_s": n / took.Seconds()}
	v.Since(u, m)
	v.PerOp(u, n, m)
	return m, o.close()
}
