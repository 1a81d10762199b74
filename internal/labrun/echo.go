package labrun

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"example.com/berth/internal/labfile"
)

// echoCounts is what an echo server has done.
type echoCounts struct{ connections, bytes, datagrams atomic.Int64 }

// echo runs an echo server until ctx ends.
func (t *task) echo(ctx context.Context, s *labfile.Echo) error {
	if t.cmd.Start > 0 {
		if err := t.startEcho(ctx, s); err != nil {
			return err
		}
	}
	<-ctx.Done()
	t.measured("connections", float64(t.echoed.connections.Load()))
	t.measured("bytes", float64(t.echoed.bytes.Load()))
	t.measured("datagrams", float64(t.echoed.datagrams.Load()))
	return nil
}

// startEcho starts the servers of the command.
func (t *task) startEcho(ctx context.Context, s *labfile.Echo) error {
	address := (&net.TCPAddr{Port: int(s.Port)}).String()
	if s.TCP {
		err := t.start(ctx, &server{host: t.host, what: "echo", open: func() (func(context.Context), error) {
			l, err := t.host.Listen("tcp", address)
			return func(ctx context.Context) { accept(ctx, l, t.echoStream) }, err
		}})
		if err != nil {
			return err
		}
	}
	if !s.UDP {
		return nil
	}
	return t.start(ctx, &server{host: t.host, what: "echo", open: func() (func(context.Context), error) {
		c, err := t.host.ListenPacket("udp", address)
		return func(ctx context.Context) { t.echoDatagrams(ctx, c, s) }, err
	}})
}

// accept serves connections until ctx or the listener ends, and waits for them.
func accept(ctx context.Context, l net.Listener, serve func(net.Conn)) {
	defer context.AfterFunc(ctx, func() { l.Close() })()
	var served sync.WaitGroup
	defer served.Wait()
	defer l.Close()
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		served.Go(func() {
			defer c.Close()
			defer context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })()
			serve(c)
		})
	}
}

func (t *task) echoStream(c net.Conn) {
	t.echoed.connections.Add(1)
	b := make([]byte, 64<<10)
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		t.echoed.bytes.Add(int64(n))
		if _, err := c.Write(b[:n]); err != nil {
			return
		}
	}
}

func (t *task) echoDatagrams(ctx context.Context, c net.PacketConn, s *labfile.Echo) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })()
	defer c.Close()
	if s.Punch.Host != "" {
		var punching sync.WaitGroup
		defer punching.Wait()
		defer cancel()
		punching.Go(func() { t.punch(ctx, c, s.Punch) })
	}
	b := make([]byte, 64<<10)
	for {
		n, from, err := c.ReadFrom(b)
		if ctx.Err() != nil || t.host.Stack() == nil {
			return
		}
		if err != nil {
			continue // the news that a datagram did not arrive
		}
		t.echoed.datagrams.Add(1)
		t.echoed.bytes.Add(int64(n))
		_, _ = c.WriteTo(b[:n], from) // what is lost is lost
	}
}

// punchEvery is how often a hole is kept open.
const punchEvery = time.Second

// punch sends datagrams to a remote, so that a NAT on the way lets in what comes
// from there.
func (t *task) punch(ctx context.Context, c net.PacketConn, to labfile.Target) {
	addrs, err := t.host.LookupNetIP(ctx, "ip4", to.Host)
	if err != nil || len(addrs) == 0 {
		return
	}
	remote := net.UDPAddrFromAddrPort(netip.AddrPortFrom(addrs[0], to.Port))
	for {
		_, _ = c.WriteTo([]byte("punch"), remote)
		if !pause(ctx, punchEvery) {
			return
		}
	}
}
