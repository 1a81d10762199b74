package gateway_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/internal/gateway"
	"example.com/berth/internal/policy"
	"example.com/berth/link/wire"
	"example.com/berth/netconn"
	"example.com/berth/socket"
)

// The program's network: its host, the gateway, and addresses that stand for the
// outside's loopback.
var (
	gate4, gate6 = netip.MustParsePrefix("10.0.2.2/24"), netip.MustParsePrefix("fd00:2::2/64")
	prog4, prog6 = "10.0.2.100/24", "fd00:2::100/64"
	loop4, loop6 = netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("2001:db8::1")
)

// A program is a host behind a gateway.
type program struct {
	*berth.Host
	g      *gateway.Gateway
	events *events
}

// behind returns a program's host behind a gateway. Both end with the test, and the
// gateway must then have nothing left.
func behind(t testing.TB, cfg gateway.Config) *program {
	t.Helper()
	a, b := wire.Pair()
	p := &program{Host: berth.NewHost(berth.Config{Name: "program"}), events: new(events)}
	if _, err := p.Attach(a, prog4, prog6); err != nil {
		t.Fatal(err)
	}
	for dst, via := range map[string]netip.Prefix{"0.0.0.0/0": gate4, "::/0": gate6} {
		if err := p.AddRoute(berth.Route{Dst: netip.MustParsePrefix(dst), Via: via.Addr()}); err != nil {
			t.Fatal(err)
		}
	}
	cfg.Device, cfg.Addrs, cfg.Observe = b, []netip.Prefix{gate4, gate6}, p.events.add
	if cfg.Alias == nil {
		cfg.Alias = map[netip.Addr]netip.Addr{
			loop4: netip.AddrFrom4([4]byte{127, 0, 0, 1}), loop6: netip.IPv6Loopback(),
		}
	}
	var err error
	if p.g, err = gateway.New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(p.g.Close(), p.Close()); err != nil {
			t.Error(err)
		}
		if n := p.g.Stats().Flows; n != 0 {
			t.Errorf("%d flows are left", n)
		}
	})
	return p
}

// dial opens a flow of the program's.
func (p *program) dial(t testing.TB, network string, to netip.AddrPort) net.Conn {
	t.Helper()
	c, err := p.tryDial(network, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func (p *program) tryDial(network string, to netip.AddrPort) (net.Conn, error) {
	return (&netconn.Dialer{Provider: p.Host}).Dial(network, to.String())
}

// events are what a gateway told.
type events struct {
	mu   sync.Mutex
	cond *sync.Cond
	all  []gateway.Event
}

func (e *events) add(ev gateway.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, ev)
	if e.cond != nil {
		e.cond.Broadcast()
	}
}

// wait returns the first event of a kind, and waits for it.
func (e *events) wait(kind gateway.Kind) gateway.Event { return e.waitFor(1, kind)[0] }

// waitFor returns the first events of some kinds, and waits until there are so many.
func (e *events) waitFor(n int, kinds ...gateway.Kind) []gateway.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cond == nil {
		e.cond = sync.NewCond(&e.mu)
	}
	for {
		var found []gateway.Event
		for _, ev := range e.all {
			if slices.Contains(kinds, ev.Kind) {
				found = append(found, ev)
			}
		}
		if len(found) >= n {
			return found[:n]
		}
		e.cond.Wait()
	}
}

// A judge answers with functions.
type judge struct {
	decide func(policy.Flow) policy.Verdict
	hello  gateway.Hello
}

func (j judge) Decide(_ time.Time, f policy.Flow) policy.Verdict   { return j.decide(f) }
func (j judge) NewHello(policy.Flow, policy.Verdict) gateway.Hello { return j.hello }
func (j judge) with(h func([]byte) (bool, policy.Verdict)) gateway.Judge {
	j.hello = hello(h)
	return j
}

func inspecting(h func([]byte) (bool, policy.Verdict)) gateway.Judge {
	return judge{decide: func(policy.Flow) policy.Verdict { return policy.Verdict{Allow: true, Inspect: true} }}.with(h)
}

