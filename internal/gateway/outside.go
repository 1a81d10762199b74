package gateway

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// keepAlive is on, since the program's own probes end at the gateway, but as the
// operating system has it, which is silent for hours (RFC 1122 section 4.2.3.6,
// MUST-27); package net's would speak every 15 seconds.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: -1, Interval: -1, Count: -1}

// dial opens a flow by the operating system's sockets. It gives up a little after
// Linux would, whose error says more.
func dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{Timeout: 150 * time.Second, KeepAliveConfig: keepAlive}
	d.SetMultipathTCP(false)
	// An address as it is: there is nothing to resolve, and nothing to race.
	switch network {
	case "tcp":
		return connOf(d.DialTCP(ctx, network, netip.AddrPort{}, to))
	case "udp":
		return connOf(d.DialUDP(ctx, network, netip.AddrPort{}, to))
	}
	return nil, fmt.Errorf("gateway: network %q", network)
}

// connOf keeps a nil pointer out of the interface.
func connOf[C net.Conn](c C, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}
