package berth_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth"
	"example.com/berth/link"
	"example.com/berth/link/impair"
	"example.com/berth/socket"
)

var weekConnections = flag.Int("week.connections", 10_000, "how many connections live in the week")

// A week of connections that open, send and die at random over a line that loses,
// repeats and reorders, and is cut now and then, for up to hours. In the end
// nothing is left of them: no memory of the budget, no socket, no row of a table,
// no port, no timer; and no more on the heap than before.
func TestAWeekOfConnections(t *testing.T) {
	n := *weekConnections
	if raceEnabled {
		n /= 10
	}
	synctest.Test(t, func(t *testing.T) {
		w := &week{t: t, length: 7 * 24 * time.Hour}
		var line *impair.Device
		w.client, w.server = pairWith(t, berth.Config{Seed: [32]byte{7}}, func(d link.Device) link.Device {
			line = impair.New(d, badLine(1))
			if err := line.SetInput(badLine(2)); err != nil {
				t.Fatal(err)
			}
			return line
		})
		w.listen()
		before := heap()
		w.all.Go(func() { w.outages(line) })
		arrivals := rand.New(rand.NewPCG(9, 1<<41))
		for i := range n {
			time.Sleep(time.Duration(arrivals.ExpFloat64() * float64(w.length) / float64(n)))
			w.all.Go(func() { w.connection(rand.New(rand.NewPCG(9, uint64(i)))) })
		}
		w.all.Wait()
		w.listener.Close()
		w.servers.Wait()
		time.Sleep(2 * time.Hour) // for those that are nobody's any more
		for _, h := range []*berth.Host{w.client, w.server} {
			if left := h.Left(); len(left) > 0 {
				t.Errorf("left over: %v", left)
			}
		}
		if grown := heap() - before; grown > 1<<20 {
			t.Errorf("%d bytes more on the heap than before", grown)
		}
		w.report(n)
		runtime.KeepAlive(line)
	})
}

func badLine(seed uint64) impair.Config {
	return impair.Config{
		Seed: seed, Loss: 0.02, Duplicate: 0.01, Reorder: 0.02, ReorderGap: 3, Corrupt: 0.001,
		Delay: 30 * time.Millisecond, Jitter: 20 * time.Millisecond,
	}
}

// week is what goes on in one.
type week struct {
	t              *testing.T
	length         time.Duration
	client, server *berth.Host
	listener       socket.Socket
	all, servers   sync.WaitGroup

	mu                              sync.Mutex // guards what follows
	refused, failed, aborted, ended int
	bytes                           int64
}

// outages cut the line some ten times a day.
func (w *week) outages(line *impair.Device) {
	r := rand.New(rand.NewPCG(9, 1<<40))
	for passed := time.Duration(0); passed < w.length; {
		up := time.Duration(r.ExpFloat64() * float64(2*time.Hour))
		time.Sleep(up)
		cut := badLine(3)
		cut.Loss = 1
		_ = line.SetOutput(cut)
		if r.IntN(2) == 0 {
			_ = line.SetInput(cut)
		}
		down := time.Duration(r.ExpFloat64() * float64(10*time.Minute))
		time.Sleep(down)
		_ = line.SetOutput(badLine(1))
		_ = line.SetInput(badLine(2))
		passed += up + down
	}
}

// listen serves connections, each in its way.
func (w *week) listen() {
	w.listener = listenOn(w.t, w.server, netip.AddrPortFrom(bob4, 80), 64)
	w.servers.Go(func() {
		for i := uint64(0); ; i++ {
			c, _, err := w.listener.Accept(context.Background())
			if err != nil {
				return
			}
			w.servers.Go(func() { w.serve(c, rand.New(rand.NewPCG(10, i))) })
		}
	})
}

// serve reads, and answers what it read, until the end or until it has had enough.
func (w *week) serve(c socket.Socket, r *rand.Rand) {
	defer c.Close()
	_ = socket.Set(c, socket.SO_KEEPALIVE, r.IntN(2))
	buf := make([]byte, 1<<14)
	for r.IntN(200) > 0 {
		_ = c.SetReadDeadline(time.Now().Add(3 * time.Hour))
		n, err := c.Recv(buf, 0)
		if n == 0 || err != nil {
			return
		}
		_ = c.SetWriteDeadline(time.Now().Add(3 * time.Hour))
		if _, err := c.Send(buf[:r.IntN(n+1)], 0); err != nil {
			return
		}
	}
}

// connection is one, from the client's side.
func (w *week) connection(r *rand.Rand) {
	s, err := w.client.Socket(socket.INET, socket.STREAM, 0)
	if err != nil {
		w.t.Error(err)
		return
	}
	defer s.Close()
	_ = socket.Set(s, socket.SO_KEEPALIVE, r.IntN(2))
	if r.IntN(4) == 0 {
		_ = socket.Set(s, socket.TCP_USER_TIMEOUT, 1000+r.IntN(100_000))
	}
	_ = s.SetWriteDeadline(time.Now().Add(time.Duration(r.Int64N(int64(5 * time.Minute)))))
	if err := s.Connect(w.t.Context(), w.listener.LocalAddr()); err != nil {
		w.count(&w.refused)
		return
	}
	if err := w.talk(s, r); err != nil {
		w.count(&w.failed)
		return
	}
	w.end(s, r)
}

// talk sends and reads for a while, with pauses.
func (w *week) talk(s socket.Socket, r *rand.Rand) error {
	buf := make([]byte, 1<<14)
	for range r.IntN(8) {
		_ = s.SetDeadline(time.Now().Add(time.Hour))
		n, err := s.Send(buf[:r.IntN(len(buf))], 0)
		if err != nil {
			return err
		}
		w.mu.Lock()
		w.bytes += int64(n)
		w.mu.Unlock()
		_ = s.SetReadDeadline(time.Now().Add(time.Duration(r.ExpFloat64() * float64(time.Minute))))
		_, _ = s.Recv(buf, 0)
		if r.IntN(3) == 0 {
			time.Sleep(time.Duration(r.ExpFloat64() * float64(20*time.Minute)))
		}
	}
	return nil
}

// end ends a connection in one of the ways there are.
func (w *week) end(s socket.Socket, r *rand.Rand) {
	switch r.IntN(4) {
	case 0: // at once, whatever is on its way
		_ = socket.Set(s, socket.SO_LINGER, socket.Linger{On: true})
		w.count(&w.aborted)
	case 1: // without a look at what has come: the deferred Close
	default: // in good order
		_ = s.Shutdown(socket.SHUT_WR)
		_ = s.SetReadDeadline(time.Now().Add(time.Hour))
		buf := make([]byte, 1<<14)
		for {
			if n, err := s.Recv(buf, 0); n == 0 || err != nil {
				break
			}
		}
		w.count(&w.ended)
	}
}

func (w *week) count(n *int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*n++
}

// report says what the week was like: one in which nothing went wrong would show
// little.
func (w *week) report(n int) {
	w.t.Logf("%d connections: %d not opened, %d failed, %d aborted, %d ended in good order; %d bytes", n, w.refused, w.failed, w.aborted, w.ended, w.bytes)
	m := &w.client.Counters().TCP.Machine
	w.t.Logf("client: %d time-outs, %d resets seen, %d sent", m.Timeouts.Load(), m.RstsSeen.Load(), m.RstsSent.Load())
	if w.refused == 0 || w.failed == 0 || w.aborted == 0 || w.ended < n/4 {
		w.t.Error("the week was too quiet, or not quiet enough")
	}
}
