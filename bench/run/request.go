package main

import (
	"fmt"
	"io"
	"net"
	"sync"
)

// exchange has a byte come back.
func exchange(c net.Conn, b byte) error {
	buf := [1]byte{b}
	if _, err := c.Write(buf[:]); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, buf[:]); err != nil {
		return err
	}
	if buf[0] != b {
		return fmt.Errorf("%#x came back for %#x", buf[0], b)
	}
	return nil
}

// requests exchanges bytes on n connections.
func requests(r *inside, n int) error {
	for range n {
		c, err := r.dial(askEcho)
		if err != nil {
			return err
		}
		var b byte
		go r.work(func() error {
			b++
			return exchange(c, b)
		})
	}
	return nil
}

// connections makes connections for a byte each, n at a time. They end by a reset
// once all has been said, so that no ports are left in TIME-WAIT.
func connections(r *inside, n int) error {
	for i := range n {
		b := byte(i)
		go r.work(func() error {
			c, err := r.dial(askEcho)
			if err != nil {
				return err
			}
			defer c.Close()
			b++
			if err := exchange(c, b); err != nil {
				return err
			}
			return c.(*net.TCPConn).SetLinger(0)
		})
	}
	return nil
}

// hold makes n connections that have been used, and are idle.
func hold(r *inside, n int) error {
	const atOnce = 8
	held := make(chan net.Conn, n)
	errs := make(chan error, n)
	var workers sync.WaitGroup
	for i := range atOnce {
		workers.Go(func() {
			for k := i; k < n; k += atOnce {
				c, err := r.dial(askEcho)
				if err == nil {
					err = exchange(c, byte(k))
				}
				if err != nil {
					errs <- fmt.Errorf("connection %d of %d: %w", k, n, err)
					return
				}
				held <- c // for as long as the process runs
			}
		})
	}
	workers.Wait()
	select {
	case err := <-errs:
		return err
	default:
		r.held = held
		return nil
	}
}
