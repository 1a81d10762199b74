package berth_test

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/internal/seqnum"
	"example.com/berth/socket"
)

// A siege is a listener of a host that gets SYNs from addresses that nobody has.
type siege struct {
	t  *testing.T
	h  *berth.Host
	st *station
	l  socket.Socket
	n  uint32 // SYNs sent
}

func besiege(t *testing.T, cfg berth.TCPConfig, backlog int) *siege {
	t.Helper()
	h, st := stationed(t, berth.Config{TCP: cfg})
	if err := h.AddRoute(berth.Route{Dst: netip.MustParsePrefix("0.0.0.0/0"), Via: bob4}); err != nil {
		t.Fatal(err)
	}
	st.mu.Lock()
	st.blind = true
	st.mu.Unlock()
	return &siege{t: t, h: h, st: st, l: listenOn(t, h, netip.AddrPortFrom(alice4, 80), backlog)}
}

// syns are n SYNs, each from another address.
func (s *siege) syns(n int) {
	for range n {
		s.n++
		var src [4]byte
		binary.BigEndian.PutUint32(src[:], 192<<24+s.n)
		s.st.segment(netip.AddrPortFrom(netip.AddrFrom4(src), uint16(s.n)), s.l.LocalAddr(),
			header.TCP{Flags: header.SYN, Seq: seqnum.Value(s.n), Window: 65535, Options: header.TCPOptions{MSS: 1460}}, nil)
	}
}

// honest makes the station end the handshakes of those SYNs that came from its
// own address.
func (s *siege) honest() {
	s.st.onPacket(func(p *packet) {
		if p.dst != bob4 || !p.isTCP(header.SYN|header.ACK) {
			return
		}
		h, _ := p.tcp()
		o := header.TCPOptions{HasTS: h.Options.HasTS, TSVal: h.Options.TSEcr + 1, TSEcr: h.Options.TSVal}
		s.st.segment(netip.AddrPortFrom(p.dst, h.DstPort), netip.AddrPortFrom(p.src, h.SrcPort),
			header.TCP{Flags: header.ACK, Seq: h.Ack, Ack: h.Seq.Add(1), Window: 512, Options: o}, nil)
	})
}

// Of a million SYNs nothing is left but what the queue holds, and whoever is
// there gets in all the while (RFC 4987 3.6).
//
// DEF-23.
func TestAFloodOfSYNs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const backlog, visitors = 100, 200
		flood := 1_000_000
		if testing.Short() || raceEnabled {
			flood = 20_000
		}
		s := besiege(t, berth.TCPConfig{}, backlog)
		if err := s.l.SetNonblock(true); err != nil {
			t.Fatal(err)
		}
		s.honest()
		s.syns(backlog + 1)
		before, in := heap(), 0
		for i := range visitors {
			s.syns(flood / visitors)
			s.st.segment(netip.AddrPortFrom(bob4, uint16(1024+i)), s.l.LocalAddr(), header.TCP{
				Flags: header.SYN, Window: 65535,
				Options: header.TCPOptions{MSS: 1460, SACKPermitted: true, HasTS: true, TSVal: 7, HasWScale: true, WScale: 9},
			}, nil)
			c, _, err := s.l.Accept(t.Context())
			if err != nil {
				continue
			}
			in++
			if i, _ := socket.Get(c, socket.TCP_INFO); !i.SACK || !i.Timestamps || i.SndWScale != 9 || i.SndMSS != 1448 {
				t.Errorf("the connection has %+v", i)
			}
			set(t, c, socket.SO_LINGER, socket.Linger{On: true})
			c.Close()
		}
		if in < visitors*99/100 {
			t.Errorf("%d of %d visitors got in", in, visitors)
		}
		if grown := heap() - before; grown > 256<<10 {
			t.Errorf("%d bytes are held", grown)
		}
		if n := len(states(s.h)); n != backlog+2 {
			t.Errorf("%d sockets, want the listener and what the queue holds", n)
		}
		c := &s.h.Counters().TCP
		if sent := c.SYNCookiesSent.Load(); sent != uint64(flood+visitors) {
			t.Errorf("%d cookies for %d SYNs", sent, flood+visitors)
		}
		if got := c.SYNCookiesReceived.Load(); got != uint64(in) {
			t.Errorf("%d cookies came back, want %d", got, in)
		}
		time.Sleep(3 * time.Minute)
		if n := len(states(s.h)); n != 1 {
			t.Errorf("three minutes later there are %d sockets", n)
		}
	})
}

