package berth_test

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// always is what each queue may hold whatever the budget says: the least of a
// buffer, and a block that crosses it.
const always = 4<<10 + 2<<10

// One budget for a host: connections that nobody reads hold no more than it, but
// for the little that each may always hold, and all of them go on when they are
// read.
//
// DEF-51.
func TestConnectionsShareTheMemoryOfAHost(t *testing.T) {
	const (
		memory = 1 << 20
		conns  = 40
		each   = 100_000
	)
	for _, opts := range [][]wire.Option{nil, {wire.Offload(0)}} {
		synctest.Test(t, func(t *testing.T) {
			alice, bob := pairWith(t, berth.Config{Memory: memory}, nil, opts...)
			var clients, servers []socket.Socket
			manyConnections(t, alice, bob, bob4, conns, func(c, s socket.Socket) {
				clients, servers = append(clients, c), append(servers, s)
			})
			var sending sync.WaitGroup
			for _, c := range clients {
				sending.Go(func() {
					if n, err := c.Send(make([]byte, each), 0); n != each || err != nil {
						t.Errorf("sent %d bytes: %v", n, err)
					}
					c.Shutdown(socket.SHUT_WR)
				})
			}
			time.Sleep(time.Hour)
			for _, h := range []*berth.Host{alice, bob} {
				if used := h.BudgetUsed(); used > memory+conns*always {
					t.Errorf("%d KiB are held, of %d", used>>10, memory>>10)
				} else if used < memory/2 {
					t.Errorf("%d KiB are held, of %d: the test does not press", used>>10, memory>>10)
				}
			}
			// All at once, a little at a time.
			start := time.Now()
			left := make([]int, conns)
			for i := range left {
				left[i] = each
			}
			for open := conns; open > 0; {
				for i, s := range servers {
					if left[i] == 0 {
						continue
					}
					b := make([]byte, 10_000)
					s.SetReadDeadline(time.Now().Add(10 * time.Minute))
					n, err := s.Recv(b, 0)
					if err != nil || n == 0 {
						t.Fatalf("connection %d, with %d bytes to come: %d, %v", i, left[i], n, err)
					}
					if left[i] -= n; left[i] == 0 {
						open--
					}
				}
			}
			if took := time.Since(start); took > 10*time.Minute {
				t.Errorf("it took %v", took)
			}
			sending.Wait()
			for _, all := range [][]socket.Socket{clients, servers} {
				for _, s := range all {
					s.Close()
				}
			}
			time.Sleep(2 * time.Minute)
			for _, h := range []*berth.Host{alice, bob} {
				if used := h.BudgetUsed(); used != 0 {
					t.Errorf("%d bytes are held when all is over", used)
				}
			}
		})
	}
}

// The memory of the receiver is taken by connections that nobody reads, for
// hours. One that is read moves all the same, a little at a time, and the others
// are not given up.
func TestAConnectionMovesWhileOthersHoldTheMemory(t *testing.T) {
	const (
		memory = 1 << 20
		conns  = 40
		each   = 120_000
	)
	for _, tt := range []struct {
		mtu     int
		offload link.Offload
	}{{1500, 0}, {1500, link.OffloadAll}, {9000, 0}, {65535, 0}} {
		t.Run(fmt.Sprintf("MTU %d, offload %d", tt.mtu, tt.offload), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := wire.Pair(wire.MTU(tt.mtu), wire.Offload(tt.offload))
				alice := hostOn(t, berth.Config{Name: "alice"}, a, "10.0.0.1/24")
				bob := hostOn(t, berth.Config{Name: "bob", Memory: memory}, b, "10.0.0.2/24")
				var clients, servers []socket.Socket
				manyConnections(t, alice, bob, bob4, conns, func(c, s socket.Socket) {
					clients, servers = append(clients, c), append(servers, s)
				})
				var sending sync.WaitGroup
				for _, c := range clients {
					sending.Go(func() {
						if n, err := c.Send(make([]byte, each), 0); n != each || err != nil {
							t.Errorf("sent %d bytes: %v", n, err)
						}
						c.Shutdown(socket.SHUT_WR)
					})
				}
				read := func(s socket.Socket, within time.Duration) {
					t.Helper()
					s.SetReadDeadline(time.Now().Add(within))
					total := 0
					for b := make([]byte, 10_000); ; {
						n, err := s.Recv(b, 0)
						if err != nil {
							t.Errorf("after %d bytes: %v", total, err)
							return
						}
						if total += n; n == 0 {
							break
						}
					}
					if total != each {
						t.Errorf("%d bytes arrived, want %d", total, each)
					}
				}
				time.Sleep(3 * time.Hour)
				if used := bob.BudgetUsed(); used > memory+conns*always {
					t.Errorf("%d KiB are held, of %d", used>>10, memory>>10)
				}
				start := time.Now()
				for _, s := range servers {
					read(s, time.Hour)
				}
				t.Logf("all %d connections, one by one: %v", conns, time.Since(start))
				sending.Wait()
			})
		})
	}
}

