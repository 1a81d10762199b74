package port

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"syscall"
	"testing"
)

var (
	any4  = netip.IPv4Unspecified()
	home  = netip.MustParseAddr("10.0.0.1")
	peerA = netip.MustParseAddrPort("10.0.0.2:80")
	peerB = netip.MustParseAddrPort("10.0.0.3:80")
)

func newTable(first, last uint16) *Table {
	t := New(rand.New(rand.NewPCG(5, 6)).Uint32)
	if err := t.SetRange(first, last); err != nil {
		panic(err)
	}
	return t
}

func tcp() *Binding { return &Binding{Protocol: TCP, Addr: any4} }

func TestRange(t *testing.T) {
	table := New(rand.Uint32)
	if first, last := table.Range(); first != 32768 || last != 60999 {
		t.Errorf("%d to %d", first, last)
	}
	for _, tt := range []struct {
		first, last uint16
		err         error
	}{{0, 10, syscall.EINVAL}, {10, 9, syscall.EINVAL}, {10, 10, nil}, {1, 65535, nil}} {
		want(t, fmt.Sprint(tt), table.SetRange(tt.first, tt.last), tt.err)
	}
}

// DEF-50.
func TestExhaustion(t *testing.T) {
	table := newTable(65500, 65535)
	var all []*Binding
	for range 36 {
		b := tcp()
		want(t, "connect", table.Connect(b, home, peerA, nil), nil)
		all = append(all, b)
	}
	want(t, "connect, all ports in use to this peer", table.Connect(tcp(), home, peerA, nil), syscall.EADDRNOTAVAIL)
	want(t, "bind, all ports in use", table.Bind(tcp()), syscall.EADDRINUSE)
	want(t, "listen, all ports in use", table.Listen(tcp()), syscall.EADDRINUSE)
	for range 36 {
		b := tcp()
		want(t, "connect to another peer", table.Connect(b, home, peerB, nil), nil)
		all = append(all, b)
	}
	other := tcp()
	other.Addr = netip.MustParseAddr("10.0.0.9")
	want(t, "bind another address", table.Bind(other), nil)
	table.Release(other)
	for _, b := range all {
		table.Release(b)
	}
	empty(t, table)
}

func TestDatagramExhaustion(t *testing.T) {
	table := newTable(100, 101)
	for range 2 {
		want(t, "autobind", table.Autobind(&Binding{Protocol: UDP, Addr: any4}), nil)
	}
	want(t, "autobind", table.Autobind(&Binding{Protocol: UDP, Addr: any4}), syscall.EAGAIN)
	want(t, "connect", table.Connect(&Binding{Protocol: UDP, Addr: any4}, home, peerA, nil), syscall.EAGAIN)
	want(t, "bind", table.Bind(&Binding{Protocol: UDP, Addr: any4}), syscall.EADDRINUSE)
}

func TestABoundPortIsNotChosenToConnectFrom(t *testing.T) {
	table := newTable(100, 101)
	b := tcp()
	b.Addr, b.Port = home, 100
	want(t, "bind", table.Bind(b), nil)
	want(t, "connect", table.Connect(b, home, peerA, nil), nil)
	c := tcp()
	want(t, "connect", table.Connect(c, home, peerB, nil), nil)
	if c.Port != 101 {
		t.Errorf("port %d", c.Port)
	}
	want(t, "the same ends", table.Connect(tcp(), home, peerB, nil), syscall.EADDRNOTAVAIL)
	table.Release(b) // now 100 is free
	want(t, "connect", table.Connect(tcp(), home, peerB, nil), nil)
}

// DEF-50.
func TestTimeWaitMayBeTakenOver(t *testing.T) {
	for _, tt := range []struct {
		name     string
		port     uint16
		wait     bool
		takeOver func(*Binding) bool
		err      error
	}{
		{"agreed, the port chosen", 0, true, func(*Binding) bool { return true }, nil},
		{"agreed, the port bound", 100, true, func(*Binding) bool { return true }, nil},
		{"not agreed", 0, true, func(*Binding) bool { return false }, syscall.EADDRNOTAVAIL},
		{"nobody to ask", 0, true, nil, syscall.EADDRNOTAVAIL},
		{"not in TIME-WAIT", 0, false, func(*Binding) bool { t.Error("asked"); return true }, syscall.EADDRNOTAVAIL},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table := newTable(100, 100)
			old, b := tcp(), tcp()
			old.ReuseAddr, b.ReuseAddr = true, true
			want(t, "connect", table.Connect(old, home, peerA, nil), nil)
			if tt.wait {
				table.Wait(old)
			}
			if b.Port = tt.port; b.Port != 0 {
				want(t, "bind", table.Bind(b), nil)
			}
			want(t, "connect", table.Connect(b, home, peerA, tt.takeOver), tt.err)
			if tt.err == nil && (old.State() != Unbound || table.Owners(TCP, 100) != 1 || b.Port != 100) {
				t.Errorf("the old one is %v, %d owners, port %d", old.State(), table.Owners(TCP, 100), b.Port)
			}
			if tt.err != nil && (b.Addr != any4 || b.Port != tt.port || b.Remote.IsValid()) {
				t.Errorf("after failure: %v to %v", b.Local(), b.Remote)
			}
			table.Release(b)
			table.Release(old)
			empty(t, table)
		})
	}
}

