package berth_test

import (
	"bytes"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link/wire"
	"example.com/berth/socket"
)

// Addresses of hosts that are nowhere.
var (
	there4 = netip.MustParseAddr("198.51.100.7")
	there6 = netip.MustParseAddr("2001:db8::7")
)

// behindForwarder returns two hosts joined by a wire: alice, and bob, who is her router and
// has a Forwarder.
func behindForwarder(t testing.TB, f berth.Forwarder) (alice, bob *berth.Host) {
	t.Helper()
	a, b := wire.Pair()
	alice = hostOn(t, berth.Config{Name: "alice"}, a, "10.0.0.1/24", "fd00::1/64")
	bob = hostOn(t, berth.Config{Name: "bob", Forwarder: f}, b, "10.0.0.2/24", "fd00::2/64")
	addRoute(t, alice, "0.0.0.0/0", "10.0.0.2", 0)
	addRoute(t, alice, "::/0", "fd00::2", 0)
	return alice, bob
}

// foreignPairs are a sender at the station's end and a destination that is
// nobody's, for both versions.
var foreignPairs = []struct {
	name      string
	here, far netip.Addr
	own       netip.Addr // the host's
	icmp      uint8
}{
	{"IPv4", bob4, there4, alice4, header.ProtocolICMP},
	{"IPv6", bob6, there6, alice6, header.ProtocolICMPv6},
}

// asking is a Forwarder that keeps what it is asked.
type asking struct {
	mu    sync.Mutex
	flows []*berth.Flow
}

func (a *asking) forward(f *berth.Flow) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.flows = append(a.flows, f)
}

// one returns the one flow that it has been asked about since the last call.
func (a *asking) one(t testing.TB) *berth.Flow {
	t.Helper()
	all := a.take()
	if len(all) != 1 {
		t.Fatalf("the Forwarder was asked %d times, want once", len(all))
	}
	return all[0]
}

func (a *asking) take() []*berth.Flow {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer func() { a.flows = nil }()
	return a.flows
}

func TestAForwarderAcceptsConnectionsToAnybody(t *testing.T) {
	for _, tt := range foreignPairs {
		t.Run(tt.name, func(t *testing.T) {
			var accepted socket.Socket
			alice, _ := behindForwarder(t, func(f *berth.Flow) {
				var err error
				if accepted, err = f.Accept(); err != nil {
					t.Error(err)
				}
			})
			to := netip.AddrPortFrom(tt.far, 443)
			c := newSocket(t, alice, domainOf(tt.far), socket.STREAM, 0)
			if err := c.Connect(t.Context(), to); err != nil {
				t.Fatal(err)
			}
			defer accepted.Close()
			if got := accepted.LocalAddr(); got != to {
				t.Errorf("it is bound to %v, want %v", got, to)
			}
			if peer, err := accepted.PeerAddr(); peer != c.LocalAddr() || err != nil {
				t.Errorf("its peer is %v, %v; want %v", peer, err, c.LocalAddr())
			}
			sent := bytes.Repeat([]byte("there and back again. "), 50_000)
			var copying sync.WaitGroup
			copying.Go(func() { echoStream(accepted) })
			copying.Go(func() {
				c.Send(sent, 0)
				c.Shutdown(socket.SHUT_WR)
			})
			if got := readAll(t, c); !bytes.Equal(got, sent) {
				t.Errorf("%d bytes came back, want %d", len(got), len(sent))
			}
			copying.Wait()
		})
	}
}

// echoStream sends back what comes, and ends when that ends.
func echoStream(s socket.Socket) {
	b := make([]byte, 32<<10)
	for {
		n, err := s.Recv(b, 0)
		if n == 0 || err != nil {
			s.Shutdown(socket.SHUT_WR)
			return
		}
		if _, err := s.Send(b[:n], 0); err != nil {
			return
		}
	}
}

func readAll(t testing.TB, s socket.Socket) (all []byte) {
	t.Helper()
	b := make([]byte, 32<<10)
	for {
		n, err := s.Recv(b, 0)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return all
		}
		all = append(all, b[:n]...)
	}
}

