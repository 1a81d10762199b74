package berth_test

import (
	"errors"
	"net/netip"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// A chain is hosts in a row, joined by links, of which all but the ends forward.
// Link n, counted from 1, has the prefixes 10.n.0.0/24 and fd0n::/64; its left
// host has .1 and ::1, its right host .2 and ::2.
//
//	10.1.0.1 -- 10.1.0.2 | 10.2.0.1 -- 10.2.0.2 | 10.3.0.1 -- ...
type chain []*berth.Host

func (c chain) left() *berth.Host  { return c[0] }
func (c chain) right() *berth.Host { return c[len(c)-1] }

// ends are the addresses of the right end, which tests connect to.
func (c chain) ends() []netip.Addr {
	n := strconv.Itoa(len(c) - 1)
	return []netip.Addr{netip.MustParseAddr("10." + n + ".0.2"), netip.MustParseAddr("fd0" + n + "::2")}
}

// The router next to the left end of a chain.
var router4, router6 = netip.MustParseAddr("10.1.0.2"), netip.MustParseAddr("fd01::2")

// chained returns a chain with the given options for each link.
func chained(t testing.TB, links ...[]wire.Option) chain {
	t.Helper()
	c := make(chain, len(links)+1)
	for i := range c {
		c[i] = berth.NewHost(berth.Config{Name: "host" + strconv.Itoa(i), Forwarding: i > 0 && i < len(links)})
		t.Cleanup(func() { c[i].Close() })
	}
	for i, opts := range links {
		a, b := wire.Pair(opts...)
		n := strconv.Itoa(i + 1)
		attach(t, c[i], a, "10."+n+".0.1/24", "fd0"+n+"::1/64")
		attach(t, c[i+1], b, "10."+n+".0.2/24", "fd0"+n+"::2/64")
	}
	for i, h := range c {
		for link := 1; link <= len(links); link++ {
			n := strconv.Itoa(link)
			to4, to6 := "10."+n+".0.0/24", "fd0"+n+"::/64"
			switch here := strconv.Itoa(i); {
			case link < i: // to the left
				addRoute(t, h, to4, "10."+here+".0.1", 0)
				addRoute(t, h, to6, "fd0"+here+"::1", 0)
			case link > i+1:
				next := strconv.Itoa(i + 1)
				addRoute(t, h, to4, "10."+next+".0.2", 0)
				addRoute(t, h, to6, "fd0"+next+"::2", 0)
			}
		}
	}
	// What is nowhere is the routers' to refuse.
	addRoute(t, c.left(), "0.0.0.0/0", router4.String(), 0)
	addRoute(t, c.left(), "::/0", router6.String(), 0)
	return c
}

func attach(t testing.TB, h *berth.Host, dev link.Device, prefixes ...string) *berth.Interface {
	t.Helper()
	ifc, err := h.Attach(dev, prefixes...)
	if err != nil {
		t.Fatal(err)
	}
	return ifc
}

func addRoute(t testing.TB, h *berth.Host, dst, via string, metric int) {
	t.Helper()
	err := h.AddRoute(berth.Route{Dst: netip.MustParsePrefix(dst), Via: netip.MustParseAddr(via), Metric: metric})
	if err != nil {
		t.Fatal(err)
	}
}

// HOST-4: the way through a router.
func TestTransferThroughARouter(t *testing.T) {
	large, cable := []wire.Option{}, []wire.Option{wire.Offload(0)}
	ethernet := []wire.Option{wire.Ethernet()}
	for _, tt := range []struct {
		name          string
		first, second []wire.Option
	}{
		{"large segments all the way", large, large},
		{"large segments, then a cable", large, cable},
		{"a cable, then large segments", cable, large},
		{"Ethernet, then an Ethernet cable", ethernet, []wire.Option{wire.Ethernet(), wire.Offload(0)}},
		{"Ethernet, then IP", ethernet, large},
		{"IP, then Ethernet", large, ethernet},
	} {
		c := chained(t, tt.first, tt.second)
		for _, addr := range c.ends() {
			t.Run(tt.name+", "+addr.String(), func(t *testing.T) {
				out, in := connected(t, c.left(), c.right(), addr)
				transfer(t, out, in, 1<<20)
				transfer(t, in, out, 1<<20)
				if c[1].Counters().IP.Forwarded.Load() == 0 {
					t.Error("nothing was forwarded")
				}
			})
		}
	}
}

// narrow is a chain whose middle link is narrower than those of the ends.
func narrow(t *testing.T, opts ...wire.Option) chain {
	return chained(t, opts, append([]wire.Option{wire.MTU(1300)}, opts...), opts)
}

// HOST-118: the transport learns what can be sent.
func TestTCPFindsThePathMTU(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts []wire.Option
	}{{"large segments", nil}, {"a cable", []wire.Option{wire.Offload(0)}}, {"Ethernet", []wire.Option{wire.Ethernet()}}} {
		for i := range 2 {
			t.Run(tt.name+", family "+strconv.Itoa(i), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := narrow(t, tt.opts...)
					addr := c.ends()[i]
					out, in := connected(t, c.left(), c.right(), addr)
					start := time.Now()
					transfer(t, out, in, 1<<20)
					if took := time.Since(start); took > 10*time.Second {
						t.Errorf("it took %v", took)
					}
					if c[1].Counters().IP.ForwardTooBig.Load() == 0 {
						t.Error("nothing was too long: this tests nothing")
					}
					if mtu := pathMTU(t, c.left(), addr); mtu != 1300 {
						t.Errorf("the path MTU is %d, want 1300", mtu)
					}
				})
			})
		}
	}
}

