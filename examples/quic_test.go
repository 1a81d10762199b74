package examples

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"example.com/berth/lab"
	"github.com/quic-go/quic-go"
)

// Twenty streams of one QUIC connection, over a link that loses packets.
func TestQUIC(t *testing.T) { lab.Test(t, quicStreams) }

func quicStreams(t *testing.T, n *lab.Network) {
	web, client := lossy(n)
	conn := connectQUIC(t, n, web, client)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if err := echoQUIC(conn, bytes.Repeat([]byte{byte(i)}, 50_000)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	check(t, conn.CloseWithError(0, "done"))
}

// A partition that is shorter than the idle timeout costs a connection nothing but
// time; a longer one ends it.
func TestQUICThroughPartition(t *testing.T) { lab.Test(t, quicThroughPartition) }

func quicThroughPartition(t *testing.T, n *lab.Network) {
	web, client := lossy(n)
	conn := connectQUIC(t, n, web, client)
	check(t, echoQUIC(conn, []byte("hello")))
	heal := n.Partition(web)
	time.AfterFunc(20*time.Second, heal)
	start := time.Now()
	check(t, echoQUIC(conn, []byte("are you there?")))
	if took := time.Since(start); took < 20*time.Second || took > 40*time.Second {
		t.Errorf("an answer came after %v", took)
	}

	n.Partition(web)
	start = time.Now()
	<-conn.Context().Done()
	if took := time.Since(start); took > time.Minute {
		t.Errorf("the connection ended after %v", took)
	}
	_, err := conn.OpenStream()
	if _, ok := errors.AsType[*quic.IdleTimeoutError](err); !ok {
		t.Errorf("it ended with %v", err)
	}
}

// connectQUIC starts a server that sends back what comes on each stream, and
// connects to it.
func connectQUIC(t *testing.T, n *lab.Network, web, client *lab.Host) *quic.Conn {
	t.Helper()
	serverTLS, clientTLS := certificates(t, n, "web", "echo")
	ln, err := socketQUIC(t, web, ":443").Listen(serverTLS, quicConfig)
	check(t, err)
	go func() {
		for {
			conn, err := ln.Accept(t.Context())
			if err != nil {
				return
			}
			go serveQUIC(conn)
		}
	}()
	to := &net.UDPAddr{IP: web.Addr().AsSlice(), Port: 443}
	conn, err := socketQUIC(t, client, ":0").Dial(t.Context(), to, clientTLS, quicConfig)
	check(t, err)
	return conn
}

var quicConfig = &quic.Config{KeepAlivePeriod: 10 * time.Second, MaxIdleTimeout: 45 * time.Second}

// socketQUIC is QUIC on a UDP socket of a host.
func socketQUIC(t *testing.T, h *lab.Host, address string) *quic.Transport {
	t.Helper()
	c, err := h.ListenPacket("udp4", address)
	check(t, err)
	tr := &quic.Transport{Conn: c}
	t.Cleanup(func() {
		check(t, tr.Close())
		check(t, c.Close())
	})
	return tr
}

func serveQUIC(conn *quic.Conn) {
	for {
		s, err := conn.AcceptStream(conn.Context())
		if err != nil {
			return
		}
		go func() {
			defer s.Close()
			io.Copy(s, s)
		}()
	}
}

// echoQUIC sends something on a stream of its own and wants it back.
func echoQUIC(conn *quic.Conn, body []byte) error {
	s, err := conn.OpenStreamSync(conn.Context())
	if err != nil {
		return err
	}
	go func() {
		s.Write(body)
		s.Close()
	}()
	got, err := io.ReadAll(s)
	if err == nil && !bytes.Equal(got, body) {
		err = errors.New("something else came back")
	}
	return err
}
