package relay

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"example.com/berth/cmd/berth/internal/machine"
	"example.com/berth/socket"
)

// DatagramChunk is the most of standard input that becomes one datagram.
const DatagramChunk = 16 << 10

// Datagrams carries both directions of a datagram socket: each read of the
// input becomes one datagram, and what comes is written to the output. Its Run
// is called once.
type Datagrams struct {
	Socket socket.Socket
	// Connected says that the socket has its peer. Otherwise the first who
	// sends becomes that; what is read before waits.
	Connected bool
	// Keep takes datagrams from anybody; who sent last is answered.
	Keep bool
	// Idle ends the exchange when the input has ended and nothing has come for
	// so long; 0 never does.
	Idle time.Duration
	// OnPeer, if not nil, is told of each new peer.
	OnPeer func(netip.AddrPort)

	ended atomic.Bool // the input has
	known chan struct{}
	mu    sync.Mutex // guards peer
	peer  netip.AddrPort
}

// errIdle ends an exchange in which nothing comes any more.
var errIdle = errors.New("idle")

// Run carries until the exchange is idle, or fails, or ctx ends, which is then
// the error.
func (d *Datagrams) Run(ctx context.Context, in *Source, out io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer machine.EndWith(ctx, d.Socket)()
	d.known = make(chan struct{})
	if d.Connected {
		close(d.known)
	}
	var sending sync.WaitGroup
	sending.Go(func() {
		if err := d.send(ctx, in); err != nil {
			cancel(err)
		}
	})
	cancel(d.receive(ctx, out))
	sending.Wait()
	if err := context.Cause(ctx); err != errIdle {
		return err
	}
	return nil
}

// send sends the input up to its end.
func (d *Datagrams) send(ctx context.Context, in *Source) error {
	select {
	case <-d.known:
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		b, err := in.next(ctx)
		if errors.Is(err, io.EOF) {
			d.ended.Store(true)
			d.rest(ctx)
			return nil
		}
		if err != nil {
			return err
		}
		d.mu.Lock()
		to := d.peer
		d.mu.Unlock()
		if to.IsValid() {
			_, err = d.Socket.SendTo(b, 0, to)
		} else {
			_, err = d.Socket.Send(b, 0)
		}
		in.done(b)
		if err != nil {
			return err
		}
	}
}

// receive writes what comes, until the socket has rested.
func (d *Datagrams) receive(ctx context.Context, out io.Writer) error {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := d.Socket.RecvFrom(buf, 0)
		if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil {
			return errIdle
		}
		if err != nil {
			return err
		}
		if err := d.meet(ctx, from); err != nil {
			return err
		}
		if _, err := out.Write(buf[:n]); err != nil {
			return err
		}
		d.rest(ctx)
	}
}

// meet makes a sender the peer.
func (d *Datagrams) meet(ctx context.Context, from netip.AddrPort) error {
	if d.Connected {
		return nil
	}
	d.mu.Lock()
	was := d.peer
	d.peer = from
	d.mu.Unlock()
	if from == was {
		return nil
	}
	if !d.Keep {
		if err := d.Socket.Connect(ctx, from); err != nil {
			return err
		}
	}
	if !was.IsValid() {
		close(d.known)
	}
	if d.OnPeer != nil {
		d.OnPeer(netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
	}
	return nil
}

// rest begins the time after which the exchange is idle, if the input has
// ended.
func (d *Datagrams) rest(ctx context.Context) {
	if d.Idle <= 0 || !d.ended.Load() {
		return
	}
	_ = d.Socket.SetReadDeadline(time.Now().Add(d.Idle))
	if ctx.Err() != nil { // its end may have come before the new deadline
		_ = d.Socket.SetReadDeadline(time.Unix(1, 0))
	}
}