type hello func([]byte) (bool, policy.Verdict)

func (h hello) Feed(b []byte) (bool, policy.Verdict) { return h(b) }
func (h hello) End() policy.Verdict                  { return policy.Verdict{Reason: "it is cut off"} }

// denying refuses everything.
var denying = judge{decide: func(policy.Flow) policy.Verdict { return policy.Verdict{Reason: "no rule allows it"} }}

// serve runs a server of TCP on the loopback of the system, or skips the test where
// that has no such family.
func serve(t testing.TB, network string, handle func(net.Conn)) netip.AddrPort {
	t.Helper()
	at := "127.0.0.1:0"
	if network == "tcp6" {
		at = "[::1]:0"
	}
	ln, err := net.Listen(network, at)
	if err != nil {
		t.Skip(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				handle(c)
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		serving.Wait()
	})
	return ln.Addr().(*net.TCPAddr).AddrPort()
}

// echoBack sends back what comes, and ends its half when the other ends.
func echoBack(c net.Conn) {
	io.Copy(c, c)
	c.(interface{ CloseWrite() error }).CloseWrite()
}

func TestConnectionsReachTheWorld(t *testing.T) {
	for _, tt := range []struct {
		network string
		alias   netip.Addr
	}{{"tcp4", loop4}, {"tcp6", loop6}} {
		t.Run(tt.network, func(t *testing.T) {
			at := serve(t, tt.network, echoBack)
			p := behind(t, gateway.Config{})
			c := p.dial(t, "tcp", netip.AddrPortFrom(tt.alias, at.Port()))
			out := bytes.Repeat([]byte("there and back again. "), 200_000)
			var sending sync.WaitGroup
			sending.Go(func() {
				c.Write(out)
				c.(*netconn.TCPConn).CloseWrite() // a half: the answer still comes
			})
			in, err := io.ReadAll(c)
			if err != nil || !bytes.Equal(in, out) {
				t.Errorf("%d bytes came back of %d: %v", len(in), len(out), err)
			}
			sending.Wait()
			end := p.events.wait(gateway.Ended)
			if end.Sent != int64(len(out)) || end.Received != int64(len(out)) || end.Err != nil {
				t.Errorf("%+v", end)
			}
			if begun := p.events.wait(gateway.Begun); begun.ID != end.ID || begun.Flow.Dst.Addr() != tt.alias {
				t.Errorf("%+v", begun)
			}
		})
	}
}

// What the world answers a connection with is what the program sees.
func TestTheProgramSeesWhyNothingBegins(t *testing.T) {
	for _, tt := range []struct {
		name    string
		outside error
		want    syscall.Errno
	}{
		{"refused", syscall.ECONNREFUSED, syscall.ECONNREFUSED},
		{"host unreachable", syscall.EHOSTUNREACH, syscall.EHOSTUNREACH},
		{"net unreachable", &net.OpError{Op: "dial", Err: syscall.ENETUNREACH}, syscall.ENETUNREACH},
		{"no such family", syscall.EAFNOSUPPORT, syscall.ENETUNREACH},
		{"prohibited", syscall.EACCES, syscall.EHOSTUNREACH}, // as Linux: ICMP 3/13
		{"something else", errors.New("no idea"), syscall.EHOSTUNREACH},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := behind(t, gateway.Config{Dial: func(context.Context, string, netip.AddrPort) (net.Conn, error) {
				return nil, tt.outside
			}})
			if _, err := p.tryDial("tcp", netip.AddrPortFrom(loop4, 80)); !errors.Is(err, tt.want) {
				t.Errorf("tcp: %v, want %v", err, tt.want)
			}
			if ev := p.events.wait(gateway.Failed); ev.Err != tt.outside {
				t.Errorf("told %v", ev.Err)
			}
		})
	}
}