func TestDevicesKeepConnectionsApart(t *testing.T) {
	table := newTable(100, 200)
	var all []*Binding
	for device := int32(1); device <= 3; device++ {
		b := tcp()
		b.Addr, b.Port, b.Device = home, 100, device
		want(t, "bind", table.Bind(b), nil)
		want(t, "connect", table.Connect(b, home, peerA, nil), nil)
		all = append(all, b)
	}
	for _, i := range []int{1, 0, 2} { // from the middle, the end, the start
		table.Release(all[i])
	}
	empty(t, table)
}

func TestInherit(t *testing.T) {
	table := newTable(100, 200)
	l := tcp()
	l.Port = 80
	child := func() *Binding { return &Binding{Addr: home, Remote: peerA} }
	want(t, "no listener", table.Inherit(child(), l), syscall.EINVAL)
	want(t, "bind", table.Bind(l), nil)
	want(t, "not listening", table.Inherit(child(), l), syscall.EINVAL)
	want(t, "listen", table.Listen(l), nil)
	c := child()
	want(t, "inherit", table.Inherit(c, l), nil)
	if c.State() != Connected || c.Local() != netip.AddrPortFrom(home, 80) {
		t.Errorf("%v at %v", c.State(), c.Local())
	}
	want(t, "inherit twice", table.Inherit(child(), l), syscall.EADDRINUSE)
	want(t, "a listener connects", table.Connect(l, home, peerA, nil), syscall.EINVAL)
	want(t, "a connection connects", table.Connect(c, home, peerB, nil), syscall.EINVAL)
	want(t, "a connection listens", table.Listen(c), syscall.EINVAL)
	table.Release(l)
	b := tcp()
	b.Port = 80
	want(t, "bind beside the connection", table.Bind(b), syscall.EADDRINUSE)
	table.Release(c)
	want(t, "bind", table.Bind(b), nil)
	table.Release(b)
	table.Release(b)
	empty(t, table)
}

func TestOptionsMayChange(t *testing.T) {
	table := newTable(100, 200)
	a, b := tcp(), tcp()
	a.Port, b.Port = 80, 80
	b.ReuseAddr = true
	table.Update(a) // no port yet
	want(t, "bind", table.Bind(a), nil)
	want(t, "bind", table.Bind(b), syscall.EADDRINUSE)
	a.ReuseAddr = true
	want(t, "bind before Update", table.Bind(b), syscall.EADDRINUSE)
	table.Update(a)
	want(t, "bind", table.Bind(b), nil)
}

func TestAFailedConnectionGivesBackWhatItTook(t *testing.T) {
	table := newTable(100, 200)
	b := tcp()
	want(t, "connect", table.Connect(b, home, peerA, nil), nil)
	table.Disconnect(b)
	table.Disconnect(b)
	if b.State() != Unbound || b.Local() != netip.AddrPortFrom(any4, 0) || b.Remote.IsValid() {
		t.Errorf("%v at %v to %v", b.State(), b.Local(), b.Remote)
	}
	b.Port = 99
	want(t, "bind", table.Bind(b), nil)
	want(t, "connect", table.Connect(b, home, peerA, nil), nil)
	table.Disconnect(b)
	if b.State() != Bound || b.Local() != netip.AddrPortFrom(any4, 99) {
		t.Errorf("%v at %v", b.State(), b.Local())
	}
	table.Release(b)
	empty(t, table)
}

