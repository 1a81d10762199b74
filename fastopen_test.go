package berth_test

import (
	"bytes"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/link/impair"
	"example.com/berth/socket"
)

// A courier is a client whose server takes data with the SYN, 50 ms away.
type courier struct {
	t          *testing.T
	alice, bob *berth.Host
	line       *impair.Device
	l          socket.Socket
}

const bothFast = berth.FastOpenClient | berth.FastOpenServer

func couriers(t *testing.T, cfg berth.TCPConfig) *courier {
	t.Helper()
	if cfg.FastOpen == 0 {
		cfg.FastOpen = bothFast
	}
	c := &courier{t: t}
	c.alice, c.bob, c.line = distant(t, berth.Config{TCP: cfg})
	c.l = newSocket(t, c.bob, socket.INET, socket.STREAM, 0)
	if err := c.l.Bind(netip.AddrPortFrom(bob4, 80)); err != nil {
		t.Fatal(err)
	}
	set(t, c.l, socket.TCP_FASTOPEN, 5)
	if err := c.l.Listen(5); err != nil {
		t.Fatal(err)
	}
	return c
}

// request sends and waits for the answer, which the server gives for all that came
// at first. It returns how long that took, and what the client knows.
func (c *courier) request(s socket.Socket, data []byte) (time.Duration, socket.TCPInfo) {
	c.t.Helper()
	start := time.Now()
	served := make(chan error, 1)
	go func() {
		a, _, err := c.l.Accept(c.t.Context())
		if err == nil {
			b := make([]byte, len(data))
			if _, err = a.Recv(b, socket.MSG_WAITALL); err == nil && !bytes.Equal(b, data) {
				err = syscall.EBADMSG
			}
			if err == nil {
				_, err = a.Send([]byte("ok"), 0)
			}
			a.Close()
		}
		served <- err
	}()
	if n, err := s.SendTo(data, socket.MSG_FASTOPEN, c.l.LocalAddr()); n != len(data) || err != nil {
		c.t.Fatalf("sent %d: %v", n, err)
	}
	b := make([]byte, 10)
	if n, err := s.Recv(b, 0); string(b[:n]) != "ok" || err != nil {
		c.t.Fatalf("received %q: %v", b[:n], err)
	}
	took := time.Since(start)
	info, err := socket.Get(s, socket.TCP_INFO)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := <-served; err != nil {
		c.t.Error(err)
	}
	s.Close()
	return took, info
}

func (c *courier) client() socket.Socket {
	c.t.Helper()
	return newSocket(c.t, c.alice, socket.INET, socket.STREAM, 0)
}

// The first request asks for a cookie; those that follow take one round trip of
// 100 ms, where a handshake and a request take two (RFC 7413 3).
func TestFastOpenSavesARoundTrip(t *testing.T) {
	for _, cfg := range []berth.TCPConfig{
		{}, {SYNCookies: berth.SYNCookiesOff}, {FastOpenKey: make([]byte, 32)},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := couriers(t, cfg)
			for i := range 4 {
				took, info := c.request(c.client(), []byte("request"))
				want, failure := 100*time.Millisecond, uint8(0)
				if i == 0 {
					want, failure = 2*want, 1
				}
				if took/time.Millisecond != want/time.Millisecond || info.SYNData != (i > 0) || info.FastOpenFailure != failure {
					t.Errorf("request %d took %v, SYN data %v, failure %d", i, took, info.SYNData, info.FastOpenFailure)
				}
			}
			a, b := c.alice.Counters(), c.bob.Counters()
			if n, m := a.TCP.Machine.FastOpenActive.Load(), b.TCP.Machine.FastOpenPassive.Load(); n != 3 || m != 3 {
				t.Errorf("%d fast opens, %d taken", n, m)
			}
		})
	}
}

// What does not fit the SYN follows.
func TestFastOpenOfMuchData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := couriers(t, berth.TCPConfig{})
		big := bytes.Repeat([]byte("0123456789"), 10_000)
		for range 2 {
			c.request(c.client(), big)
		}
	})
}

// Without a listener that takes it, with it switched off on either side, or with no
// room for more, data goes after the handshake.
func TestFastOpenFallsBack(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  berth.TCPConfig
		do   func(c *courier)
	}{
		{"no TCP_FASTOPEN", berth.TCPConfig{}, func(c *courier) { set(c.t, c.l, socket.TCP_FASTOPEN, 0) }},
		{"no server", berth.TCPConfig{FastOpen: berth.FastOpenClient}, func(*courier) {}},
		{"another key", berth.TCPConfig{}, func(c *courier) { set(c.t, c.l, socket.TCP_FASTOPEN_KEY, make([]byte, 16)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := couriers(t, tt.cfg)
				c.request(c.client(), []byte("request"))
				tt.do(c)
				took, info := c.request(c.client(), []byte("request"))
				if took < 200*time.Millisecond || took > 210*time.Millisecond || info.SYNData {
					t.Errorf("it took %v, SYN data %v", took, info.SYNData)
				}
			})
		})
	}
}

func TestFastOpenIsSwitchedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := couriers(t, berth.TCPConfig{FastOpen: berth.FastOpenOff})
		s := c.client()
		if _, err := s.SendTo([]byte("x"), socket.MSG_FASTOPEN, c.l.LocalAddr()); err != syscall.EOPNOTSUPP {
			t.Errorf("SendTo: %v", err)
		}
		if err := socket.Set(s, socket.TCP_FASTOPEN_CONNECT, 1); err != syscall.EOPNOTSUPP {
			t.Errorf("TCP_FASTOPEN_CONNECT: %v", err)
		}
	})
}

// TCP_FASTOPEN_CONNECT: Connect returns at once if there is a cookie, and the first
// Send goes with the SYN.
func TestConnectWaitsForData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := couriers(t, berth.TCPConfig{})
		for i := range 2 {
			s := c.client()
			set(t, s, socket.TCP_FASTOPEN_CONNECT, 1)
			start := time.Now()
			if err := s.Connect(t.Context(), c.l.LocalAddr()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); i == 0 && took < 100*time.Millisecond || i == 1 && took != 0 {
				t.Errorf("connect %d took %v", i, took)
			}
			if i == 1 {
				if err := s.Connect(t.Context(), c.l.LocalAddr()); err != syscall.EISCONN {
					t.Errorf("a second connect: %v", err)
				}
				wantState(t, s, socket.TCP_SYN_SENT)
			}
			if n, err := s.Send([]byte("hello"), 0); n != 5 || err != nil {
				t.Fatal(n, err)
			}
			a, _, err := c.l.Accept(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 10)
			if n, err := a.Recv(b, 0); string(b[:n]) != "hello" || err != nil {
				t.Errorf("received %q: %v", b[:n], err)
			}
			if info, _ := socket.Get(a, socket.TCP_INFO); info.SYNData != (i == 1) {
				t.Errorf("connect %d: SYN data %v", i, info.SYNData)
			}
			a.Close()
			s.Close()
		}
	})
}

// TCP_FASTOPEN_NO_COOKIE on both sides: the very first SYN brings data.
func TestFastOpenWithoutCookies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := couriers(t, berth.TCPConfig{})
		set(t, c.l, socket.TCP_FASTOPEN_NO_COOKIE, 1)
		s := c.client()
		set(t, s, socket.TCP_FASTOPEN_NO_COOKIE, 1)
		if took, info := c.request(s, []byte("request")); took > 110*time.Millisecond || !info.SYNData {
			t.Errorf("it took %v, SYN data %v", took, info.SYNData)
		}
	})
}

// A non-blocking socket tells how much went with the SYN.
func TestFastOpenWithoutWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := couriers(t, berth.TCPConfig{})
		s := c.client()
		if n, err := s.SendTo([]byte("x"), socket.MSG_FASTOPEN|socket.MSG_DONTWAIT, c.l.LocalAddr()); n != 0 || err != syscall.EINPROGRESS {
			t.Errorf("without a cookie: %d, %v", n, err)
		}
		if _, err := s.SendTo([]byte("x"), socket.MSG_FASTOPEN|socket.MSG_DONTWAIT, c.l.LocalAddr()); err != syscall.EALREADY {
			t.Errorf("once more: %v", err)
		}
		time.Sleep(time.Second)
		if _, err := s.SendTo([]byte("x"), socket.MSG_FASTOPEN, c.l.LocalAddr()); err != syscall.EISCONN {
			t.Errorf("connected: %v", err)
		}
		s = c.client()
		if n, err := s.SendTo(make([]byte, 5000), socket.MSG_FASTOPEN|socket.MSG_DONTWAIT, c.l.LocalAddr()); n != 1420 || err != nil {
			t.Errorf("with a cookie: %d, %v", n, err)
		}
		s = c.client()
		if _, err := s.Send([]byte("x"), socket.MSG_FASTOPEN); err != syscall.EINVAL {
			t.Errorf("without an address: %v", err)
		}
	})
}

// RFC 7413 4.1.3: where SYNs with data vanish, one without follows; and after three
// time-outs no SYN has data for a while.
func TestSYNsWithDataVanish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := couriers(t, berth.TCPConfig{FastOpenPause: time.Hour})
		c.request(c.client(), []byte("request"))
		time.Sleep(time.Second) // what went before is to be over
		cut(t, c.line)
		done := make(chan time.Duration, 1)
		go func() {
			took, _ := c.request(c.client(), []byte("request"))
			done <- took
		}()
		time.Sleep(500 * time.Millisecond)
		mend(t, c.line)
		if took := <-done; took < 1200*time.Millisecond || took > 1210*time.Millisecond {
			t.Errorf("with one SYN lost it took %v", took)
		}
		if took, info := c.request(c.client(), []byte("request")); took > 110*time.Millisecond || !info.SYNData {
			t.Errorf("one lost SYN is no reason to do without: %v", took)
		}
		time.Sleep(time.Second) // what went before is to be over
		cut(t, c.line)
		go func() {
			took, _ := c.request(c.client(), []byte("request"))
			done <- took
		}()
		time.Sleep(10 * time.Second)
		mend(t, c.line)
		<-done
		if n := c.alice.Counters().TCP.Machine.FastOpenBlackHoles.Load(); n != 1 {
			t.Errorf("%d black holes", n)
		}
		if took, info := c.request(c.client(), []byte("request")); took < 200*time.Millisecond || info.SYNData {
			t.Errorf("in a black hole: %v, SYN data %v", took, info.SYNData)
		}
		time.Sleep(time.Hour)
		if took, info := c.request(c.client(), []byte("request")); took > 110*time.Millisecond || !info.SYNData {
			t.Errorf("an hour later: %v, SYN data %v", took, info.SYNData)
		}
	})
}