func TestWhatTheJudgeRefuses(t *testing.T) {
	p := behind(t, gateway.Config{Judge: denying, Ping: func(context.Context, netip.Addr, []byte) error {
		t.Error("a ping went out")
		return nil
	}})
	for _, far := range []netip.Addr{loop4, loop6} {
		prohibited := error(syscall.EHOSTUNREACH)
		if far.Is6() {
			prohibited = syscall.EACCES
		}
		to := netip.AddrPortFrom(far, 80)
		if _, err := p.tryDial("tcp", to); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("tcp %v: %v, want ECONNREFUSED", far, err)
		}
		c := p.dial(t, "udp", to)
		c.Write([]byte("hello"))
		if _, err := c.Read(make([]byte, 10)); !errors.Is(err, prohibited) {
			t.Errorf("udp %v: %v, want %v", far, err, prohibited)
		}
		if err := ping(t, p.Host, far); !errors.Is(err, prohibited) {
			t.Errorf("ping %v: %v, want %v", far, err, prohibited)
		}
	}
	if ev := p.events.wait(gateway.Denied); ev.Verdict.Reason != "no rule allows it" || ev.Flow.Proto != policy.TCP {
		t.Errorf("%+v", ev)
	}
}

// ping sends an echo request from a host and returns what comes of it.
func ping(t testing.TB, h *berth.Host, to netip.Addr) error {
	t.Helper()
	return pingFor(h, to, time.Minute)
}

// pingFor is ping that waits for so long.
func pingFor(h *berth.Host, to netip.Addr, wait time.Duration) error {
	domain, proto, typ := socket.INET, socket.IPPROTO_ICMP, byte(8)
	if to.Is6() {
		domain, proto, typ = socket.INET6, socket.IPPROTO_ICMPV6, 128
	}
	s, err := h.Socket(domain, socket.DGRAM, proto)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Connect(context.Background(), netip.AddrPortFrom(to, 0)); err != nil {
		return err
	}
	if _, err := s.Send(append([]byte{typ, 0, 0, 0, 0, 0, 0, 1}, "are you there?"...), 0); err != nil {
		return err
	}
	b := make([]byte, 100)
	s.SetReadDeadline(time.Now().Add(wait))
	n, err := s.Recv(b, 0)
	if err == nil && !bytes.HasSuffix(b[:n], []byte("are you there?")) {
		return fmt.Errorf("another answer: %x", b[:n])
	}
	return err
}

func TestPings(t *testing.T) {
	for _, far := range []netip.Addr{loop4, loop6} {
		t.Run(far.String(), func(t *testing.T) {
			var to netip.Addr
			p := behind(t, gateway.Config{Ping: func(_ context.Context, a netip.Addr, data []byte) error {
				to = a
				if string(data) != "are you there?" {
					t.Errorf("asked %q", data)
				}
				return nil
			}})
			for range 3 {
				if err := ping(t, p.Host, far); err != nil {
					t.Error(err)
				}
			}
			if !to.IsLoopback() {
				t.Errorf("asked %v, want what the alias stands for", to)
			}
		})
	}
}

// The operating system's own ping, where this user may.
func TestPingsOfTheSystem(t *testing.T) {
	for _, far := range []netip.Addr{loop4, loop6} {
		t.Run(far.String(), func(t *testing.T) {
			p := behind(t, gateway.Config{})
			for range 3 {
				if err := ping(t, p.Host, far); err != nil {
					t.Skip(p.events.wait(gateway.Failed).Err)
				}
			}
		})
	}
}

