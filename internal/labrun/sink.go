package labrun

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"time"

	"example.com/berth/internal/labfile"
)

// A stream of perf begins with the number of its command. A datagram begins with
// that, its sequence number, and when it was sent.
const (
	streamHeader   = 4
	datagramHeader = 4 + 4 + 8
)

// startSink starts what takes the data of a perf command, unless another command
// has started it.
func (r *run) startSink(ctx context.Context, t *task, s *labfile.Perf) error {
	streams := int64(s.Streams)
	r.mu.Lock()
	r.flows[uint32(t.index)] = &flow{task: t, spec: perfSpec{s.Reverse, s.Time, (s.Bytes + streams - 1) / streams, s.Congestion}}
	r.mu.Unlock()
	address := (&net.TCPAddr{Port: int(s.Server.Port)}).String()
	what := "perf/tcp/" + address
	if s.UDP {
		what = "perf/udp/" + address
	}
	return r.startOnce(ctx, s.Server.Host, what, func(v *server) {
		v.open = func() (func(context.Context), error) {
			if s.UDP {
				c, err := v.host.ListenPacket("udp", address)
				return func(ctx context.Context) { r.takeDatagrams(ctx, c) }, err
			}
			l, err := v.host.Listen("tcp", address)
			return func(ctx context.Context) { accept(ctx, l, r.takeStream) }, err
		}
	})
}

// startOnce starts a server that several commands share.
func (r *run) startOnce(ctx context.Context, host, what string, make func(*server)) error {
	s := &server{host: r.host(host), what: what}
	for _, other := range r.servers {
		if other.host == s.host && other.what == s.what {
			return nil
		}
	}
	make(s)
	return r.start(ctx, s)
}

// flow finds the flow of a command.
func (r *run) flow(b []byte) *flow {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.flows[binary.BigEndian.Uint32(b)]
}

// takeStream is the far end of a stream.
func (r *run) takeStream(c net.Conn) {
	var header [streamHeader]byte
	if _, err := io.ReadFull(c, header[:]); err != nil {
		return
	}
	f := r.flow(header[:])
	switch {
	case f == nil: // somebody else's
	case f.spec.reverse:
		f.send(c, time.Now())
	default:
		f.receive(c)
	}
}

// takeDatagrams is the far end of UDP.
func (r *run) takeDatagrams(ctx context.Context, c net.PacketConn) {
	defer context.AfterFunc(ctx, func() { c.Close() })()
	defer c.Close()
	b := make([]byte, 64<<10)
	for {
		n, _, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		if n < datagramHeader {
			continue
		}
		if f := r.flow(b); f != nil {
			sent := time.Duration(binary.BigEndian.Uint64(b[8:]))
			f.datagram(r.net.Now(), binary.BigEndian.Uint32(b[4:]), sent, n)
		}
	}
}