// What is negotiated is what a listener would.
func TestAForwarderNegotiates(t *testing.T) {
	for _, tt := range foreignPairs {
		h, st := askedBy(t, berth.Config{Forwarder: func(f *berth.Flow) { f.Accept() }})
		st.segment(netip.AddrPortFrom(tt.here, 5000), netip.AddrPortFrom(tt.far, 80), header.TCP{
			Flags: header.SYN | header.ECE | header.CWR, Seq: 100, Window: 1000,
			Options: header.TCPOptions{MSS: 1000, HasWScale: true, WScale: 3, SACKPermitted: true, HasTS: true, TSVal: 9},
		}, []byte("early"))
		p := st.one("the answer", nil)
		got, _ := p.tcp()
		o := got.Options
		if p.src != tt.far || got.Flags != header.SYN|header.ACK|header.ECE || got.Ack != 101 ||
			o.MSS == 0 || !o.HasWScale || !o.SACKPermitted || !o.HasTS || o.TSEcr != 9 {
			t.Errorf("%s: from %v: %+v", tt.name, p.src, got)
		}
		if n := h.Counters().Forward.Accepted.Load(); n != 1 {
			t.Errorf("%d accepted", n)
		}
	}
}

func TestAnswersOfAForwarder(t *testing.T) {
	const (
		tcp = iota
		udp
		echo
		sctp
	)
	kinds := []string{"TCP", "UDP", "echo", "SCTP"}
	for _, tt := range []struct {
		name         string
		kind         int
		answer       func(*berth.Flow)
		type4, code4 uint8
		type6, code6 uint8
		fromFar      bool // the answer is the destination's, not the router's
		reset, none  bool
	}{
		{name: "refuse", kind: tcp, answer: (*berth.Flow).Refuse, reset: true, fromFar: true},
		{name: "refuse", kind: udp, answer: (*berth.Flow).Refuse, type4: 3, code4: 3, type6: 1, code6: 4, fromFar: true},
		{name: "refuse", kind: echo, answer: (*berth.Flow).Refuse, type4: 3, code4: 13, type6: 1, code6: 1},
		{name: "prohibit", kind: tcp, answer: (*berth.Flow).Prohibit, type4: 3, code4: 13, type6: 1, code6: 1},
		{name: "prohibit", kind: udp, answer: (*berth.Flow).Prohibit, type4: 3, code4: 13, type6: 1, code6: 1},
		{name: "prohibit", kind: echo, answer: (*berth.Flow).Prohibit, type4: 3, code4: 13, type6: 1, code6: 1},
		{name: "prohibit", kind: sctp, answer: (*berth.Flow).Prohibit, type4: 3, code4: 13, type6: 1, code6: 1},
		{name: "reply", kind: echo, answer: (*berth.Flow).Reply, type4: 0, type6: 129, fromFar: true},
		{name: "reply", kind: udp, answer: (*berth.Flow).Reply, none: true},
		{name: "host unreachable", kind: tcp, answer: func(f *berth.Flow) { f.Unreachable(syscall.EHOSTUNREACH) }, type4: 3, code4: 1, type6: 1, code6: 3},
		{name: "net unreachable", kind: udp, answer: func(f *berth.Flow) { f.Unreachable(syscall.ENETUNREACH) }, type4: 3, code4: 0, type6: 1, code6: 0},
		{name: "drop", kind: tcp, answer: (*berth.Flow).Drop, none: true},
		{name: "drop", kind: udp, answer: (*berth.Flow).Drop, none: true},
		{name: "accept", kind: sctp, answer: func(f *berth.Flow) { f.Accept() }, none: true},
	} {
		for _, v := range foreignPairs {
			t.Run(tt.name+" "+kinds[tt.kind]+" "+v.name, func(t *testing.T) {
				h, st := askedBy(t, berth.Config{Forwarder: tt.answer})
				here, far := netip.AddrPortFrom(v.here, 5000), netip.AddrPortFrom(v.far, 80)
				switch tt.kind {
				case tcp:
					st.segment(here, far, header.TCP{Flags: header.SYN, Seq: 100, Window: 1000}, nil)
				case udp:
					st.udp(here, far, []byte("anybody?"))
				case echo:
					m := header.ICMP{Type: header.ICMPv4EchoRequest}
					if v.far.Is6() {
						m.Type = header.ICMPv6EchoRequest
					}
					m.SetID(7)
					m.SetSeq(3)
					st.icmpMessage(v.here, v.far, m, []byte("ping"))
				case sctp:
					st.ip(packet{src: v.here, dst: v.far, protocol: 132, payload: []byte("0123456789ab")})
				}
				defer func() {
					if left := h.Left(); len(left) != 0 {
						t.Errorf("left: %v", left)
					}
				}()
				if tt.none {
					st.none("an answer", nil)
					return
				}
				p := st.one("the answer", nil)
				from, typ, code := v.own, tt.type4, tt.code4
				if v.far.Is6() {
					typ, code = tt.type6, tt.code6
				}
				if tt.fromFar {
					from = v.far
				}
				switch {
				case p.src != from || p.dst != v.here:
					t.Errorf("from %v to %v, want from %v to %v", p.src, p.dst, from, v.here)
				case tt.reset && !p.isTCP(header.RST|header.ACK):
					t.Errorf("want a reset: %x", p.frame)
				case !tt.reset && !p.isICMP(typ, code):
					t.Errorf("want ICMP %d/%d: %x", typ, code, p.frame)
				case tt.kind == echo && tt.fromFar && !bytes.HasSuffix(p.frame, []byte("\x00\x07\x00\x03ping")):
					t.Errorf("another reply than was asked for: %x", p.frame)
				}
			})
		}
	}
}