// A reset passes, from either side.
func TestResetsPass(t *testing.T) {
	t.Run("from the world", func(t *testing.T) {
		at := serve(t, "tcp4", func(c net.Conn) {
			c.Read(make([]byte, 1))
			c.(*net.TCPConn).SetLinger(0)
		})
		p := behind(t, gateway.Config{})
		c := p.dial(t, "tcp", netip.AddrPortFrom(loop4, at.Port()))
		c.Write([]byte("x"))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the program sees %v, want ECONNRESET", err)
		}
		if ev := p.events.wait(gateway.Ended); !errors.Is(ev.Err, syscall.ECONNRESET) {
			t.Errorf("told %v", ev.Err)
		}
	})
	t.Run("from the program", func(t *testing.T) {
		seen := make(chan error, 1)
		at := serve(t, "tcp4", func(c net.Conn) {
			io.ReadFull(c, make([]byte, 1))
			_, err := c.Read(make([]byte, 1))
			seen <- err
		})
		p := behind(t, gateway.Config{})
		c := p.dial(t, "tcp", netip.AddrPortFrom(loop4, at.Port()))
		c.Write([]byte("x"))
		c.(*netconn.TCPConn).SetLinger(0)
		c.Close()
		if err := <-seen; !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the world sees %v, want ECONNRESET", err)
		}
	})
}

// A sender who is not read from is held back, whoever it is.
func TestBackpressure(t *testing.T) {
	release := make(chan struct{})
	at := serve(t, "tcp4", func(c net.Conn) {
		<-release
		io.Copy(io.Discard, c)
	})
	p := behind(t, gateway.Config{Host: berth.Config{TCP: berth.TCPConfig{ReceiveBuffer: berth.BufferSize{Default: 64 << 10, Max: 64 << 10}}}})
	c := p.dial(t, "tcp", netip.AddrPortFrom(loop4, at.Port()))
	c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
	n, err := c.Write(make([]byte, 64<<20))
	if err == nil {
		t.Errorf("%d bytes were taken that nobody reads", n)
	}
	close(release)
}

func serveUDP(t testing.TB) netip.AddrPort {
	t.Helper()
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	go func() {
		b := make([]byte, 64<<10)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			pc.WriteTo(b[:n], from)
		}
	}()
	return pc.LocalAddr().(*net.UDPAddr).AddrPort()
}

func TestDatagramsReachTheWorld(t *testing.T) {
	at := serveUDP(t)
	p := behind(t, gateway.Config{})
	c := p.dial(t, "udp", netip.AddrPortFrom(loop4, at.Port()))
	b := make([]byte, 64<<10)
	for _, size := range []int{1, 0, 1000, 9000, 60000} {
		out := bytes.Repeat([]byte{byte(size)}, size)
		if _, err := c.Write(out); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(b); err != nil || !bytes.Equal(b[:n], out) {
			t.Errorf("%d of %d bytes: %v", n, size, err)
		}
	}
	if ev := p.events.wait(gateway.Begun); ev.Flow.Proto != policy.UDP {
		t.Errorf("%+v", ev)
	}
}

// Nobody listens outside: the program is told by ICMP, as it would be.
func TestPortUnreachableComesBack(t *testing.T) {
	pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := pc.LocalAddr().(*net.UDPAddr).AddrPort()
	pc.Close()
	p := behind(t, gateway.Config{})
	c := p.dial(t, "udp", netip.AddrPortFrom(loop4, at.Port()))
	c.Write([]byte("anybody?"))
	if _, err := c.Read(make([]byte, 10)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v, want ECONNREFUSED", err)
	}
}

// What the program says first goes on only when it has been judged; what the server
// says comes at once.
func TestInspection(t *testing.T) {
	heard := make(chan string, 4)
	at := serve(t, "tcp4", func(c net.Conn) {
		fmt.Fprint(c, "hello, who is there?")
		all, err := io.ReadAll(c)
		heard <- fmt.Sprintf("%s %t", all, errors.Is(err, syscall.ECONNRESET))
	})
	to := netip.AddrPortFrom(loop4, at.Port())
	judged := func(said *[]byte) gateway.Judge {
		return inspecting(func(b []byte) (bool, policy.Verdict) {
			*said = append(*said, b...)
			return len(*said) >= 8, policy.Verdict{Allow: bytes.HasPrefix(*said, []byte("good day")), Reason: "that is no name"}
		})
	}
	for _, tt := range []struct {
		name, says, heard string
		allow             bool
	}{
		{"allowed", "good day", "good day, and more false", true},
		{"denied", "bad dayy", " true", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var said []byte
			p := behind(t, gateway.Config{Judge: judged(&said)})
			c := p.dial(t, "tcp", to)
			if _, err := io.ReadFull(c, make([]byte, len("hello, who is there?"))); err != nil {
				t.Fatal(err)
			}
			for _, part := range []string{tt.says[:3], tt.says[3:]} {
				c.Write([]byte(part))
			}
			if !tt.allow {
				if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("the program sees %v, want ECONNRESET", err)
				}
				if ev := p.events.wait(gateway.Denied); ev.Verdict.Reason != "that is no name" || ev.Sent != 0 {
					t.Errorf("%+v", ev)
				}
			} else {
				c.Write([]byte(", and more"))
				c.Close()
			}
			if got := <-heard; got != tt.heard {
				t.Errorf("the server heard %q, want %q", got, tt.heard)
			}
		})
	}
}