func TestMistakes(t *testing.T) {
	table := newTable(100, 200)
	for _, b := range []*Binding{{Protocol: TCP}, {Protocol: 99, Addr: any4}} {
		want(t, "bind", table.Bind(b), syscall.EINVAL)
		want(t, "autobind", table.Autobind(b), syscall.EINVAL)
		want(t, "listen", table.Listen(b), syscall.EINVAL)
		want(t, "connect", table.Connect(b, home, peerA, nil), syscall.EINVAL)
		table.Disconnect(b)
		table.Wait(b)
		table.Release(b)
	}
	want(t, "listen", table.Listen(&Binding{Protocol: UDP, Addr: any4}), syscall.EINVAL)
	want(t, "connect nowhere", table.Connect(tcp(), home, netip.AddrPort{}, nil), syscall.EINVAL)
	if table.Owners(99, 1) != 0 || table.Owners(TCP, 1) != 0 {
		t.Error("owners of nothing")
	}
}

// TestTableAgreesWithItself makes random calls, and counts on its own.
func TestTableAgreesWithItself(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	table := newTable(1000, 1020)
	var live []*Binding
	addrs := []netip.Addr{any4, home, netip.IPv6Unspecified(), netip.MustParseAddr("2001:db8::1")}
	for range 20000 {
		switch n := rnd.IntN(10); {
		case n < 4 && len(live) < 60:
			b := &Binding{
				Protocol:  []Protocol{TCP, UDP, ICMP}[rnd.IntN(3)],
				Addr:      addrs[rnd.IntN(4)],
				ReuseAddr: rnd.IntN(2) == 0, ReusePort: rnd.IntN(2) == 0, NoPort: rnd.IntN(4) == 0,
				Device: rnd.Int32N(3), Port: uint16(rnd.IntN(2) * (1000 + rnd.IntN(4))),
			}
			_ = table.Bind(b)
			live = append(live, b)
		case len(live) == 0:
		default:
			i := rnd.IntN(len(live))
			b := live[i]
			switch n {
			case 4:
				_ = table.Listen(b)
			case 5, 6:
				local := b.Addr
				if local.IsUnspecified() {
					local = home
				}
				_ = table.Connect(b, local, []netip.AddrPort{peerA, peerB}[rnd.IntN(2)], func(*Binding) bool { return rnd.IntN(2) == 0 })
			case 7:
				table.Wait(b)
				if rnd.IntN(2) == 0 {
					live[i] = new(Binding)
					table.Move(b, live[i])
					table.Release(b) // which has nothing any more
				}
			case 8:
				if b.ReuseAddr = !b.ReuseAddr; rnd.IntN(3) == 0 {
					b.Device = rnd.Int32N(3)
				}
				table.Update(b)
				if rnd.IntN(4) == 0 {
					table.Disconnect(b)
				}
			default:
				table.Release(b)
				live[i] = live[len(live)-1]
				live = live[:len(live)-1]
			}
		}
		count(t, table, live)
	}
	for _, b := range live {
		table.Release(b)
	}
	empty(t, table)
}

// count holds the table against the bindings it should have.
func count(t *testing.T, table *Table, live []*Binding) {
	t.Helper()
	type at struct {
		p    Protocol
		port uint16
	}
	owners := make(map[at]int)
	connections := 0
	for _, b := range live {
		if b.State() != Unbound {
			owners[at{b.Protocol, b.Port}]++
		}
		if b.Protocol == TCP && b.State() >= Connected {
			connections++
		}
	}
	if got := table.Owners(TCP, 0) + table.Owners(UDP, 0) + table.Owners(ICMP, 0); got != len(owners) {
		t.Fatalf("%d ports in use, want %d", got, len(owners))
	}
	for k, n := range owners {
		if got := table.Owners(k.p, k.port); got != n {
			t.Fatalf("port %d of %d has %d owners, want %d", k.port, k.p, got, n)
		}
	}
	for _, b := range table.tcp.ends {
		for ; b != nil; b = b.next {
			connections--
		}
	}
	if connections != 0 {
		t.Fatalf("%d connections too few", connections)
	}
}

func empty(t *testing.T, table *Table) {
	t.Helper()
	if table.Owners(TCP, 0)+table.Owners(UDP, 0)+table.Owners(ICMP, 0) != 0 || len(table.tcp.ends) != 0 {
		t.Error("the table is not empty")
	}
	for _, s := range []*space{&table.tcp, &table.udp, &table.icmp} {
		if *s.used != (bitmap{}) {
			t.Error("a port without owners is in use")
		}
		if len(s.classes) != 0 {
			t.Errorf("%d classes are kept without a binding", len(s.classes))
		}
	}
}