// mtuOptions are the options of path-MTU discovery of a family.
func mtuOptions(a netip.Addr) (mtu, discover, recvErr socket.Option[int]) {
	if a.Is4() {
		return socket.IP_MTU, socket.IP_MTU_DISCOVER, socket.IP_RECVERR
	}
	return socket.IPV6_MTU, socket.IPV6_MTU_DISCOVER, socket.IPV6_RECVERR
}

// pathMTU is what IP_MTU says of a new socket.
func pathMTU(t *testing.T, h *berth.Host, to netip.Addr) int {
	t.Helper()
	option, _, _ := mtuOptions(to)
	mtu, err := socket.Get(sender(t, h, to), option)
	if err != nil {
		t.Fatal(err)
	}
	return mtu
}

func TestUDPFindsThePathMTU(t *testing.T) {
	for i := range 2 {
		t.Run("family "+strconv.Itoa(i), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := narrow(t)
				addr := c.ends()[i]
				mtuOpt, discover, recvErr := mtuOptions(addr)
				s := receiver(t, c.right(), netip.AddrPortFrom(addr, 9))
				u := sender(t, c.left(), addr)
				if err := errors.Join(socket.Set(u, discover, socket.IP_PMTUDISC_DO), socket.Set(u, recvErr, 1)); err != nil {
					t.Fatal(err)
				}
				long := make([]byte, 1400)
				if _, err := u.Send(long, 0); err != nil {
					t.Fatal(err) // as far as anybody knows it fits
				}
				if _, err := u.Send(long, 0); !errors.Is(err, syscall.EMSGSIZE) {
					t.Errorf("the next send: %v, want EMSGSIZE", err)
				}
				if mtu, err := socket.Get(u, mtuOpt); mtu != 1300 || err != nil {
					t.Errorf("IP_MTU: %d, %v", mtu, err)
				}
				m := socket.Message{Buffers: [][]byte{make([]byte, 2000)}}
				if n, err := u.RecvMsg(&m, socket.MSG_ERRQUEUE); err != nil || m.Control.Err.Info != 1300 {
					t.Errorf("the error queue has %d bytes, info %d, %v", n, m.Control.Err.Info, err)
				}
				for range 10 { // what else waits of errors
					socket.Get(u, socket.SO_ERROR)
					u.RecvMsg(&m, socket.MSG_ERRQUEUE)
				}
				if n, err := u.Send(long[:1200], 0); n != 1200 || err != nil {
					t.Errorf("what fits: %d, %v", n, err)
				}
				wantDatagram(t, s, 1200)

				// WANT: fragmented to the path MTU.
				w := sender(t, c.left(), addr)
				if n, err := w.Send(long, 0); n != 1400 || err != nil {
					t.Errorf("with WANT: %d, %v", n, err)
				}
				wantDatagram(t, s, 1400)

				// After ten minutes the old way is tried again (RFC 1191 section 6.3).
				time.Sleep(11 * time.Minute)
				if mtu := pathMTU(t, c.left(), addr); mtu != 1500 {
					t.Errorf("after eleven minutes the path MTU is %d, want 1500", mtu)
				}
			})
		})
	}
}

