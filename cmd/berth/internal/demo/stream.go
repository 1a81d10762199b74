package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"example.com/berth/cmd/berth/internal/machine"
	"example.com/berth/socket"
)

// echoPort is where bob's echo servers are.
const echoPort = 50007

// stream is the first scene: alice sends to an echo server on bob and compares
// what comes back, with the calls of the Berkeley interface.
func (n *network) stream(ctx context.Context) (note string, err error) {
	server := make(chan error, 1)
	ready := make(chan struct{})
	go func() { server <- n.streamServer(ctx, ready) }()
	select {
	case <-ready:
	case err := <-server:
		return "", err
	}
	if note, err = n.streamClient(ctx); err != nil {
		return "", err
	}
	return note, <-server
}

func (n *network) streamServer(ctx context.Context, ready chan<- struct{}) error {
	l, err := n.bob.open(n.trace, socket.INET, socket.STREAM, 0)
	if err != nil {
		return err
	}
	if err := l.bind(netip.AddrPortFrom(n.bob.v4, echoPort)); err != nil {
		return err
	}
	if err := l.listen(8); err != nil {
		return err
	}
	close(ready)
	c, err := l.accept(ctx)
	if err != nil {
		return err
	}
	defer machine.EndWith(ctx, c.s)()
	buf := make([]byte, 64<<10)
	for {
		k, err := c.recv(buf, excerpt)
		if err != nil {
			return err
		}
		if k == 0 { // alice has ended her half; so does bob
			return c.close()
		}
		if err := c.send(buf[:k], excerpt); err != nil {
			return err
		}
	}
}

// messages are what alice sends: a line, and more than fits a segment.
func messages() [][]byte {
	return [][]byte{
		[]byte("Hello from alice."),
		bytes.Repeat([]byte("0123456789abcdef"), 250),
	}
}

func (n *network) streamClient(ctx context.Context) (note string, err error) {
	c, err := n.alice.open(n.trace, socket.INET, socket.STREAM, 0)
	if err != nil {
		return "", err
	}
	if err := c.connect(ctx, netip.AddrPortFrom(n.bob.v4, echoPort)); err != nil {
		return "", err
	}
	defer machine.EndWith(ctx, c.s)()
	total := 0
	for _, m := range messages() {
		if err := c.send(m, excerpt); err != nil {
			return "", err
		}
		back, err := c.recvAll(len(m))
		if err != nil {
			return "", err
		}
		if !bytes.Equal(back, m) {
			return "", fmt.Errorf("%d bytes came back changed", len(m))
		}
		total += len(m)
	}
	if err := c.shutdown(); err != nil {
		return "", err
	}
	k, err := c.recv(make([]byte, 1), excerpt)
	if err != nil {
		return "", err
	}
	if k != 0 {
		return "", errors.New("something came behind the end")
	}
	return fmt.Sprintf("%s bytes came back", grouped(total)), c.close()
}

// recvAll receives n bytes.
func (a *actor) recvAll(n int) ([]byte, error) {
	buf := make([]byte, n)
	for got := 0; got < n; {
		k, err := a.recv(buf[got:], excerpt)
		if err != nil {
			return nil, err
		}
		if k == 0 {
			return nil, io.ErrUnexpectedEOF
		}
		got += k
	}
	return buf, nil
}