// A host has as many sockets as it was made for. One more is ENFILE, whatever it
// would be; a connection that finds no room stays in the queue, and is accepted
// when there is some.
//
// DEF-60.
func TestSocketsAreBounded(t *testing.T) {
	const most = 3
	alice, bob := pairWith(t, berth.Config{Sockets: most}, nil)
	kinds := []struct {
		typ   socket.Type
		proto socket.Protocol
	}{{socket.STREAM, 0}, {socket.DGRAM, 0}, {socket.RAW, socket.IPPROTO_ICMP}}
	for range 2 { // what is closed makes room
		var socks []socket.Socket
		for _, k := range kinds {
			socks = append(socks, newSocket(t, alice, socket.INET, k.typ, k.proto))
		}
		for _, k := range kinds {
			if _, err := alice.Socket(socket.INET, k.typ, k.proto); err != syscall.ENFILE {
				t.Errorf("one socket more, of type %v: %v", k.typ, err)
			}
		}
		for _, s := range socks {
			s.Close()
		}
	}

	l := newSocket(t, bob, socket.INET, socket.STREAM, 0)
	if err := errors.Join(l.Bind(netip.AddrPortFrom(bob4, 80)), l.Listen(most)); err != nil {
		t.Fatal(err)
	}
	for range most {
		if err := newSocket(t, alice, socket.INET, socket.STREAM, 0).Connect(t.Context(), l.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	accept := func() (socket.Socket, error) {
		s, _, err := l.Accept(t.Context())
		return s, err
	}
	first, err := accept()
	_, err2 := accept()
	if _, err3 := accept(); err != nil || err2 != nil || err3 != syscall.ENFILE {
		t.Errorf("Accept, with room for two: %v, %v, %v", err, err2, err3)
	}
	first.Close()
	if _, err := accept(); err != nil {
		t.Errorf("Accept when there is room again: %v", err)
	}
}

func TestDatagramsThatFindNoMemoryAreCounted(t *testing.T) {
	const memory = 1 << 20
	alice, bob := pairWith(t, berth.Config{Memory: memory}, nil)
	var socks []socket.Socket
	for i := range 20 {
		addr := netip.AddrPortFrom(bob4, uint16(1000+i))
		socks = append(socks, receiver(t, bob, addr))
		u := newSocket(t, alice, socket.INET, socket.DGRAM, 0)
		for range 100 {
			if _, err := u.SendTo(make([]byte, 1400), 0, addr); err != nil {
				t.Fatal(err)
			}
		}
	}
	if used := bob.BudgetUsed(); used > memory || used < memory/2 {
		t.Errorf("%d bytes are held, of %d", used, memory)
	}
	if bob.Counters().UDP.NoMemory.Load() == 0 {
		t.Error("nothing was counted")
	}
	for _, s := range socks {
		s.Close()
	}
	if left := bob.Left(); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

// MSG_MORE gathers one datagram, and not more.
func TestADatagramInPiecesIsNoLongerThanAnother(t *testing.T) {
	alice, bob := pair(t)
	u, r := sender(t, alice, bob4), receiver(t, bob, netip.AddrPortFrom(bob4, 9))
	piece := make([]byte, 10_000)
	for range 6 {
		if _, err := u.Send(piece, socket.MSG_MORE); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := u.Send(piece, socket.MSG_MORE); !errors.Is(err, syscall.EMSGSIZE) {
		t.Errorf("the seventh piece: %v", err)
	}
	send(t, u, "the end")
	wantDatagram(t, r, 60_007)
}

func TestADatagramSocketHoldsNoMoreThanItsBuffer(t *testing.T) {
	for _, size := range []int{0, 1, 100, 1400, 60_000} {
		alice, bob := pair(t)
		addr := netip.AddrPortFrom(bob4, 9)
		s := receiver(t, bob, addr)
		u := sender(t, alice, bob4)
		for range 1000 {
			if _, err := u.Send(make([]byte, size), 0); err != nil {
				t.Fatal(err)
			}
		}
		limit, err := socket.Get(s, socket.SO_RCVBUF)
		if err != nil {
			t.Fatal(err)
		}
		if used := bob.BudgetUsed(); used > int64(limit) || used == 0 {
			t.Errorf("datagrams of %d bytes: %d bytes are held, the buffer is of %d", size, used, limit)
		}
		if bob.Counters().UDP.QueueFull.Load() == 0 {
			t.Errorf("datagrams of %d bytes: nothing was counted", size)
		}
	}
}

// Whatever was done with a host, once all its sockets are closed and what lives
// on has ended, nothing is left.
//
// DEF-60.
func TestNothingIsLeft(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		alice, bob, line := distant(t, berth.Config{})
		local, d := localOf(remote), domainOf(remote)
		group, _ := groupsOf(remote)
		join, _, _, _ := groupOptions(remote)
		var socks []socket.Socket
		open := func(h *berth.Host, typ socket.Type, proto socket.Protocol) socket.Socket {
			s, err := h.Socket(d, typ, proto)
			if err != nil {
				t.Fatal(err)
			}
			socks = append(socks, s)
			return s
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		// Connections in all stages: queued, accepted with data unread, half
		// closed, being opened, refused.
		l := open(bob, socket.STREAM, 0)
		must(l.Bind(netip.AddrPortFrom(remote, 80)))
		must(l.Listen(10))
		for i := range 5 {
			c := open(alice, socket.STREAM, 0)
			must(c.Connect(t.Context(), l.LocalAddr()))
			send(t, c, "unread")
			if i%2 == 0 {
				s, _, err := l.Accept(t.Context())
				must(err)
				socks = append(socks, s)
				s.Shutdown(socket.SHUT_WR)
			}
		}
		refused := open(alice, socket.STREAM, 0)
		if err := refused.Connect(t.Context(), netip.AddrPortFrom(remote, 81)); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Error(err)
		}
		for range 3 {
			s := open(alice, socket.STREAM, 0)
			must(s.SetNonblock(true))
			s.Connect(t.Context(), l.LocalAddr())
		}
		// Datagrams unread, errors untold, groups joined, fragments incomplete.
		r := open(bob, socket.DGRAM, 0)
		must(r.Bind(netip.AddrPortFrom(remote, 53)))
		must(socket.Set(r, join, socket.Group{Group: group, Interface: 2}))
		u := open(alice, socket.DGRAM, 0)
		_, _, recvErr := mtuOptions(remote)
		must(socket.Set(u, recvErr, 1))
		for _, port := range []uint16{53, 54} {
			_, err := u.SendTo(make([]byte, 5000), 0, netip.AddrPortFrom(remote, port))
			must(err)
		}
		proto := socket.IPPROTO_ICMP
		echo := header.ICMP{Type: header.ICMPv4EchoRequest}
		if remote.Is6() {
			proto, echo.Type = socket.IPPROTO_ICMPV6, header.ICMPv6EchoRequest
		}
		ping := open(alice, socket.DGRAM, proto)
		must(ping.Connect(t.Context(), netip.AddrPortFrom(remote, 0)))
		open(bob, socket.RAW, proto)
		_, err := ping.Send(echo.Append(nil), 0)
		must(err)
		toSelf := open(alice, socket.DGRAM, 0)
		_, err = toSelf.SendTo([]byte("x"), 0, netip.AddrPortFrom(local, 1))
		must(err)
		time.Sleep(time.Second)
		socket.Get(u, socket.SO_ERROR) // of the refused one, which stays in the queue
		line.SetOutput(impair.Config{Loss: 0.3, Seed: 1})
		for range 5 {
			_, err = u.SendTo(make([]byte, 5000), 0, netip.AddrPortFrom(remote, 53))
			must(err)
		}
		mend(t, line)

		for _, h := range []*berth.Host{alice, bob} {
			if len(h.Left()) == 0 {
				t.Error("there is nothing that could be left")
			}
		}
		for _, s := range socks {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(10 * time.Minute)
		for _, h := range []*berth.Host{alice, bob} {
			if left := h.Left(); len(left) > 0 {
				t.Errorf("left over: %v", left)
			}
		}
	})
}

// Nothing is left when connections fail, either.
func TestNothingIsLeftOfWhatFailed(t *testing.T) {
	both(t, func(t *testing.T, remote netip.Addr) {
		alice, bob, line := distant(t, berth.Config{})
		var clients, servers []socket.Socket
		manyConnections(t, alice, bob, remote, 20, func(c, s socket.Socket) {
			exchange(t, c, s, 100)
			clients, servers = append(clients, c), append(servers, s)
		})
		cut(t, line)
		for i := range clients {
			send(t, clients[i], "hello")
			send(t, servers[i], "hello")
		}
		time.Sleep(time.Hour)
		for _, s := range append(clients, servers...) {
			if err := recvError(s); !errors.Is(err, syscall.ETIMEDOUT) && !errors.Is(err, syscall.EHOSTUNREACH) {
				t.Errorf("recv: %v", err)
			}
		}
		for _, h := range []*berth.Host{alice, bob} {
			if used := h.BudgetUsed(); used != 0 {
				t.Errorf("%d bytes are held by connections that are over", used)
			}
		}
		for _, s := range append(clients, servers...) {
			s.Close()
		}
		if left := alice.Left(); len(left) > 0 {
			t.Errorf("left over: %v", left)
		}
	})
}
