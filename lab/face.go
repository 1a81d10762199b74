package lab

import (
	"context"
	"net"
	"net/http"

	"example.com/berth/netconn"
	"example.com/berth/socket"
)

// face is what a host gives to programs that know package net.
type face struct {
	provider socket.Provider
	names    netconn.Resolver
}

// Listen listens on a TCP address, as net.Listen.
func (f *face) Listen(network, address string) (net.Listener, error) {
	lc := netconn.ListenConfig{Provider: f.provider, Resolver: f.names}
	return lc.Listen(context.Background(), network, address)
}

// ListenPacket opens an address for datagrams, as net.ListenPacket.
func (f *face) ListenPacket(network, address string) (net.PacketConn, error) {
	lc := netconn.ListenConfig{Provider: f.provider, Resolver: f.names}
	return lc.ListenPacket(context.Background(), network, address)
}

// Dial connects to an address, as net.Dial: "web:80".
func (f *face) Dial(network, address string) (net.Conn, error) {
	return f.DialContext(context.Background(), network, address)
}

// DialContext connects to an address, as net.Dialer.DialContext.
func (f *face) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	d := f.Dialer()
	return d.DialContext(ctx, network, address)
}

// Dialer returns a dialer of this host, to be changed at will.
func (f *face) Dialer() *netconn.Dialer {
	return &netconn.Dialer{Provider: f.provider, Resolver: f.names}
}

// Transport returns a new http.Transport whose connections are this host's.
func (f *face) Transport() *http.Transport {
	return &http.Transport{DialContext: f.DialContext, ForceAttemptHTTP2: true}
}

// HTTPClient returns a new http.Client whose connections are this host's. Those
// that stay idle end with the network.
func (f *face) HTTPClient() *http.Client { return &http.Client{Transport: f.Transport()} }
