package examples

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"example.com/berth/lab"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// A publisher of NATS is cut off from its server. What it publishes meanwhile it
// keeps, and the subscriber gets it when the partition has healed, in order.
//
// It publishes between its attempts to connect. During one nats.go holds the lock
// that Publish wants, and who waits for a lock holds up fake time.
func TestNATS(t *testing.T) { lab.Test(t, natsThroughPartition) }

func natsThroughPartition(t *testing.T, n *lab.Network) {
	// Nats.go has a pool of timers, and one of another bubble is none of ours. Two
	// collections empty a pool.
	runtime.GC()
	runtime.GC()
	_, hosts := n.Star(3, lab.Delay(5*time.Millisecond), lab.Loss(0.02))
	hub, left, right := hosts[0], hosts[1], hosts[2]
	serveNATS(t, hub)

	var log events
	var publisher *nats.Conn
	between := func(attempt int) time.Duration {
		if attempt <= 3 {
			if err := publisher.Publish("news", fmt.Append(nil, attempt)); err != nil {
				t.Error(err)
			}
		}
		return 2 * time.Second
	}
	publisher = connectNATS(t, left, hub, &log, nats.CustomReconnectDelay(between))
	subscriber := connectNATS(t, right, hub, &log)
	_, err := subscriber.Subscribe("news", func(m *nats.Msg) { log.add("got " + string(m.Data)) })
	check(t, err)
	check(t, subscriber.Flush())
	check(t, publisher.Publish("news", []byte("0")))
	time.Sleep(time.Second)

	heal := n.Partition(left)
	time.Sleep(10 * time.Minute)
	heal()
	time.Sleep(time.Minute)
	want := []string{"got 0", "host2 disconnected", "host2 reconnected", "got 1", "got 2", "got 3"}
	if got := log.all(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// serveNATS runs a server on a host. A nats-server takes no listener from outside,
// but a connection from inside of its process: those that the host accepts are
// joined with such.
func serveNATS(t *testing.T, h *lab.Host) {
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true, PingInterval: 5 * time.Second})
	check(t, err)
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	ln, err := h.Listen("tcp", ":4222")
	check(t, err)
	go func() {
		for {
			outer, err := ln.Accept()
			if err != nil {
				return
			}
			inner, err := s.InProcessConn()
			if err != nil {
				outer.Close()
				return
			}
			for _, way := range [][2]net.Conn{{outer, inner}, {inner, outer}} {
				go func() {
					io.Copy(way[0], way[1])
					way[0].Close()
				}()
			}
		}
	}()
}

func connectNATS(t *testing.T, from, hub *lab.Host, log *events, opts ...nats.Option) *nats.Conn {
	t.Helper()
	opts = append(opts,
		nats.SetCustomDialer(dialer{t, from}), nats.PingInterval(5*time.Second), nats.MaxReconnects(-1),
		nats.DisconnectErrHandler(func(*nats.Conn, error) { log.add(from.Name() + " disconnected") }),
		nats.ReconnectHandler(func(*nats.Conn) { log.add(from.Name() + " reconnected") }))
	c, err := nats.Connect(net.JoinHostPort(hub.Addr().String(), "4222"), opts...)
	check(t, err)
	t.Cleanup(func() {
		c.SetDisconnectErrHandler(nil)
		time.Sleep(time.Second) // not during an attempt to connect: Close wants the lock, too
		c.Close()
	})
	return c
}

// A dialer is a nats.CustomDialer. It dials no longer when the test is over.
type dialer struct {
	t    *testing.T
	host *lab.Host
}

func (d dialer) Dial(network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(d.t.Context(), 2*time.Second)
	defer cancel()
	return d.host.DialContext(ctx, network, address)
}

// events are what happened, in order.
type events struct {
	mu   sync.Mutex
	list []string
}

func (e *events) add(s string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, s)
}

func (e *events) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.list)
}
