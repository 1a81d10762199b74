package berth_test

import (
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// endedBy is a connection that the host closed first; the station has closed too.
func endedBy(t *testing.T, h *berth.Host, st *station) *played {
	t.Helper()
	p := playedServer(t, h, st, bob4)
	p.sock.Close()
	st.one("its FIN", func(p *packet) bool { return p.isTCP(header.FIN | header.ACK) })
	p.ack++
	p.send(header.FIN|header.ACK, "")
	p.seq++
	p.wantAck(t, "the acknowledgment of ours")
	return p
}

func (p *played) wantAck(t *testing.T, what string) {
	t.Helper()
	a, _ := p.st.one(what, isTCP).tcp()
	if a.Flags != header.ACK || a.Seq != p.ack || a.Ack != p.seq {
		t.Errorf("%s: %v, sequence number %d, acknowledged %d; want %d and %d", what, a.Flags, a.Seq, a.Ack, p.ack, p.seq)
	}
}

// What is left of a connection in TIME-WAIT answers as the connection would.
//
// MUST-13, DEF-47.
func TestTimeWaitAnswersWithoutItsSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := stationed(t, berth.Config{})
		p := endedBy(t, h, st)
		for range 3 {
			time.Sleep(20 * time.Second)
			p.seq--
			p.send(header.FIN|header.ACK, "") // our acknowledgment was lost
			p.seq++
			p.wantAck(t, "an answer to the FIN")
		}
		p.send(header.RST, "") // RFC 1337
		st.none("an answer to a reset", isTCP)
		p.send(header.ACK, "what comes too late")
		p.wantAck(t, "an answer to data")
		var row berth.SocketInfo
		for _, s := range h.Sockets() {
			if s.State == socket.TCP_TIME_WAIT {
				row = s
			}
		}
		if !row.Orphan || row.Local != p.local || row.Remote != p.remote || row.Timer <= 50*time.Second || row.Timer > time.Minute {
			t.Errorf("its row is %+v", row)
		}
		time.Sleep(time.Minute + time.Second)
		if s := states(h); len(s) != 1 || s[0] != socket.TCP_LISTEN {
			t.Errorf("a minute later the sockets are %v", s)
		}
		p.send(header.ACK, "")
		st.one("a reset", func(p *packet) bool { return p.isTCP(header.RST) })
	})
}

// A newer SYN ends TIME-WAIT, and an older one does not.
//
// MAY-2, DEF-47.
func TestASYNEndsTimeWaitWithoutItsSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := stationed(t, berth.Config{})
		p := endedBy(t, h, st)
		p.seq -= 10
		p.send(header.SYN, "")
		p.seq += 10
		p.wantAck(t, "a challenge")
		p.seq += 1000
		p.send(header.SYN, "")
		st.one("the answer to the SYN", func(p *packet) bool { return p.isTCP(header.SYN | header.ACK) })
		if n := machineCounter(h, "TimeWaitReused"); n != 1 {
			t.Errorf("TIME-WAIT ended %d times", n)
		}
	})
}

// An error that ICMP tells of is nothing to a connection that has ended.
func TestAnErrorDoesNotEndTimeWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := stationed(t, berth.Config{})
		p := endedBy(t, h, st)
		own := tcpSegment(p.local, p.remote, header.TCP{Flags: header.ACK, Seq: p.ack, Ack: p.seq}, nil)
		about := encode(packet{src: p.local.Addr(), dst: p.remote.Addr(), protocol: header.ProtocolTCP, payload: own})
		st.icmpMessage(bob4, alice4, header.ICMP{Type: header.ICMPv4Unreachable, Code: 3}, about)
		if s := states(h); len(s) != 2 {
			t.Errorf("the sockets are %v, want a listener and TIME-WAIT", s)
		}
	})
}

// Segments for one that come from several goroutines find it, whoever makes it a
// connection again.
func TestTimeWaitIsFoundByAll(t *testing.T) {
	h, st := stationed(t, berth.Config{})
	p := endedBy(t, h, st)
	st.take(nil)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 500 {
				p.send(header.ACK, "too late")
			}
		})
	}
	all.Wait()
	st.none("a reset", func(p *packet) bool {
		g, _ := p.tcp()
		return isTCP(p) && g.Flags&header.RST != 0
	})
	if s := states(h); len(s) != 2 {
		t.Errorf("the sockets are %v, want a listener and TIME-WAIT", s)
	}
}

// DEF-50.
func TestTimeWaitCostsLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has memory of its own")
	}
	const n, limit = 10_000, 640
	alice, bob := pair(t)
	l := listenOn(t, bob, netip.AddrPortFrom(bob4, 80), 16)
	connectAndClose := func() {
		c, err := alice.Socket(socket.INET, socket.STREAM, 0)
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
		c.Close()
		s.Close()
	}
	connectAndClose()
	before := heap()
	for range n {
		connectAndClose()
	}
	if s := states(alice); len(s) != n+1 {
		t.Errorf("%d connections are in TIME-WAIT, want %d", len(s), n+1)
	}
	if each := (heap() - before) / n; each > limit {
		t.Errorf("each costs %d bytes, want at most %d", each, limit)
	} else {
		t.Logf("%d bytes", each)
	}
	runtime.KeepAlive(l)
}