// A SYN that is sent again does not ask again, and the answer may come from another
// goroutine at any time while it is sent.
func TestAForwarderMayAnswerLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked asking
		alice, bob := behindForwarder(t, asked.forward)
		c := newSocket(t, alice, socket.INET, socket.STREAM, 0)
		var connecting sync.WaitGroup
		connecting.Go(func() {
			if err := c.Connect(t.Context(), netip.AddrPortFrom(there4, 22)); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(100 * time.Second)
		f := asked.one(t)
		s, err := f.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		connecting.Wait()
		if n := bob.Counters().Forward.Repeated.Load(); n != 6 {
			t.Errorf("%d repeated SYNs, want 6", n)
		}
		for name, again := range map[string]func() error{
			"Accept": func() error { _, err := f.Accept(); return err },
			"Refuse": func() error { f.Refuse(); return syscall.EALREADY },
		} {
			if err := again(); err != syscall.EALREADY {
				t.Errorf("%s after Accept: %v, want EALREADY", name, err)
			}
		}
		if _, err := c.Send([]byte("still there"), 0); err != nil {
			t.Error(err)
		}
	})
}

// A flow that nobody answers is forgotten when its sender has given up, with all
// that it holds; and so are all when the host is closed.
func TestFlowsThatNobodyAnswersAreForgotten(t *testing.T) {
	for _, closed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var asked asking
			h, st := askedBy(t, berth.Config{Forwarder: asked.forward})
			st.segment(netip.AddrPortFrom(bob4, 1), netip.AddrPortFrom(there4, 80), header.TCP{Flags: header.SYN}, nil)
			st.udp(netip.AddrPortFrom(bob6, 1), netip.AddrPortFrom(there6, 80), []byte("hello"))
			st.take(nil)
			want := syscall.ETIMEDOUT
			if closed {
				want = syscall.ENETDOWN
				h.Close()
			} else {
				time.Sleep(3 * time.Minute)
			}
			st.take(nil)
			for _, f := range asked.take() {
				if _, err := f.Accept(); err != want {
					t.Errorf("%v: Accept: %v, want %v", f.Protocol, err, want)
				}
				f.Refuse()
			}
			st.none("an answer that comes too late", nil)
			if left := h.Left(); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

func TestAForwarderAcceptsDatagrams(t *testing.T) {
	for _, tt := range foreignPairs {
		t.Run(tt.name, func(t *testing.T) {
			var asked asking
			h, st := askedBy(t, berth.Config{Forwarder: asked.forward, ICMPErrors: -1})
			here, far := netip.AddrPortFrom(tt.here, 5000), netip.AddrPortFrom(tt.far, 53)
			for _, text := range []string{"one", "two", "three"} {
				st.udp(here, far, []byte(text))
			}
			f := asked.one(t)
			f.Report(syscall.ECONNREFUSED) // too early
			accepted, err := f.Accept()
			if err != nil {
				t.Fatal(err)
			}
			st.udp(here, far, []byte("four"))
			b := make([]byte, 100)
			for _, text := range []string{"one", "two", "three", "four"} {
				if n, from, err := accepted.RecvFrom(b, 0); string(b[:n]) != text || from != here || err != nil {
					t.Errorf("%q from %v, %v; want %q from %v", b[:n], from, err, text, here)
				}
			}
			if _, err := accepted.Send([]byte("answer"), 0); err != nil {
				t.Fatal(err)
			}
			p := st.one("the answer", nil)
			if p.src != tt.far || !bytes.HasSuffix(p.payload, []byte("answer")) {
				t.Errorf("from %v: %x", p.src, p.frame)
			}
			if err := accepted.Connect(t.Context(), here); err != syscall.EISCONN {
				t.Errorf("connected again: %v, want EISCONN", err)
			}

			// Nobody is at here any more: the socket is told.
			m := header.ICMP{Type: header.ICMPv4Unreachable, Code: header.ICMPv4PortUnreachable}
			if tt.far.Is6() {
				m = header.ICMP{Type: header.ICMPv6Unreachable, Code: header.ICMPv6PortUnreachable}
			}
			st.icmpMessage(tt.here, tt.far, m, p.frame)
			if _, err := accepted.Recv(b, 0); err != syscall.ECONNREFUSED {
				t.Errorf("after port unreachable: %v, want ECONNREFUSED", err)
			}

			// And nobody at far: the program is told.
			f.Report(syscall.ECONNREFUSED)
			if p := st.one("a report", nil); p.src != tt.far || !p.isICMP(3, 3) && !p.isICMP(1, 4) {
				t.Errorf("want port unreachable from %v: %x", tt.far, p.frame)
			}

			accepted.Close()
			if left := h.Left(); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
			st.udp(here, far, []byte("five"))
			asked.one(t).Drop()
		})
	}
}

// A flow is asked about when its datagram is whole.
func TestAForwarderSeesWholeDatagrams(t *testing.T) {
	for _, tt := range foreignPairs {
		var asked asking
		_, st := askedBy(t, berth.Config{Forwarder: asked.forward})
		b := udpDatagram(netip.AddrPortFrom(tt.here, 9), netip.AddrPortFrom(tt.far, 53), make([]byte, 3000))
		for off := 0; off < len(b); off += 1024 {
			if n := len(asked.take()); n != 0 {
				t.Fatalf("%s: asked about a fragment", tt.name)
			}
			st.ip(packet{
				src: tt.here, dst: tt.far, protocol: header.ProtocolUDP, id: 7,
				payload: b[off:min(off+1024, len(b))], offset: off, mf: off+1024 < len(b),
			})
		}
		s, err := asked.one(t).Accept()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := s.Recv(make([]byte, 4000), 0); n != 3000 || err != nil {
			t.Errorf("%s: %d bytes, %v", tt.name, n, err)
		}
		s.Close()
	}
}

// The host is a hop on the way: what has none left ends here.
func TestAForwarderIsAHop(t *testing.T) {
	for _, tt := range foreignPairs {
		var asked asking
		_, st := askedBy(t, berth.Config{Forwarder: asked.forward})
		st.ip(packet{
			src: tt.here, dst: tt.far, protocol: header.ProtocolUDP, ttl: 1,
			payload: udpDatagram(netip.AddrPortFrom(tt.here, 9), netip.AddrPortFrom(tt.far, 33434), []byte("trace")),
		})
		typ := uint8(header.ICMPv4TimeExceeded)
		if tt.far.Is6() {
			typ = header.ICMPv6TimeExceeded
		}
		if p := st.one("the answer", nil); !p.isICMP(typ, 0) || p.src != tt.own {
			t.Errorf("%s: want time exceeded from %v: %x", tt.name, tt.own, p.frame)
		}
		if len(asked.take()) != 0 {
			t.Errorf("%s: the Forwarder is asked about a packet without hops", tt.name)
		}
	}
}

// What no router sends on is not asked about and not answered.
func TestAForwarderIsNotAskedAboutMartians(t *testing.T) {
	for _, tt := range []struct{ name, src, dst string }{
		{"to loopback", "10.0.0.2", "127.0.0.1"},
		{"to this network", "10.0.0.2", "0.1.2.3"},
		{"to a group", "10.0.0.2", "239.1.2.3"},
		{"to broadcast", "10.0.0.2", "255.255.255.255"},
		{"to the link's broadcast", "10.0.0.2", "10.0.0.255"},
		{"to a reserved address", "10.0.0.2", "240.0.0.1"},
		{"from a link-local address", "169.254.1.1", "198.51.100.7"},
		{"from the host's own address", "10.0.0.1", "198.51.100.7"},
		{"from a reserved address", "240.0.0.1", "198.51.100.7"},
		{"from nobody", "0.0.0.0", "198.51.100.7"},
		{"to loopback of IPv6", "fd00::2", "::1"},
		{"to nobody of IPv6", "fd00::2", "::"},
		{"to a group of IPv6", "fd00::2", "ff0e::1"},
		{"to another link's address", "fd00::2", "fe80::99"},
		{"to a mapped address", "fd00::2", "::ffff:198.51.100.7"},
		{"from a mapped address", "::ffff:10.0.0.2", "2001:db8::7"},
		{"from a link-local address of IPv6", "fe80::2", "2001:db8::7"},
		{"from the host's own address of IPv6", "fd00::1", "2001:db8::7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var asked asking
			_, st := askedBy(t, berth.Config{Forwarder: asked.forward})
			src, dst := netip.MustParseAddr(tt.src), netip.MustParseAddr(tt.dst)
			st.segment(netip.AddrPortFrom(src, 1), netip.AddrPortFrom(dst, 80), header.TCP{Flags: header.SYN}, nil)
			st.udp(netip.AddrPortFrom(src, 1), netip.AddrPortFrom(dst, 80), []byte("x"))
			st.ip(packet{src: src, dst: dst, protocol: 132, payload: []byte("sctp")})
			if n := len(asked.take()); n != 0 {
				t.Errorf("it is asked %d times", n)
			}
			st.none("an answer", nil)
		})
	}
}

