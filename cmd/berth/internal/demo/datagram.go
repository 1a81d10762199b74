package demo

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"

	"example.com/berth/cmd/berth/internal/machine"
	"example.com/berth/socket"
)

const (
	// questions is how many datagrams, and how many echo requests, are sent.
	questions = 4
	// attempts is how often each of them is sent before it is given up.
	attempts = 12
)

// datagrams is the second scene: the same on datagram sockets. Nothing sends
// again what is lost, so alice does it herself.
func (n *network) datagrams(ctx context.Context) (note string, err error) {
	s, err := n.bob.open(n.trace, socket.INET, socket.DGRAM, 0)
	if err != nil {
		return "", err
	}
	if err := s.bind(netip.AddrPortFrom(n.bob.v4, echoPort)); err != nil {
		return "", err
	}
	go s.sendBack(ctx)

	c, err := n.alice.open(n.trace, socket.INET, socket.DGRAM, 0)
	if err != nil {
		return "", err
	}
	if err := c.connect(ctx, netip.AddrPortFrom(n.bob.v4, echoPort)); err != nil {
		return "", err
	}
	again := 0
	for i := range questions {
		m := fmt.Sprintf("datagram %d", i+1)
		k, err := c.insist(ctx, n.patience(),
			func() error { return c.send([]byte(m), excerpt) },
			func(buf []byte) (bool, error) {
				k, err := c.recv(buf, excerpt)
				return err == nil && string(buf[:k]) == m, err
			})
		if err != nil {
			return "", fmt.Errorf("%s: %w", m, err)
		}
		again += k - 1
	}
	return fmt.Sprintf("%d of %d came back%s", questions, questions, resent(again)), nil
}

// sendBack is the server. It ends with the host.
func (a *actor) sendBack(ctx context.Context) {
	defer machine.EndWith(ctx, a.s)()
	buf := make([]byte, 2048)
	for {
		k, from, err := a.recvFrom(buf, excerpt)
		if err != nil {
			return
		}
		if a.sendTo(buf[:k], excerpt, from) != nil {
			return
		}
	}
}

// insist sends and waits for the answer, again and again, longer each time. It
// returns how often it sent.
func (a *actor) insist(ctx context.Context, patience time.Duration, send func() error, recv func([]byte) (bool, error)) (int, error) {
	defer machine.EndWith(ctx, a.s)()
	defer a.s.SetReadDeadline(time.Time{})
	buf := make([]byte, 2048)
	for k := 1; k <= attempts; k++ {
		if err := send(); err != nil {
			return k, err
		}
		if err := a.s.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return k, err
		}
		for {
			if ctx.Err() != nil { // its end may have come before the deadline was set
				return k, ctx.Err()
			}
			answered, err := recv(buf)
			if answered {
				return k, nil
			}
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				return k, err
			}
		}
		patience *= 2
	}
	return attempts, syscall.ETIMEDOUT
}

// patience is how long an answer is waited for at first.
func (n *network) patience() time.Duration { return 20*time.Millisecond + 4*n.delay }

func resent(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d sent again", n)
}