// RFC 7413 5.1: not more than TCP_FASTOPEN handshakes that bring data are under way,
// and those that were reset count for a minute. All others are as ever.
//
// DEF-56.
func TestAFloodOfSYNsWithData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := stationed(t, berth.Config{TCP: berth.TCPConfig{FastOpen: bothFast}})
		l := newSocket(t, h, socket.INET, socket.STREAM, 0)
		if err := l.Bind(netip.AddrPortFrom(alice4, 80)); err != nil {
			t.Fatal(err)
		}
		const most = 10
		set(t, l, socket.TCP_FASTOPEN, most)
		if err := l.Listen(1000); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex // guards what follows: SYN,ACKs are repeated meanwhile
		var cookie header.FastOpen
		var last header.TCP
		st.onPacket(func(p *packet) {
			if p.protocol != header.ProtocolTCP {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if last, _ = p.tcp(); last.Options.FastOpen.Len > 0 {
				cookie = last.Options.FastOpen
			}
		})
		syn := func(port uint16, o header.FastOpen) (taken bool) {
			st.segment(netip.AddrPortFrom(bob4, port), l.LocalAddr(), header.TCP{
				Flags: header.SYN, Window: 65535, Options: header.TCPOptions{MSS: 1460, FastOpen: o},
			}, []byte("data"))
			mu.Lock()
			defer mu.Unlock()
			return last.DstPort == port && last.Ack == 5
		}
		if syn(1, header.FastOpen{Present: true}) || cookie.Len == 0 {
			t.Fatalf("data with a request is taken, or there is no cookie in %+v", last)
		}
		port, taken := uint16(1), 0
		flood := func() {
			taken = 0
			for range 100 {
				if port++; syn(port, cookie) {
					taken++
				}
			}
		}
		if flood(); taken != most {
			t.Errorf("%d SYNs had their data taken, want %d", taken, most)
		}
		if n := h.Counters().TCP.FastOpenOverflows.Load(); n != 90 {
			t.Errorf("%d overflows", n)
		}
		for p := uint16(2); p < 2+most; p++ { // those whose address it is have them reset
			st.segment(netip.AddrPortFrom(bob4, p), l.LocalAddr(), header.TCP{Flags: header.RST, Seq: 5}, nil)
		}
		if flood(); taken != 0 {
			t.Errorf("%d more after these were reset", taken)
		}
		time.Sleep(time.Minute + time.Second)
		if flood(); taken != most {
			t.Errorf("%d a minute later", taken)
		}
		wrong := cookie
		wrong.Cookie[0]++
		if syn(50000, wrong) || h.Counters().TCP.FastOpenBadCookies.Load() != 0 {
			t.Error("a wrong cookie is looked at though there is no room")
		}
	})
}

// A cookie of somebody else's address opens nothing.
//
// DEF-56.
func TestACookieIsBoundToItsAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := stationed(t, berth.Config{TCP: berth.TCPConfig{FastOpen: bothFast | berth.FastOpenEveryListener}})
		l := listenOn(t, h, netip.AddrPortFrom(alice4, 80), 10)
		if n, _ := socket.Get(l, socket.TCP_FASTOPEN); n != 10 {
			t.Errorf("TCP_FASTOPEN is %d", n)
		}
		var last header.TCP
		st.onPacket(func(p *packet) {
			if p.protocol == header.ProtocolTCP {
				last, _ = p.tcp()
			}
		})
		syn := func(from netip.Addr, o header.FastOpen) header.TCP {
			st.segment(netip.AddrPortFrom(from, 1000), l.LocalAddr(), header.TCP{
				Flags: header.SYN, Window: 65535, Options: header.TCPOptions{FastOpen: o},
			}, []byte("data"))
			return last
		}
		cookie := syn(bob4, header.FastOpen{Present: true}).Options.FastOpen
		other := netip.MustParseAddr("10.0.0.77")
		if a := syn(other, cookie); a.Ack != 1 || a.Options.FastOpen.Len != 8 || a.Options.FastOpen == cookie {
			t.Errorf("the answer to a stolen cookie is %+v", a)
		}
		if n := h.Counters().TCP.FastOpenBadCookies.Load(); n != 1 {
			t.Errorf("%d bad cookies", n)
		}
	})
}