// Services of clouds have link-local addresses of IPv4: whether they may be
// reached is for the Forwarder to say.
func TestAForwarderIsAskedAboutMetadataServices(t *testing.T) {
	var asked asking
	_, st := askedBy(t, berth.Config{Forwarder: asked.forward})
	st.segment(netip.AddrPortFrom(bob4, 1), netip.MustParseAddrPort("169.254.169.254:80"), header.TCP{Flags: header.SYN}, nil)
	asked.one(t).Refuse()
}

// The host's own listeners are not there for others' addresses, and a segment of a
// connection that there is none of is reset.
func TestForeignSegmentsAreNotForListeners(t *testing.T) {
	for _, tt := range foreignPairs {
		var asked asking
		h, st := askedBy(t, berth.Config{Forwarder: asked.forward})
		listenOn(t, h, netip.AddrPortFrom(netip.IPv6Unspecified(), 80), 8)
		u := newSocket(t, h, socket.INET6, socket.DGRAM, 0)
		if err := u.Bind(netip.AddrPortFrom(netip.IPv6Unspecified(), 80)); err != nil {
			t.Fatal(err)
		}
		here, far := netip.AddrPortFrom(tt.here, 5000), netip.AddrPortFrom(tt.far, 80)
		st.segment(here, far, header.TCP{Flags: header.SYN, Seq: 100, Window: 1000}, nil)
		asked.one(t).Drop()
		st.udp(here, far, []byte("hello"))
		asked.one(t).Drop()
		st.none("an answer", nil)
		st.segment(here, far, header.TCP{Flags: header.ACK, Seq: 100, Ack: 5, Window: 1000}, nil)
		if p := st.one("the answer", nil); !p.isTCP(header.RST) || p.src != tt.far {
			t.Errorf("%s: want a reset: %x", tt.name, p.frame)
		}
	}
}

