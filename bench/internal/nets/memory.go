package nets

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"example.com/berth/bench/internal/host"
	"google.golang.org/grpc/test/bufconn"
)

// memoryHost has streams in memory that do no networking at all: the upper
// reference for what moves bytes between two goroutines.
type memoryHost struct {
	listen func() net.Listener
	dial   func(context.Context, net.Listener) (net.Conn, error)
	l      net.Listener
}

func (h *memoryHost) Addr() netip.Addr { return netip.MustParseAddr("127.0.0.1") }

func (h *memoryHost) Listen(string, string) (net.Listener, error) {
	h.l = h.listen()
	return h.l, nil
}

func (h *memoryHost) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	return h.dial(ctx, h.l)
}

func (h *memoryHost) ListenPacket(string, string) (net.PacketConn, error) {
	return nil, errors.New("there are no datagrams")
}

// pipeListener hands out the far ends of pipes.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// netPipe is net.Pipe: one copy, no buffer.
func netPipe() (*host.Pair, error) {
	h := &memoryHost{
		listen: func() net.Listener {
			return &pipeListener{make(chan net.Conn, 128), make(chan struct{})}
		},
		dial: func(_ context.Context, l net.Listener) (net.Conn, error) {
			a, b := net.Pipe()
			l.(*pipeListener).conns <- b
			return a, nil
		},
	}
	return &host.Pair{A: h, B: h, StreamsOnly: true}, nil
}

// bufConn is gRPC's listener in memory, with 256 KiB.
func bufConn() (*host.Pair, error) {
	h := &memoryHost{
		listen: func() net.Listener { return bufconn.Listen(256 << 10) },
		dial: func(ctx context.Context, l net.Listener) (net.Conn, error) {
			return l.(*bufconn.Listener).DialContext(ctx)
		},
	}
	return &host.Pair{A: h, B: h, StreamsOnly: true}, nil
}
