package heavy

import (
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"example.com/berth/netconn"
	"github.com/quic-go/quic-go"
)

// Streams of QUIC, one of them long, come back as they were sent.
func TestQUIC(t *testing.T) {
	everywhere(t, func(t *testing.T, n *network) {
		serverTLS, clientTLS := n.certificates(t, "echo")
		l := n.listenQUIC(t, serverTLS)
		served := make(chan error, 1)
		go func() { served <- echoConn(t, l) }()

		conn := n.dialQUIC(t, l, clientTLS)
		var all sync.WaitGroup
		for i := range 20 {
			size := 10_000
			if i == 0 {
				size = n.bulk
			}
			all.Go(func() {
				s, err := conn.OpenStreamSync(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if err := echo(s, size, s.Close); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		check(t, conn.CloseWithError(done, "done"))
		check(t, <-served)
	})
}

// Datagrams of QUIC arrive whole, one after the other.
func TestQUICDatagrams(t *testing.T) {
	n := onWire(t, server4)
	serverTLS, clientTLS := n.certificates(t, "echo")
	l := n.listenQUIC(t, serverTLS)
	conn := n.dialQUIC(t, l, clientTLS)
	server, err := l.Accept(t.Context())
	check(t, err)
	for size := 1; size <= 1000; size += 37 {
		sent := make([]byte, size)
		_, _ = io.ReadFull(content(size), sent)
		check(t, conn.SendDatagram(sent))
		got, err := server.ReceiveDatagram(t.Context())
		check(t, err)
		if sha256.Sum256(got) != sha256.Sum256(sent) {
			t.Errorf("%d bytes came of a datagram of %d, or others", len(got), size)
		}
	}
	check(t, conn.CloseWithError(done, "done"))
}

// A peer that falls silent is given up when the idle timeout has passed.
func TestQUICIdleTimeout(t *testing.T) {
	onFakeTime(t, func(t *testing.T, n *network) {
		serverTLS, clientTLS := n.certificates(t, "echo")
		l := n.listenQUIC(t, serverTLS)
		conn := n.dialQUIC(t, l, clientTLS)
		time.Sleep(time.Hour) // nothing is said, but that both are there
		check(t, conn.Context().Err())
		n.breakLine(t)
		start := time.Now()
		<-conn.Context().Done()
		if _, ok := errors.AsType[*quic.IdleTimeoutError](conn.Context().Err()); ok {
			t.Error("the context's error is that of the connection")
		}
		if _, err := conn.OpenStream(); !isIdleTimeout(err) {
			t.Errorf("%v", err)
		}
		if took := time.Since(start); took > time.Minute {
			t.Errorf("given up after %v", took)
		}
	})
}

func isIdleTimeout(err error) bool {
	_, ok := errors.AsType[*quic.IdleTimeoutError](err)
	return ok
}

// done is the code with which a client says that it has all.
const done quic.ApplicationErrorCode = 7

func quicConfig() *quic.Config {
	return &quic.Config{EnableDatagrams: true, KeepAlivePeriod: 10 * time.Second, MaxIdleTimeout: 30 * time.Second}
}

// listenQUIC listens on a port of the server's.
func (n *network) listenQUIC(t *testing.T, config *tls.Config) *quic.Listener {
	t.Helper()
	c, err := netconn.ListenPacket(n.server, "udp", net.JoinHostPort(n.addr.String(), "0"))
	check(t, err)
	t.Cleanup(func() { c.Close() })
	tr := &quic.Transport{Conn: c}
	l, err := tr.Listen(config, quicConfig())
	check(t, err)
	t.Cleanup(func() { check(t, tr.Close()) })
	return l
}

// dialQUIC connects to a listener from the client.
func (n *network) dialQUIC(t *testing.T, l *quic.Listener, config *tls.Config) *quic.Conn {
	t.Helper()
	c, err := netconn.ListenPacket(n.client, "udp", ":0")
	check(t, err)
	t.Cleanup(func() { c.Close() })
	tr := &quic.Transport{Conn: c}
	t.Cleanup(func() { check(t, tr.Close()) })
	conn, err := tr.Dial(t.Context(), l.Addr(), config, quicConfig())
	check(t, err)
	return conn
}

// echoConn takes one connection, and sends back what comes on its streams until
// the client has all.
func echoConn(t *testing.T, l *quic.Listener) error {
	conn, err := l.Accept(t.Context())
	if err != nil {
		return err
	}
	for {
		s, err := conn.AcceptStream(t.Context())
		if e, ok := errors.AsType[*quic.ApplicationError](err); ok && e.ErrorCode == done {
			return nil
		}
		if err != nil {
			return err
		}
		go func() {
			_, _ = io.Copy(s, s)
			s.Close()
		}()
	}
}
