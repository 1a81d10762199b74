package workload

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"example.com/berth/bench/internal/host"
)

// patience is how long one connection may take.
const patience = 20 * time.Second

// dial connects to a server of the other host.
func dial(from, to host.Host, server int) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return from.Dial(ctx, "tcp", target(to, server))
}

// open is a set of connections, both ends of each.
type open struct {
	listeners []net.Listener
	client    []net.Conn
	server    []net.Conn
	background
}

// background is what runs beside the workload, and the first error of it.
type background struct {
	running sync.WaitGroup
	mu      sync.Mutex // guards err and ended
	err     error
	ended   bool
}

// run runs f beside the workload. Its error counts unless the workload has
// ended by then: ending it breaks its connections.
func (b *background) run(f func() error) {
	b.running.Go(func() {
		err := f()
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.err == nil && !b.ended {
			b.err = err
		}
	})
}

// end returns the first error, and takes no more.
func (b *background) end() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	return b.err
}

// connect makes n connections, one after the other, and pairs their ends.
func connect(p *host.Pair, n int) (o *open, err error) {
	l, err := p.B.Listen("tcp", target(p.B, 0))
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	o = &open{listeners: []net.Listener{l}}
	defer func() {
		if err != nil {
			o.close()
		}
	}()
	for range n {
		type result struct {
			c   net.Conn
			err error
		}
		accepted := make(chan result, 1)
		go func() {
			c, err := l.Accept()
			accepted <- result{c, err}
		}()
		c, err := dial(p.A, p.B, 0)
		if err != nil {
			return o, fmt.Errorf("dial: %w", err)
		}
		o.client = append(o.client, c)
		r := <-accepted
		if r.err != nil {
			return o, fmt.Errorf("accept: %w", r.err)
		}
		o.server = append(o.server, r.c)
	}
	return o, nil
}

// close ends the connections and waits for what runs on them. The error is the
// first that came before.
func (o *open) close() error {
	err := o.end()
	for _, conns := range [][]net.Conn{o.client, o.server} {
		for _, c := range conns {
			if c != nil {
				c.Close()
			}
		}
	}
	for _, l := range o.listeners {
		l.Close()
	}
	o.running.Wait()
	return err
}
