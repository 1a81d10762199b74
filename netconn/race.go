package netconn

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// fallbackDelay is how long package net waits for the first family.
const fallbackDelay = 300 * time.Millisecond

// partition splits addresses into those of the first one's family and the
// others.
func partition(list []netip.AddrPort) (first, second []netip.AddrPort) {
	for _, a := range list {
		if a.Addr().Is4() == list[0].Addr().Is4() {
			first = append(first, a)
		} else {
			second = append(second, a)
		}
	}
	return first, second
}

// outcome is how one family's attempts ended.
type outcome struct {
	conn    net.Conn
	err     error
	primary bool
}

// race tries the addresses of two families side by side, the second after a
// delay, or as soon as the first has failed (RFC 8305 section 5). What the
// loser may still get is closed.
func (a *attempt) race(ctx context.Context, first, second []netip.AddrPort) (net.Conn, error) {
	if len(second) == 0 {
		return a.serial(ctx, first)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	outcomes := make(chan outcome, 2) // none waits to tell
	run := func(list []netip.AddrPort, primary bool) {
		c, err := a.serial(ctx, list)
		outcomes <- outcome{c, err, primary}
	}
	go run(first, true)
	running := 1
	delay := a.FallbackDelay
	if delay == 0 {
		delay = fallbackDelay
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	started := false
	start := func() {
		if !started {
			started = true
			running++
			go run(second, false)
		}
	}
	var err error
	for running > 0 {
		select {
		case <-timer.C:
			start()
		case o := <-outcomes:
			running--
			if o.err == nil {
				closeRest(outcomes, running)
				return o.conn, nil
			}
			if o.primary || err == nil {
				err = o.err // the first family's error is the one to tell
			}
			if o.primary {
				start()
			}
		}
	}
	return nil, err
}

// closeRest closes the connections that n attempts may yet bring.
func closeRest(outcomes <-chan outcome, n int) {
	if n == 0 {
		return
	}
	go func() {
		for range n {
			if o := <-outcomes; o.err == nil {
				o.conn.Close()
			}
		}
	}()
}
