package berth_test

import (
	"errors"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/internal/header"
	"example.com/berth/socket"
)

// DEF-50: connects to one destination, of which each that is closed leaves
// TIME-WAIT behind, until there is no port left, and more of them: when all ports are taken connect says
// EADDRNOTAVAIL and nothing else is harmed; to another destination the same ports
// are free, and a minute later they are for this one, too.
func TestConnectsWithoutAPortLeft(t *testing.T) {
	if raceEnabled {
		t.Skip("it is long, and one goroutine does it all")
	}
	const ports = 60999 - 32768 + 1
	const n = ports + 100
	synctest.Test(t, func(t *testing.T) {
		h, st := stationed(t, berth.Config{})
		st.mu.Lock()
		st.blind = true
		st.mu.Unlock()
		st.onPacket(func(p *packet) { // it ends as soon as it is asked to
			g, data := p.tcp()
			a := header.TCP{Flags: header.ACK, Seq: g.Ack, Ack: g.Seq.Add(len(data)), Window: 1000}
			switch {
			case !isTCP(p), g.Flags&header.RST != 0:
				return
			case g.Flags&header.SYN != 0:
				a.Flags, a.Ack = header.SYN|header.ACK, g.Seq.Add(1)
			case g.Flags&header.FIN != 0:
				a.Flags, a.Ack = header.FIN|header.ACK, g.Seq.Add(1)
			default:
				return
			}
			st.segment(netip.AddrPortFrom(p.dst, g.DstPort), netip.AddrPortFrom(p.src, g.SrcPort), a, nil)
		})
		connect := func(to netip.AddrPort) error {
			c, err := h.Socket(socket.INET, socket.STREAM, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			return c.Connect(t.Context(), to)
		}
		one, other := netip.AddrPortFrom(bob4, 80), netip.AddrPortFrom(bob4, 81)
		made, refused := 0, 0
		for range n {
			switch err := connect(one); {
			case err == nil:
				made++
			case errors.Is(err, syscall.EADDRNOTAVAIL):
				refused++
			default:
				t.Fatal(err)
			}
		}
		if made != ports || refused != n-ports {
			t.Errorf("%d connections and %d without a port, want %d and %d", made, refused, ports, n-ports)
		}
		if err := connect(other); err != nil {
			t.Errorf("to another destination: %v", err)
		}
		time.Sleep(61 * time.Second)
		if err := connect(one); err != nil {
			t.Errorf("a minute later: %v", err)
		}
		time.Sleep(61 * time.Second)
		if left := h.Left(); len(left) > 0 {
			t.Errorf("left over: %v", left)
		}
	})
}

// DEF-51: whoever ends the handshake and then is idle gets no further than the
// backlog of a listener that nobody accepts from, and what comes beyond it costs
// nothing: neither memory nor a goroutine.
func TestAFloodOfConnections(t *testing.T) {
	const backlog = 128
	n := 100_000
	if testing.Short() || raceEnabled {
		n = 20_000
	}
	synctest.Test(t, func(t *testing.T) {
		h, st := stationed(t, berth.Config{})
		st.call()
		l := listenOn(t, h, netip.AddrPortFrom(alice4, 80), backlog)
		come := func(from, to int) {
			for i := from; i < to; i++ {
				src := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(2 + i>>16)}), uint16(i))
				st.segment(src, l.LocalAddr(), header.TCP{Flags: header.SYN, Seq: 7, Window: 65535}, nil)
			}
		}
		come(0, 1000)
		before, goroutines, sockets := heap(), runtime.NumGoroutine(), len(states(h))
		come(1000, n)
		if grown := heap() - before; grown > 256<<10 {
			t.Errorf("%d bytes are held for connections that nobody accepts", grown)
		}
		if more := runtime.NumGoroutine() - goroutines; more > 0 {
			t.Errorf("%d goroutines more", more)
		}
		if got := len(states(h)); got > sockets || got > 1+2*(backlog+1) {
			t.Errorf("%d sockets, after the first thousand %d", got, sockets)
		}
		accepted := 0
		if err := l.SetNonblock(true); err != nil {
			t.Fatal(err)
		}
		for {
			s, _, err := l.Accept(t.Context())
			if err != nil {
				break
			}
			defer s.Close()
			accepted++
		}
		if accepted < backlog+1 || accepted > 2*(backlog+1) {
			t.Errorf("%d were accepted, with a backlog of %d", accepted, backlog)
		}
		if h.Counters().TCP.ListenOverflows.Load() == 0 {
			t.Error("no overflow is counted")
		}
	})
}
