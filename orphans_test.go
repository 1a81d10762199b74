package berth_test

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// A crowd is peers that each open a connection, and then behave as they like.
type crowd struct {
	t *testing.T
	h *berth.Host
	*station
	l socket.Socket
	// window is what they announce; answer tells whether they say anything more.
	window uint16
	answer func(p *packet) bool
}

// gather begins a crowd at a host's port.
func gather(t *testing.T, window uint16, answer func(p *packet) bool) *crowd {
	t.Helper()
	h, st := stationed(t, berth.Config{})
	c := &crowd{t: t, h: h, station: st, l: listenOn(t, h, netip.AddrPortFrom(alice4, 80), 16), window: window, answer: answer}
	st.mu.Lock()
	st.blind = true
	st.mu.Unlock()
	st.onPacket(func(p *packet) {
		h, _ := p.tcp()
		ack := header.TCP{Flags: header.ACK, Seq: h.Ack, Ack: h.Seq, Window: c.window}
		switch {
		case !isTCP(p), h.Flags&header.RST != 0:
			return
		case h.Flags&header.SYN != 0:
			ack.Ack = h.Seq.Add(1)
		case h.Flags&header.FIN != 0 && c.window > 0:
			_, data := p.tcp()
			ack.Ack = h.Seq.Add(len(data) + 1)
			fallthrough
		default:
			if !c.answer(p) {
				return
			}
		}
		st.segment(netip.AddrPortFrom(p.dst, h.DstPort), netip.AddrPortFrom(p.src, h.SrcPort), ack, nil)
	})
	return c
}

// come opens the n-th connection.
func (c *crowd) come(n int) socket.Socket {
	c.t.Helper()
	from := netip.AddrPortFrom(bob4, uint16(1024+n))
	c.segment(from, c.l.LocalAddr(), header.TCP{Flags: header.SYN, Seq: 100, Window: c.window}, nil)
	s, _, err := c.l.Accept(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

// crowdSize is how many peers an attack has.
func crowdSize() int {
	if testing.Short() || raceEnabled {
		return 1000
	}
	return 10_000
}

// DEF-27, DEF-49: ten thousand connections that the program has closed and whose
// peers keep them from ending: none holds more than what it had still to send, and
// all of them end by themselves, however the peers behave.
func TestClosedConnectionsOfHostilePeersEnd(t *testing.T) {
	never := func(*packet) bool { return false }
	always := func(*packet) bool { return true }
	const answer = 2000 // bytes that each has asked for
	for _, tt := range []struct {
		name   string
		window uint16
		says   func(*packet) bool
		fin    bool // the peer ends its half first
		write  int
		gone   time.Duration
	}{
		{"a closed window, and every probe is answered", 0, always, false, answer, 3 * time.Minute},
		{"a closed window, and the peer is gone", 0, never, false, answer, 3 * time.Minute},
		{"an open window, and the peer is gone", 1000, never, false, answer, 3 * time.Minute},
		{"FIN-WAIT-1: the peer is gone", 1000, never, false, 0, 3 * time.Minute},
		{"FIN-WAIT-2: the peer does not end its half", 1000, always, false, 0, 3 * time.Minute},
		{"LAST-ACK: the peer is gone", 1000, never, true, 0, 3 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := crowdSize()
				c := gather(t, tt.window, tt.says)
				empty := heap()
				for i := range n {
					s := c.come(i)
					if tt.fin {
						peer, err := s.PeerAddr()
						if err != nil {
							t.Fatal(err)
						}
						c.segment(peer, s.LocalAddr(), header.TCP{
							Flags: header.FIN | header.ACK, Seq: 101, Window: tt.window,
							Ack: c.h.InitialSequence(s.LocalAddr(), peer).Add(1),
						}, nil)
						wantEnd(t, s)
					}
					send(t, s, string(make([]byte, tt.write)))
					s.Close()
				}
				if !raceEnabled {
					each := (heap() - empty) / int64(n)
					if most := int64(4<<10 + 2*tt.write); each > most {
						t.Errorf("each holds %d bytes, want at most %d", each, most)
					}
				}
				if got := len(states(c.h)); got != n+1 {
					t.Errorf("%d sockets, want %d and the listener", got, n)
				}
				time.Sleep(tt.gone)
				if got := len(states(c.h)); got != 1 {
					t.Errorf("after %v there are %d sockets, want the listener", tt.gone, got)
				}
				if used := c.h.BudgetUsed(); used != 0 {
					t.Errorf("after %v %d bytes are held", tt.gone, used)
				}
				c.l.Close()
				if left := c.h.Left(); len(left) > 0 {
					t.Errorf("left over: %v", left)
				}
			})
		})
	}
}

// DEF-53: a peer that reads nothing, or a byte now and then, keeps a program
// waiting no longer than it likes: deadlines pass and TCP_USER_TIMEOUT ends the
// connection though every probe of the closed window is answered.
func TestSlowReadersAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := gather(t, 0, func(*packet) bool { return true })
		s := c.come(0)
		defer s.Close()
		set(t, s, socket.SO_SNDBUF, 8<<10)
		start := time.Now()
		if err := s.SetWriteDeadline(start.Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Send(make([]byte, 1<<20), 0); err == nil {
			t.Error("it was all sent")
		}
		if _, err := s.Send([]byte("more"), 0); err == nil || time.Since(start) != 10*time.Second {
			t.Errorf("after %v: %v, want a time-out after 10 s", time.Since(start), err)
		}
		set(t, s, socket.TCP_USER_TIMEOUT, 30_000)
		if err := s.SetWriteDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Send([]byte("more"), 0); err == nil {
			t.Error("it was sent")
		}
		if took := time.Since(start); took > 2*time.Minute {
			t.Errorf("given up after %v", took)
		}
	})
}