// However many flows are begun and not answered, what they hold has a bound.
func TestWaitingFlowsAreBounded(t *testing.T) {
	var asked asking
	h, st := askedBy(t, berth.Config{Forwarder: asked.forward})
	const many = 6000
	for i := range many {
		here := netip.AddrPortFrom(bob4, uint16(1000+i))
		if i%2 == 0 {
			st.udp(here, netip.AddrPortFrom(there4, 80), make([]byte, 100))
			continue
		}
		st.segment(here, netip.AddrPortFrom(there4, 80), header.TCP{Flags: header.SYN}, nil)
	}
	all := asked.take()
	if n := h.Counters().Forward.Overflow.Load(); n != many-4096 || len(all) != 4096 {
		t.Errorf("%d wait and %d did not fit, want 4096 and %d", len(all), n, many-4096)
	}
	for _, f := range all {
		f.Drop()
	}
	if left := h.Left(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// A handshake that the peer ends is an error of the accepted socket.
func TestAnAcceptedConnectionThatDoesNotComeAbout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, reset := range []bool{true, false} {
			var asked asking
			h, st := askedBy(t, berth.Config{Forwarder: asked.forward})
			here, far := netip.AddrPortFrom(bob4, 5000), netip.AddrPortFrom(there4, 80)
			st.segment(here, far, header.TCP{Flags: header.SYN, Seq: 100, Window: 1000}, nil)
			s, err := asked.one(t).Accept()
			if err != nil {
				t.Fatal(err)
			}
			if reset {
				st.segment(here, far, header.TCP{Flags: header.RST, Seq: 101}, nil)
			}
			want := syscall.ETIMEDOUT
			if reset {
				want = syscall.ECONNRESET
			}
			if n, err := s.Recv(make([]byte, 1), 0); err != want {
				t.Errorf("%d bytes, %v; want %v", n, err, want)
			}
			s.Close()
			if left := h.Left(); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
		}
	})
}

