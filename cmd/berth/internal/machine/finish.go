package machine

import (
	"context"
	"time"

	"example.com/berth/kernel"
	"example.com/berth/netconn"
)

// longest is how long a peer may take for what is still to be sent.
const longest = 24 * time.Hour

// Finish closes a connection whose exchange has ended well. On a host of berth's
// own, which ends with the command, it waits until the peer has everything, or
// ctx ends; the kernel sees to that by itself.
func (m *Machine) Finish(ctx context.Context, c *netconn.TCPConn) error {
	if m.Provider == kernel.Sockets() {
		return c.Close()
	}
	if err := c.SetLinger(int(longest / time.Second)); err != nil {
		return err
	}
	closed := make(chan error, 1)
	go func() { closed <- c.Close() }()
	select {
	case err := <-closed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
