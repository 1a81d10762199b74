// Package relay carries standard input to a peer and what the peer sends to
// standard output.
package relay

import (
	"context"
	"errors"
	"io"
	"net"

	"example.com/berth/cmd/berth/internal/machine"
)

// Chunk is how much of standard input is read and sent at once, in bytes.
const Chunk = 64 << 10

// Conn is a stream with two halves.
type Conn interface {
	net.Conn
	CloseWrite() error
}

// Stream carries both directions. The end of the input ends our half of the
// connection, and the end of the peer's half is only the end of what is
// received: it returns when both have ended, or with the first error. OnEnd is
// called when the peer's half ends first; may be nil.
func Stream(ctx context.Context, c Conn, in *Source, out io.Writer, onEnd func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer machine.EndWith(ctx, c)()

	sent := make(chan error, 1)
	go func() { sent <- send(ctx, c, in) }()
	received := make(chan error, 1)
	go func() {
		// Only its Read: an error of the output is none of the connection.
		_, err := io.Copy(out, struct{ io.Reader }{c})
		received <- err
	}()
	var first error
	for range 2 {
		var err error
		select {
		case err = <-sent:
			sent = nil
		case err = <-received:
			received = nil
			if err == nil && sent != nil && onEnd != nil {
				onEnd()
			}
		}
		if err != nil && first == nil {
			first = err
			cancel() // the other half ends, too
		}
	}
	return first
}

// send sends the input up to its end, and ends our half.
func send(ctx context.Context, c Conn, in *Source) error {
	for {
		b, err := in.next(ctx)
		if errors.Is(err, io.EOF) {
			return c.CloseWrite()
		}
		if err != nil {
			return err
		}
		_, err = c.Write(b)
		in.done(b)
		if err != nil {
			return err
		}
	}
}