// Without cookies SYNs beyond the queue are dropped, and when the flood is over
// the listener is as good as new.
//
// DEF-23.
func TestAFloodWithoutCookies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct{ backlog, most, want int }{
			{4, 0, 5}, {100, 0, 101}, {100, 40, 31}, // a quarter is kept free
		} {
			s := besiege(t, berth.TCPConfig{SYNCookies: berth.SYNCookiesOff, SYNBacklog: tt.most}, tt.backlog)
			s.syns(1000)
			if n := len(states(s.h)) - 1; n != tt.want {
				t.Errorf("%+v: %d handshakes", tt, n)
			}
			c := &s.h.Counters().TCP
			if full, drops := c.SYNQueueFull.Load(), c.ListenDrops.Load(); full != uint64(1000-tt.want) || drops != full {
				t.Errorf("%+v: %d and %d drops are counted", tt, full, drops)
			}
			time.Sleep(3 * time.Minute)
			s.honest()
			s.st.segment(netip.AddrPortFrom(bob4, 5), s.l.LocalAddr(), header.TCP{Flags: header.SYN, Window: 65535}, nil)
			if _, _, err := s.l.Accept(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

// Acknowledgments that nobody asked for open nothing while there is no flood,
// even if they carry what was once a cookie.
//
// DEF-24.
func TestCookiesAreTakenOnlyUnderPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := besiege(t, berth.TCPConfig{}, 1)
		s.syns(2)
		var cookie header.TCP
		s.st.onPacket(func(p *packet) {
			if p.isTCP(header.SYN | header.ACK) {
				cookie, _ = p.tcp()
			}
		})
		src := netip.AddrPortFrom(bob4, 5)
		ack := func() {
			s.st.segment(src, s.l.LocalAddr(), header.TCP{Flags: header.ACK, Seq: 1, Ack: cookie.Seq.Add(1), Window: 512}, nil)
		}
		c := &s.h.Counters().TCP
		s.st.segment(src, s.l.LocalAddr(), header.TCP{Flags: header.SYN, Window: 512}, nil)
		time.Sleep(2*time.Minute + time.Second)
		synctest.Wait()
		ack()
		if n := c.SYNCookiesReceived.Load() + c.SYNCookiesFailed.Load(); n != 0 {
			t.Errorf("%d cookies were looked at", n)
		}
		s.syns(3)
		ack()
		if n, failed := c.SYNCookiesReceived.Load(), c.SYNCookiesFailed.Load(); n != 0 || failed != 1 {
			t.Errorf("%d cookies are taken, %d failed; want the old one to fail", n, failed)
		}
		s.st.segment(src, s.l.LocalAddr(), header.TCP{Flags: header.SYN, Window: 512}, nil)
		ack()
		if n := c.SYNCookiesReceived.Load(); n != 1 {
			t.Errorf("%d cookies are taken, want the new one", n)
		}
		if resets := c.ResetsSent.Load(); resets != 2 {
			t.Errorf("%d resets, want one for each of the others", resets)
		}
	})
}

// A handshake costs what the map and the heap need, and not a connection.
func TestHandshakeCostsLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has memory of its own")
	}
	synctest.Test(t, func(t *testing.T) {
		const n, limit = 4000, 450
		s := besiege(t, berth.TCPConfig{}, n)
		before := heap()
		s.syns(n)
		each := (heap() - before) / n
		t.Logf("%d bytes", each)
		if each > limit {
			t.Errorf("a handshake costs %d bytes, want at most %d", each, limit)
		}
		if c := s.h.Counters().TCP.SYNCookiesSent.Load(); c != 0 || len(states(s.h)) != n+1 {
			t.Errorf("%d cookies, %d sockets", c, len(states(s.h)))
		}
	})
}

// While the accept queue is full, the last acknowledgment of a handshake is
// dropped, or with AbortOnOverflow answered by a reset.
func TestHandshakeEndsWhileTheQueueIsFull(t *testing.T) {
	for _, abort := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := besiege(t, berth.TCPConfig{AbortOnOverflow: abort}, 1)
			syn := func(port uint16) {
				s.st.segment(netip.AddrPortFrom(bob4, port), s.l.LocalAddr(), header.TCP{Flags: header.SYN, Window: 512}, nil)
			}
			var last header.TCP
			resets := 0
			s.st.onPacket(func(p *packet) {
				if p.protocol != header.ProtocolTCP {
					return
				}
				if last, _ = p.tcp(); last.Flags.Has(header.RST) {
					resets++
				}
			})
			end := func(port uint16, a header.TCP) {
				s.st.segment(netip.AddrPortFrom(bob4, port), s.l.LocalAddr(), header.TCP{Flags: header.ACK, Seq: 1, Ack: a.Seq.Add(1), Window: 512}, nil)
			}
			syn(1)
			one := last
			syn(2)
			two := last
			end(1, one)
			syn(3)
			three := last
			end(2, two) // two wait now, which is one more than the backlog
			end(3, three)
			c := &s.h.Counters().TCP
			if n, d := c.ListenOverflows.Load(), c.ListenDrops.Load(); n != 1 || d != 1 {
				t.Errorf("abort %v: %d overflows, %d drops", abort, n, d)
			}
			syn(4) // a SYN is not even answered
			if n := c.ListenOverflows.Load(); n != 2 {
				t.Errorf("abort %v: %d overflows after a SYN", abort, n)
			}
			if want := map[bool]int{true: 1}[abort]; resets != want {
				t.Errorf("abort %v: %d resets", abort, resets)
			}
			if _, _, err := s.l.Accept(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second + time.Millisecond) // our SYN,ACK once more
			synctest.Wait()
			if abort {
				if n := len(states(s.h)); n != 3 {
					t.Errorf("%d sockets after a reset", n)
				}
				return
			}
			if last.Seq != three.Seq || !last.Flags.Has(header.SYN) {
				t.Fatalf("%+v is no repetition of %+v", last, three)
			}
			end(3, last)
			for range 2 {
				if _, _, err := s.l.Accept(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