// Every port of the range is chosen about as often as any other (RFC 6056
// section 3.1), and one says nothing of the next.
//
// DEF-34.
func TestChoiceIsUniform(t *testing.T) {
	const ports, rounds = 64, 64 * 1000
	table := newTable(40000, 40000+ports-1)
	var seen [ports]int
	var pairs [2][2]int
	last := 0
	for range rounds {
		b := tcp()
		want(t, "connect", table.Connect(b, home, peerA, nil), nil)
		p := int(b.Port - 40000)
		seen[p]++
		pairs[last/32][p/32]++
		last = p
		table.Release(b)
	}
	chi2 := 0.0
	for _, n := range seen {
		d := float64(n) - rounds/ports
		chi2 += d * d / (rounds / ports)
	}
	if chi2 > 120 { // 63 degrees of freedom: 1 in 50 000
		t.Errorf("chi-squared %.0f over %d ports", chi2, ports)
	}
	for _, row := range pairs {
		for _, n := range row {
			if n < rounds/4-1000 || n > rounds/4+1000 {
				t.Errorf("successive ports depend on each other: %v", pairs)
			}
		}
	}
}

func TestBitmap(t *testing.T) {
	var m bitmap
	for p := range 200 {
		m.set(uint16(p))
	}
	m.clear(5)
	m.set(65535)
	for _, tt := range []struct {
		first, last, want uint16
		ok                bool
	}{
		{0, 65535, 5, true},
		{5, 5, 5, true},
		{6, 65535, 200, true},
		{6, 199, 0, false},
		{6, 200, 200, true},
		{65534, 65535, 65534, true},
		{65535, 65535, 0, false},
		{0, 4, 0, false},
	} {
		if p, ok := m.nextClear(tt.first, tt.last); p != tt.want || ok != tt.ok {
			t.Errorf("nextClear(%d, %d) = %d, %v; want %d, %v", tt.first, tt.last, p, ok, tt.want, tt.ok)
		}
	}
}

func TestStateNames(t *testing.T) {
	for s, want := range []string{"unbound", "bound", "listening", "connected", "time-wait", "State(?)"} {
		if got := State(s).String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Connections that come and go beside others take no memory, whether others are of
// their class or they are the only ones.
func TestConnectDoesNotAllocate(t *testing.T) {
	for _, beside := range []int{0, 1, 1000} {
		table := newTable(32768, 60999)
		for range beside {
			if err := table.Connect(tcp(), home, peerA, nil); err != nil {
				t.Fatal(err)
			}
		}
		c := tcp()
		if n := testing.AllocsPerRun(1000, func() {
			c.Addr = any4
			if err := table.Connect(c, home, peerA, nil); err != nil {
				t.Fatal(err)
			}
			table.Release(c)
		}); n != 0 {
			t.Errorf("beside %d connections: %v allocations", beside, n)
		}
	}
}

// BenchmarkConnect makes and ends connections beside others, all to one peer.
func BenchmarkConnect(b *testing.B) {
	for _, inUse := range []int{0, 1000, 20000, 28000, 28231} {
		b.Run(fmt.Sprint(inUse), func(b *testing.B) {
			table := newTable(32768, 60999)
			for range inUse {
				if err := table.Connect(tcp(), home, peerA, nil); err != nil {
					b.Fatal(err)
				}
			}
			c := tcp()
			for b.Loop() {
				if err := table.Connect(c, home, peerA, nil); err != nil {
					b.Fatal(err)
				}
				table.Release(c)
				c.Addr = any4
			}
		})
	}
}

// BenchmarkBindBesideConnections asks for a port with many connections.
func BenchmarkBindBesideConnections(b *testing.B) {
	for _, connections := range []int{1, 100000} {
		b.Run(fmt.Sprint(connections), func(b *testing.B) {
			table := newTable(32768, 60999)
			l := &Binding{Protocol: TCP, Addr: any4, Port: 80, ReuseAddr: true}
			if err := table.Bind(l); err != nil {
				b.Fatal(err)
			}
			if err := table.Listen(l); err != nil {
				b.Fatal(err)
			}
			for i := range connections {
				from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 16), byte(i >> 8)}), uint16(i&255)+1)
				if err := table.Inherit(&Binding{Addr: home, Remote: from, ReuseAddr: true}, l); err != nil {
					b.Fatal(err)
				}
			}
			c := tcp()
			for b.Loop() {
				c.Port = 80
				if table.Bind(c) == nil {
					b.Fatal("bound")
				}
			}
		})
	}
}