// receiver is a datagram socket bound to an address.
func receiver(t *testing.T, h *berth.Host, addr netip.AddrPort) socket.Socket {
	t.Helper()
	s := newSocket(t, h, domainOf(addr.Addr()), socket.DGRAM, 0)
	if err := s.Bind(addr); err != nil {
		t.Fatal(err)
	}
	return s
}

// wantDatagram receives a datagram of n bytes.
func wantDatagram(t *testing.T, s socket.Socket, n int) {
	t.Helper()
	s.SetReadDeadline(time.Now().Add(5 * time.Second))
	b := make([]byte, 70_000)
	if k, err := s.Recv(b, 0); k != n || err != nil {
		t.Errorf("received %d bytes, %v, want %d", k, err, n)
	}
}

// The answers of routers on the way (HOST-4), one by one: what traceroute does.
func TestHopsAreFoundByTheirTimeExceeded(t *testing.T) {
	for i := range 2 {
		t.Run("family "+strconv.Itoa(i), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := chained(t, nil, nil, nil)
				addr := c.ends()[i]
				_, _, recvErr := mtuOptions(addr)
				hops := [][2]string{{"10.1.0.2", "fd01::2"}, {"10.2.0.2", "fd02::2"}, {"10.3.0.2", "fd03::2"}}
				for n, hop := range hops {
					u := newSocket(t, c.left(), domainOf(addr), socket.DGRAM, 0)
					ttl := socket.IP_TTL
					if addr.Is6() {
						ttl = socket.IPV6_UNICAST_HOPS
					}
					if err := errors.Join(socket.Set(u, recvErr, 1), socket.Set(u, ttl, n+1)); err != nil {
						t.Fatal(err)
					}
					if _, err := u.SendTo([]byte("probe"), 0, netip.AddrPortFrom(addr, 33434)); err != nil {
						t.Fatal(err)
					}
					m := socket.Message{Buffers: [][]byte{make([]byte, 100)}}
					if _, err := u.RecvMsg(&m, socket.MSG_ERRQUEUE); err != nil {
						t.Fatalf("hop %d: %v", n+1, err)
					}
					e := m.Control.Err
					want := syscall.EHOSTUNREACH // time exceeded
					if n == len(hops)-1 {
						want = syscall.ECONNREFUSED // port unreachable: arrived
					}
					if e.Errno != want || e.Offender.String() != hop[i] {
						t.Errorf("hop %d: %v by %v, want %v by %v", n+1, e.Errno, e.Offender, want, hop[i])
					}
				}
				if c[1].Counters().IP.TTLExceeded.Load() != 1 {
					t.Error("the router did not count")
				}
			})
		})
	}
}

