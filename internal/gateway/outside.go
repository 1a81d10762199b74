package gateway

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// dial opens a flow by the operating system's sockets. It gives up a little after
// Linux would, whose error says more.
func dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{Timeout: 150 * time.Second}
	d.SetMultipathTCP(false)
	return d.DialContext(ctx, network, to.String())
}