// Without a Forwarder such packets are none of the host's business.
func TestAHostWithoutAForwarderTakesNothingForOthers(t *testing.T) {
	h, st := askedBy(t, berth.Config{})
	st.segment(netip.AddrPortFrom(bob4, 1), netip.AddrPortFrom(there4, 80), header.TCP{Flags: header.SYN}, nil)
	st.none("an answer", nil)
	if n := h.Counters().IP.NotForUs.Load(); n != 1 {
		t.Errorf("NotForUs is %d, want 1", n)
	}
}

// Many connections at once, each to an address of its own.
func TestAForwarderAcceptsManyAtOnce(t *testing.T) {
	const many = 200
	var serving sync.WaitGroup
	alice, _ := behindForwarder(t, func(f *berth.Flow) {
		serving.Go(func() {
			s, err := f.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			echoStream(s)
			s.Close()
		})
	})
	var calling sync.WaitGroup
	for i := range many {
		calling.Go(func() {
			to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), 7)
			if i%2 == 1 {
				a := there6.As16()
				a[15] = byte(i)
				to = netip.AddrPortFrom(netip.AddrFrom16(a), 7)
			}
			c, err := alice.Socket(domainOf(to.Addr()), socket.STREAM, 0)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			if err := c.Connect(t.Context(), to); err != nil {
				t.Errorf("%v: %v", to, err)
				return
			}
			text := []byte(to.String())
			c.Send(text, 0)
			c.Shutdown(socket.SHUT_WR)
			if got := readAll(t, c); !slices.Equal(got, text) {
				t.Errorf("%v got %q", to, got)
			}
		})
	}
	calling.Wait()
	serving.Wait()
}

// Echo gives what an echo request says, and nothing for other flows.
func TestEchoOfAFlow(t *testing.T) {
	var asked asking
	_, st := askedBy(t, berth.Config{Forwarder: asked.forward})
	m := header.ICMP{Type: header.ICMPv4EchoRequest}
	m.SetID(7)
	m.SetSeq(3)
	st.icmpMessage(bob4, there4, m, []byte("ping"))
	f := asked.one(t)
	if id, seq, data := f.Echo(); id != 7 || seq != 3 || string(data) != "ping" || f.Protocol != socket.IPPROTO_ICMP {
		t.Errorf("%v: %d %d %q", f.Protocol, id, seq, data)
	}
	f.Drop()
	st.udp(netip.AddrPortFrom(bob4, 1), netip.AddrPortFrom(there4, 2), nil)
	f = asked.one(t)
	if id, seq, data := f.Echo(); id != 0 || seq != 0 || data != nil {
		t.Errorf("of a datagram: %d %d %q", id, seq, data)
	}
	f.Drop()
}

// askedBy is stationed, without what a host sends when it comes up.
func askedBy(t testing.TB, cfg berth.Config) (*berth.Host, *station) {
	h, st := stationed(t, cfg)
	st.take(nil)
	return h, st
}

// On an Ethernet the host does not claim others' addresses: it takes what is sent to
// it as a router.
func TestAForwarderOnEthernet(t *testing.T) {
	for _, tt := range foreignPairs {
		var asked asking
		_, st := stationed(t, berth.Config{Forwarder: asked.forward}, wire.Ethernet())
		st.take(nil)
		if tt.far.Is4() {
			st.arp(header.ARP{Op: header.ARPRequest, SenderHW: stationMAC, Sender: tt.here, Target: tt.far}, header.Broadcast)
		} else {
			ns := header.NeighborSolicit{Target: tt.far, HasSourceHW: true, SourceHW: stationMAC}
			st.nd(tt.here, tt.own, ns.Append(nil))
		}
		st.none("a claim", func(p *packet) bool { return p.arp != nil || p.isICMP(header.ICMPv6NeighborAdvert, 0) })
		st.segment(netip.AddrPortFrom(tt.here, 1), netip.AddrPortFrom(tt.far, 80), header.TCP{Flags: header.SYN, Window: 1000}, nil)
		s, err := asked.one(t).Accept()
		if err != nil {
			t.Fatal(err)
		}
		if p := st.one("the answer", isTCP); p.src != tt.far || p.eth.Dst != stationMAC {
			t.Errorf("%s: %x", tt.name, p.frame)
		}
		s.Close()
	}
}