func TestInspectionOfDatagrams(t *testing.T) {
	at := serveUDP(t)
	var said []byte
	p := behind(t, gateway.Config{Judge: inspecting(func(b []byte) (bool, policy.Verdict) {
		said = append(said, b...)
		return len(said) >= 4, policy.Verdict{Allow: said[0] == 'g', Reason: "bad"}
	})})
	to := netip.AddrPortFrom(loop4, at.Port())
	c := p.dial(t, "udp", to)
	b := make([]byte, 10)
	for _, s := range []string{"go", "on", "!"} {
		c.Write([]byte(s))
	}
	for _, s := range []string{"go", "on", "!"} {
		if n, err := c.Read(b); string(b[:n]) != s || err != nil {
			t.Errorf("%q, %v; want %q", b[:n], err, s)
		}
	}
	said = nil
	c = p.dial(t, "udp", to)
	c.Write([]byte("bad!"))
	if _, err := c.Read(b); !errors.Is(err, syscall.EHOSTUNREACH) {
		t.Errorf("%v, want EHOSTUNREACH", err)
	}
}

// The gateway answers DNS at its own addresses, over UDP and TCP.
func TestDNS(t *testing.T) {
	p := behind(t, gateway.Config{DNS: func(_ context.Context, from netip.AddrPort, q []byte, stream bool) []byte {
		if string(q) == "silence" {
			return nil
		}
		return fmt.Appendf(nil, "%s from %v, %t", q, from.Addr(), stream)
	}})
	for _, tt := range []struct {
		gate, prog string
		at         netip.Addr
	}{{"10.0.2.2", "10.0.2.100", gate4.Addr()}, {"fd00:2::2", "fd00:2::100", gate6.Addr()}} {
		at := netip.AddrPortFrom(tt.at, 53)
		b := make([]byte, 200)
		u := p.dial(t, "udp", at)
		u.Write([]byte("silence"))
		u.Write([]byte("question"))
		if n, err := u.Read(b); string(b[:n]) != "question from "+tt.prog+", false" {
			t.Errorf("%q, %v", b[:n], err)
		}
		c := p.dial(t, "tcp", at)
		for range 2 {
			c.Write(append(binary.BigEndian.AppendUint16(nil, 8), "question"...))
			want := "question from " + tt.prog + ", true"
			n, err := io.ReadFull(c, b[:2+len(want)])
			if string(b[2:n]) != want || int(binary.BigEndian.Uint16(b)) != len(want) {
				t.Errorf("%q, %v", b[:n], err)
			}
		}
	}
	if _, err := p.tryDial("tcp", netip.AddrPortFrom(gate4.Addr(), 54)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("another port: %v, want ECONNREFUSED", err)
	}
}