// A raw socket sees what routers answer.
func TestARawSocketSeesTheTimeExceeded(t *testing.T) {
	c := chained(t, nil, nil, nil)
	raw := newSocket(t, c.left(), socket.INET, socket.RAW, socket.IPPROTO_ICMP)
	u := newSocket(t, c.left(), socket.INET, socket.DGRAM, 0)
	if err := socket.Set(u, socket.IP_TTL, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := u.SendTo([]byte("probe"), 0, netip.AddrPortFrom(c.ends()[0], 33434)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 200)
	n, from, err := raw.RecvFrom(b, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ip header.IPv4
	rest, err := ip.Parse(b[:n])
	if err != nil || from.Addr().String() != "10.2.0.2" || rest[0] != header.ICMPv4TimeExceeded {
		t.Errorf("from %v: %x, %v", from, b[:n], err)
	}
}

func TestNoRouteOfARouterIsAnError(t *testing.T) {
	for i, nowhere := range []string{"192.0.2.1", "2001:db8::1"} {
		t.Run(nowhere, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := chained(t, nil, nil)
				addr := netip.MustParseAddr(nowhere)
				s := newSocket(t, c.left(), domainOf(addr), socket.STREAM, 0)
				if err := s.Connect(t.Context(), netip.AddrPortFrom(addr, 80)); !errors.Is(err, syscall.ENETUNREACH) {
					t.Errorf("connect: %v, want ENETUNREACH", err)
				}
				if c[1].Counters().IP.ForwardNoRoute.Load() == 0 {
					t.Error("the router did not count")
				}
				// Without a route of its own the host knows at once.
				if err := c.left().RemoveRoute(berth.Route{Dst: netip.MustParsePrefix([]string{"0.0.0.0/0", "::/0"}[i]), Via: []netip.Addr{router4, router6}[i]}); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				s = newSocket(t, c.left(), domainOf(addr), socket.STREAM, 0)
				if err := s.Connect(t.Context(), netip.AddrPortFrom(addr, 80)); !errors.Is(err, syscall.ENETUNREACH) || time.Since(start) != 0 {
					t.Errorf("connect: %v after %v, want ENETUNREACH at once", err, time.Since(start))
				}
			})
		})
	}
}

// A host that is on the last link but does not answer.
func TestAHostThatARouterDoesNotFindIsUnreachable(t *testing.T) {
	for _, nobody := range []string{"10.2.0.77", "fd02::77"} {
		t.Run(nobody, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := chained(t, nil, []wire.Option{wire.Ethernet()})
				addr := netip.MustParseAddr(nobody)
				s := newSocket(t, c.left(), domainOf(addr), socket.STREAM, 0)
				if err := s.Connect(t.Context(), netip.AddrPortFrom(addr, 80)); !errors.Is(err, syscall.EHOSTUNREACH) {
					t.Errorf("connect: %v, want EHOSTUNREACH", err)
				}
			})
		})
	}
}

// HOST-12, HOST-82, HOST-83, HOST-94: the prefix says what is on the link; HOST-96,
// HOST-98, HOST-99, HOST-100, HOST-111: the routes that were added say the rest.
func TestRoutesAreChosenByPrefixThenMetric(t *testing.T) {
	h, st := stationed(t, berth.Config{}, wire.Ethernet())
	st.addrs = nil
	for _, r := range []struct {
		dst, via string
		metric   int
	}{
		{"0.0.0.0/0", "10.0.0.10", 0},
		{"192.0.2.0/24", "10.0.0.11", 0},
		{"192.0.2.0/24", "10.0.0.12", 5},
		{"192.0.2.128/25", "10.0.0.13", 100},
		{"192.0.2.200/32", "10.0.0.14", 0},
	} {
		addRoute(t, h, r.dst, r.via, r.metric)
	}
	check := func(dst, via string) {
		t.Helper()
		st.take(nil)
		if _, err := newSocket(t, h, socket.INET, socket.DGRAM, 0).SendTo([]byte("x"), 0, netip.AddrPortFrom(netip.MustParseAddr(dst), 9)); err != nil {
			t.Fatal(err)
		}
		p := st.one("the ARP request", nil)
		if p.arp == nil || p.arp.Target.String() != via {
			t.Errorf("to %s: %+v, want a request for %s", dst, p.arp, via)
		}
	}
	check("198.51.100.1", "10.0.0.10")
	check("192.0.2.1", "10.0.0.11")
	check("192.0.2.129", "10.0.0.13")
	check("192.0.2.200", "10.0.0.14")
	check("10.0.0.77", "10.0.0.77")
	err := h.RemoveRoute(berth.Route{Dst: netip.MustParsePrefix("192.0.2.0/24"), Via: netip.MustParseAddr("10.0.0.11")})
	if err != nil {
		t.Fatal(err)
	}
	check("192.0.2.2", "10.0.0.12")
	if err := h.AddRoute(berth.Route{Dst: netip.MustParsePrefix("192.0.2.0/24"), Via: netip.MustParseAddr("172.16.0.1")}); !errors.Is(err, syscall.ENETUNREACH) && err == nil {
		t.Error("a gateway on no link is taken")
	}
}
