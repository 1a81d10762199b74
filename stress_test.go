package berth_test

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// Everything at once, on two hosts: connections that are opened, used, cut and
// closed from several goroutines, datagrams, Poll, addresses and routes that come
// and go, tables that are read. What is wrong with locks shows under the race
// detector, or as a test that does not end; what is forgotten is left over.
//
// DEF-60.
func TestEverythingAtOnce(t *testing.T) {
	for _, opts := range [][]wire.Option{nil, {wire.Ethernet(), wire.Offload(0)}} {
		synctest.Test(t, func(t *testing.T) {
			alice, bob := pair(t, opts...)
			s := &storm{t: t, hosts: [2]*berth.Host{alice, bob}, stop: make(chan struct{})}
			for i := range s.hosts {
				s.serveStreams(i)
				s.serveDatagrams(i)
				s.background(func() { s.reconfigure(i) })
				s.background(func() { s.watch(i) })
			}
			rounds := 40
			if raceEnabled {
				rounds = 10
			}
			var clients sync.WaitGroup
			for i := range 8 {
				r := rand.New(rand.NewPCG(1, uint64(i)))
				clients.Go(func() {
					for range rounds {
						s.connection(r)
						s.datagrams(r)
					}
				})
			}
			clients.Wait()
			close(s.stop)
			s.mu.Lock()
			for _, sock := range s.open {
				sock.Close()
			}
			s.mu.Unlock()
			s.running.Wait()
			time.Sleep(time.Hour)
			for _, h := range s.hosts {
				if left := h.Left(); len(left) > 0 {
					t.Errorf("left over: %v", left)
				}
			}
		})
	}
}

type storm struct {
	t       *testing.T
	hosts   [2]*berth.Host
	stop    chan struct{}
	running sync.WaitGroup

	mu   sync.Mutex // guards open
	open []socket.Socket
}

// stormAddrs are the addresses of the hosts.
var stormAddrs = [2][2]netip.Addr{{alice4, alice6}, {bob4, bob6}}

func (s *storm) background(f func()) { s.running.Go(f) }

func (s *storm) stopped() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

func (s *storm) socket(host int, d socket.Domain, typ socket.Type) socket.Socket {
	sock, err := s.hosts[host].Socket(d, typ, 0)
	if err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	s.open = append(s.open, sock)
	s.mu.Unlock()
	return sock
}

// serveStreams sends back what connections bring, until they end.
func (s *storm) serveStreams(host int) {
	l := s.socket(host, socket.INET6, socket.STREAM)
	if err := l.Bind(netip.AddrPortFrom(netip.IPv6Unspecified(), 80)); err != nil {
		s.t.Error(err)
	}
	if err := l.Listen(4); err != nil {
		s.t.Error(err)
	}
	s.background(func() {
		for {
			c, _, err := l.Accept(context.Background())
			if err != nil {
				return
			}
			s.background(func() { echo(c) })
		}
	})
}

func echo(c socket.Socket) {
	defer c.Close()
	b := make([]byte, 3000)
	for {
		n, err := c.Recv(b, 0)
		if n == 0 || err != nil {
			return
		}
		if _, err := c.Send(b[:n], 0); err != nil {
			return
		}
	}
}

func (s *storm) serveDatagrams(host int) {
	u := s.socket(host, socket.INET6, socket.DGRAM)
	if err := u.Bind(netip.AddrPortFrom(netip.IPv6Unspecified(), 53)); err != nil {
		s.t.Error(err)
	}
	s.background(func() {
		b := make([]byte, 10_000)
		for {
			n, from, err := u.RecvFrom(b, 0)
			if err != nil && s.stopped() {
				return
			}
			if err == nil {
				u.SendTo(b[:n], 0, from)
			}
		}
	})
}

// reconfigure changes what has nothing to do with the traffic, and makes every
// path stale by it.
func (s *storm) reconfigure(host int) {
	ifc := s.hosts[host].Interfaces()[1]
	extra := netip.MustParsePrefix("10.9.0.1/24")
	r := berth.Route{Dst: netip.MustParsePrefix("192.0.2.0/24"), Via: stormAddrs[1-host][0]}
	for !s.stopped() {
		if err := ifc.AddAddr(extra); err != nil {
			s.t.Error(err)
		}
		if err := s.hosts[host].AddRoute(r); err != nil {
			s.t.Error(err)
		}
		time.Sleep(time.Millisecond)
		if err := ifc.RemoveAddr(extra.Addr()); err != nil {
			s.t.Error(err)
		}
		if err := s.hosts[host].RemoveRoute(r); err != nil {
			s.t.Error(err)
		}
	}
}

// watch reads the tables.
func (s *storm) watch(host int) {
	for !s.stopped() {
		s.hosts[host].Sockets()
		s.hosts[host].Routes()
		s.hosts[host].Counters().Each(func(string, uint64) {})
		time.Sleep(time.Millisecond)
	}
}

// connection opens a connection, uses it and ends it in one of several ways,
// none of which may hang.
func (s *storm) connection(r *rand.Rand) {
	from := r.IntN(2)
	addr := stormAddrs[r.IntN(2)][r.IntN(2)]
	c, err := s.hosts[from].Socket(domainOf(addr), socket.STREAM, 0)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	if err := c.Connect(context.Background(), netip.AddrPortFrom(addr, 80)); err != nil {
		s.t.Errorf("connect to %v: %v", addr, err)
		return
	}
	n := r.IntN(100_000)
	var reader sync.WaitGroup
	got := 0
	reader.Go(func() {
		b := make([]byte, 5000)
		for {
			k, err := c.Recv(b, 0)
			if got += k; k == 0 || err != nil {
				return
			}
		}
	})
	if _, err := c.Send(make([]byte, n), 0); err != nil {
		s.t.Errorf("send: %v", err)
	}
	switch r.IntN(4) {
	case 0: // as it should be
		c.Shutdown(socket.SHUT_WR)
		reader.Wait()
		if got != n {
			s.t.Errorf("%d of %d bytes came back", got, n)
		}
	case 1: // under the reader's feet
		c.Close()
		reader.Wait()
	case 2: // a reset
		socket.Set(c, socket.SO_LINGER, socket.Linger{On: true})
		c.Close()
		reader.Wait()
	case 3: // a deadline that has passed
		c.SetReadDeadline(time.Now().Add(-time.Second))
		reader.Wait()
	}
}

// datagrams sends a few and waits for what comes back with Poll.
func (s *storm) datagrams(r *rand.Rand) {
	from := r.IntN(2)
	addr := stormAddrs[r.IntN(2)][r.IntN(2)]
	h := s.hosts[from]
	u, err := h.Socket(domainOf(addr), socket.DGRAM, 0)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer u.Close()
	if _, err := u.SendTo(make([]byte, r.IntN(9000)), 0, netip.AddrPortFrom(addr, 53)); err != nil {
		s.t.Errorf("sendto %v: %v", addr, err)
		return
	}
	fds := []socket.PollFD{{Socket: u, Events: socket.POLLIN}}
	if n, err := h.Poll(context.Background(), fds, time.Minute); n != 1 || err != nil {
		s.t.Errorf("poll: %d, %v", n, err)
	}
}