// Ports inside can be reached from outside where they are published.
func TestPublish(t *testing.T) {
	p := behind(t, gateway.Config{})
	inside := netip.MustParseAddrPort("10.0.2.100:8080")
	ln, err := netconn.Listen(p.Host, "tcp", inside.String())
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				echoBack(c)
			}()
		}
	}()
	pc, err := netconn.ListenPacket(p.Host, "udp", inside.String())
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		b := make([]byte, 2000)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			pc.WriteTo(b[:n], from)
		}
	}()
	for _, network := range []string{"tcp", "udp"} {
		at, err := p.g.Publish(network, "127.0.0.1:0", inside)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			c, err := net.Dial(network, at.String())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(c, "are you in?")
			b := make([]byte, 11)
			if _, err := io.ReadFull(c, b); string(b) != "are you in?" {
				t.Errorf("%s: %q, %v", network, b, err)
			}
			c.Close()
		}
	}
	if ev := p.events.wait(gateway.Begun); !ev.Inwards || ev.Flow.Dst != inside {
		t.Errorf("%+v", ev)
	}
	at, err := p.g.Publish("tcp", "127.0.0.1:0", netip.MustParseAddrPort("10.0.2.100:9"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", at.String())
	if err == nil {
		defer c.Close()
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("nobody listens inside: %v, want ECONNRESET", err)
	}
	if _, err := p.g.Publish("sctp", ":0", inside); err == nil {
		t.Error("sctp was published")
	}
}

// No more flows than there may be.
func TestFlowsAreBounded(t *testing.T) {
	at := serve(t, "tcp4", echoBack)
	p := behind(t, gateway.Config{MaxFlows: 2})
	to := netip.AddrPortFrom(loop4, at.Port())
	for range 2 {
		p.dial(t, "tcp", to)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if c, err := (&netconn.Dialer{Provider: p.Host}).DialContext(ctx, "tcp", to.String()); err == nil {
		c.Close()
		t.Error("a third flow began")
	}
	if s := p.g.Stats(); s.Flows != 2 || s.DroppedFlows == 0 {
		t.Errorf("%+v, want 2 flows and one dropped", s)
	}
}

// Close ends what is under way, and nothing runs on.
func TestCloseEndsEverything(t *testing.T) {
	at, udp := serve(t, "tcp4", echoBack), serveUDP(t)
	stuck := make(chan struct{})
	p := behind(t, gateway.Config{Dial: func(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
		if to.Port() == 1 {
			close(stuck)
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return new(net.Dialer).DialContext(ctx, network, to.String())
	}})
	for range 20 {
		c := p.dial(t, "tcp", netip.AddrPortFrom(loop4, at.Port()))
		c.Write([]byte("x"))
		c.Read(make([]byte, 1))
		u := p.dial(t, "udp", netip.AddrPortFrom(loop4, udp.Port()))
		u.Write([]byte("x"))
		u.Read(make([]byte, 1))
	}
	go p.tryDial("tcp", netip.AddrPortFrom(loop4, 1))
	<-stuck
	if err := p.g.Close(); err != nil {
		t.Error(err)
	}
	if n := p.g.Stats().Flows; n != 0 {
		t.Errorf("%d flows are left", n)
	}
	ended := 0
	for _, ev := range p.events.all {
		if ev.Kind == gateway.Ended {
			ended++
		}
	}
	if ended != 40 {
		t.Errorf("%d flows ended, want 40", ended)
	}
}

// What is not carried is refused, and told.
func TestOtherProtocolsAreRefused(t *testing.T) {
	var asked policy.Flow
	p := behind(t, gateway.Config{Judge: judge{decide: func(f policy.Flow) policy.Verdict {
		asked = f
		return policy.Verdict{Allow: true}
	}}})
	s, err := p.Socket(socket.INET, socket.RAW, 132)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Connect(t.Context(), netip.AddrPortFrom(loop4, 0)); err != nil {
		t.Fatal(err)
	}
	s.Send(make([]byte, 20), 0)
	if _, err := s.Recv(make([]byte, 1), 0); err != syscall.EHOSTUNREACH {
		t.Errorf("%v, want EHOSTUNREACH", err)
	}
	if ev := p.events.wait(gateway.Failed); asked.Proto != policy.Other || asked.Number != 132 || ev.Err == nil {
		t.Errorf("%+v, %+v", asked, ev)
	}
}
