package berth_test

import (
	"net/netip"
	"runtime"
	"testing"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// What an idle connection may cost, each end counted apart.
const idleLimit = 1408

// heap is how many bytes live on the heap.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// listenOn returns a listener on a host.
func listenOn(t testing.TB, h *berth.Host, addr netip.AddrPort, backlog int) socket.Socket {
	t.Helper()
	l := newSocket(t, h, domainOf(addr.Addr()), socket.STREAM, 0)
	if err := l.Bind(addr); err != nil {
		t.Fatal(err)
	}
	if err := l.Listen(backlog); err != nil {
		t.Fatal(err)
	}
	return l
}

// manyConnections makes n connections from alice to bob, and calls each with
// both ends.
func manyConnections(t testing.TB, alice, bob *berth.Host, addr netip.Addr, n int, each func(c, s socket.Socket)) {
	t.Helper()
	l := listenOn(t, bob, netip.AddrPortFrom(addr, 80), 16)
	for range n {
		c, err := alice.Socket(domainOf(addr), socket.STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Connect(t.Context(), l.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		s, _, err := l.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		each(c, s)
	}
}

// DEF-51.
func TestIdleConnectionCostsLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has memory of its own")
	}
	const n = 10_000
	for _, remote := range []netip.Addr{bob4, bob6} {
		t.Run("connecting end, "+remote.String(), func(t *testing.T) {
			h, st := stationed(t, berth.Config{})
			st.serve()
			costs(t, h, n, func(int) socket.Socket {
				c, err := h.Socket(domainOf(remote), socket.STREAM, 0)
				if err != nil {
					t.Fatal(err)
				}
				if err := c.Connect(t.Context(), netip.AddrPortFrom(remote, 80)); err != nil {
					t.Fatal(err)
				}
				return c
			})
		})
		t.Run("accepting end, "+remote.String(), func(t *testing.T) {
			h, st := stationed(t, berth.Config{})
			st.call()
			local := alice4
			if remote.Is6() {
				local = alice6
			}
			l := listenOn(t, h, netip.AddrPortFrom(local, 80), 16)
			costs(t, h, n, func(i int) socket.Socket {
				st.segment(netip.AddrPortFrom(remote, uint16(1024+i)), l.LocalAddr(), header.TCP{Flags: header.SYN, Seq: 7, Window: 65535}, nil)
				s, _, err := l.Accept(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return s
			})
		})
	}
}

// costs makes n connections of a host and says what one of them costs once it
// has moved some bytes both ways and is idle.
func costs(t *testing.T, h *berth.Host, n int, open func(i int) socket.Socket) {
	t.Helper()
	ends := make([]socket.Socket, n)
	before := heap()
	b := make([]byte, 100)
	for i := range ends {
		s := open(i)
		if k, err := s.Send(b, 0); k != len(b) || err != nil {
			t.Fatal(k, err)
		}
		if k, err := s.Recv(b, socket.MSG_WAITALL); k != len(b) || err != nil {
			t.Fatal(k, err)
		}
		ends[i] = s
	}
	each := (heap() - before) / int64(n)
	t.Logf("%d bytes", each)
	if each > idleLimit {
		t.Errorf("an idle end costs %d bytes, want at most %d", each, idleLimit)
	}
	if used := h.BudgetUsed(); used != 0 {
		t.Errorf("idle connections hold %d bytes of the budget", used)
	}
	runtime.KeepAlive(ends)
}

// exchange sends n bytes one way and receives them.
func exchange(t testing.TB, from, to socket.Socket, n int) {
	t.Helper()
	b := make([]byte, n)
	if k, err := from.Send(b, 0); k != n || err != nil {
		t.Fatalf("sent %d bytes: %v", k, err)
	}
	if k, err := to.Recv(b, socket.MSG_WAITALL); k != n || err != nil {
		t.Fatalf("received %d bytes: %v", k, err)
	}
}

// DEF-51.
func TestNoGoroutineForAConnection(t *testing.T) {
	alice, bob := pair(t)
	before := runtime.NumGoroutine()
	manyConnections(t, alice, bob, bob4, 1000, func(c, s socket.Socket) {
		exchange(t, c, s, 1000)
	})
	// A timer that fires this instant, of either host, has one.
	if n := runtime.NumGoroutine() - before; n > 2 {
		t.Errorf("1000 connections have %d goroutines", n)
	}
}

// media are the links that the data path is held to account on.
var media = []struct {
	name string
	opts []wire.Option
}{
	{"IP", nil},
	{"IP, no offload", []wire.Option{wire.Offload(0)}},
	{"Ethernet", []wire.Option{wire.Ethernet()}},
	{"Ethernet, no offload", []wire.Option{wire.Ethernet(), wire.Offload(0)}},
	{"Ethernet, checksums", []wire.Option{wire.Ethernet(), wire.Offload(link.OffloadChecksum)}},
}

// allocations is how many it costs to send size bytes to the other end and back.
func allocations(t *testing.T, c, s socket.Socket, size int) float64 {
	t.Helper()
	out, in := make([]byte, size), make([]byte, size)
	step := func() {
		for _, pair := range [][2]socket.Socket{{c, s}, {s, c}} {
			if n, err := pair[0].Send(out, 0); n != size || err != nil {
				t.Fatal(n, err)
			}
			if n, err := pair[1].Recv(in, socket.MSG_WAITALL); n != size || err != nil {
				t.Fatal(n, err)
			}
		}
	}
	for range 200 {
		step()
	}
	return steadyAllocs(200, step)
}

// steadyAllocs is testing.AllocsPerRun, measured again where it is not zero: a
// collection that empties the pools in the middle of a measurement has them filled
// again.
func steadyAllocs(runs int, step func()) float64 {
	least := testing.AllocsPerRun(runs, step)
	for range 4 {
		if least == 0 {
			break
		}
		least = min(least, testing.AllocsPerRun(runs, step))
	}
	return least
}

func TestSegmentsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, m := range media {
		for _, addr := range []netip.Addr{bob4, bob6} {
			for _, size := range []int{1, 1000, 64 << 10} {
				alice, bob := pair(t, m.opts...)
				c, s := connected(t, alice, bob, addr)
				if n := allocations(t, c, s, size); n > 0 {
					t.Errorf("%s, %v: %v allocations for %d bytes there and back", m.name, addr, n, size)
				}
			}
		}
	}
}

func TestForwardingAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, m := range media {
		for _, size := range []int{1, 64 << 10} {
			ch := chained(t, m.opts, m.opts)
			for _, addr := range ch.ends() {
				c, s := connected(t, ch.left(), ch.right(), addr)
				if n := allocations(t, c, s, size); n > 0 {
					t.Errorf("%s, %v: %v allocations for %d bytes by way of a router", m.name, addr, n, size)
				}
			}
		}
	}
}

func TestDatagramsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, m := range media {
		for _, addr := range []netip.Addr{bob4, bob6} {
			for _, connect := range []bool{false, true} {
				alice, bob := pair(t, m.opts...)
				s := newSocket(t, bob, domainOf(addr), socket.DGRAM, 0)
				if err := s.Bind(netip.AddrPortFrom(addr, 53)); err != nil {
					t.Fatal(err)
				}
				c := newSocket(t, alice, domainOf(addr), socket.DGRAM, 0)
				to := s.LocalAddr()
				if connect {
					if err := c.Connect(t.Context(), to); err != nil {
						t.Fatal(err)
					}
					to = netip.AddrPort{}
				}
				// One at a time, and bursts that fill some of the queue.
				for _, burst := range []struct{ n, size int }{{1, 1000}, {8, 1000}, {70, 1400}, {128, 64}} {
					b := make([]byte, burst.size)
					step := func() {
						for range burst.n {
							if n, err := c.SendTo(b, 0, to); n != len(b) || err != nil {
								t.Fatal(n, err)
							}
						}
						for range burst.n {
							if n, _, err := s.RecvFrom(b, 0); n != len(b) || err != nil {
								t.Fatal(n, err)
							}
						}
					}
					for range 10 {
						step()
					}
					if n := steadyAllocs(50, step); n > 0 {
						t.Errorf("%s, %v, connected %v: %v allocations for %d datagrams", m.name, addr, connect, n, burst.n)
					}
				}
				alice.Close()
				bob.Close()
			}
		}
	}
}
