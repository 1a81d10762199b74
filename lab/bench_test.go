package lab_test

import (
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/berth/lab"
)

// transfer sends size bytes from one host to another's port 9 and waits until
// the last has arrived.
func transfer(tb testing.TB, from, to *lab.Host, size int) {
	tb.Helper()
	ln, err := to.Listen("tcp", ":9")
	if err != nil {
		tb.Fatal(err)
	}
	defer ln.Close()
	done := make(chan error, 1)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			done <- err
			return
		}
		defer c.Close()
		got, err := io.Copy(io.Discard, c)
		if err == nil && got != int64(size) {
			err = io.ErrUnexpectedEOF
		}
		done <- err
	}()
	c, err := from.Dial("tcp", to.Name()+":9")
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := c.Write(make([]byte, size)); err != nil {
		tb.Fatal(err)
	}
	c.Close()
	if err := <-done; err != nil {
		tb.Fatal(err)
	}
}

// inBubble runs a benchmark's body on fake time. The measured time is real: the
// benchmark's clock is outside of the bubble.
func inBubble(b *testing.B, body func(t *testing.T)) {
	ok := testing.RunTests(func(_, _ string) (bool, error) { return true, nil },
		[]testing.InternalTest{{Name: b.Name(), F: func(t *testing.T) { synctest.Test(t, body) }}})
	if !ok {
		b.Fatal("the network failed")
	}
}

// How many seconds of a 10 Mbit/s link pass in a real one, and how many packets.
func BenchmarkLink10Mbit(b *testing.B) {
	var simulated time.Duration
	packets := uint64(0)
	for b.Loop() {
		inBubble(b, func(t *testing.T) {
			n := lab.New(t, lab.Record(-1))
			x, y, l := n.Pair(lab.Rate(10e6), lab.Delay(10*time.Millisecond), lab.Queue(100_000))
			start := time.Now()
			transfer(t, x, y, 10<<20)
			simulated += time.Since(start)
			packets += l.Stats(x).Packets + l.Stats(y).Packets
		})
	}
	b.ReportMetric(simulated.Seconds()/b.Elapsed().Seconds(), "simulated-s/s")
	b.ReportMetric(float64(packets)/b.Elapsed().Seconds(), "packets/s")
}

// Thousand hosts around one router, with ten thousand connections of which each
// exchanges a message.
func BenchmarkThousandHosts(b *testing.B) {
	for b.Loop() {
		inBubble(b, func(t *testing.T) { manyHosts(t, 1000, 10) })
	}
}

// manyHosts has each host connect to the next ones of a star, exchange a few
// bytes on each connection, and hold all of them open at once.
func manyHosts(t *testing.T, hosts, each int) {
	n := lab.New(t, lab.Record(-1))
	_, all := n.Star(hosts, lab.Delay(time.Millisecond))
	for _, h := range all {
		echo(t, h)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	for i, h := range all {
		wg.Go(func() {
			for k := range each {
				to := all[(i+k+1)%hosts]
				c, err := h.Dial("tcp", to.Name()+":7")
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := c.Write([]byte("ping")); err != nil {
					t.Error(err)
				}
				if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
					t.Error(err)
				}
				mu.Lock()
				open = append(open, c)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(open) != hosts*each {
		t.Errorf("%d connections are open, want %d", len(open), hosts*each)
	}
	n.Close()
}

func TestManyHosts(t *testing.T) {
	hosts := 1000
	if testing.Short() || raceEnabled {
		hosts = 100
	}
	synctest.Test(t, func(t *testing.T) { manyHosts(t, hosts, 10) })
}

// The cost of a packet does not depend on how many hosts there are beside those
// that talk. What it takes to build the network is measured apart and taken off.
func BenchmarkHosts(b *testing.B) {
	for _, hosts := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(hosts), func(b *testing.B) {
			packets := uint64(0)
			run := func(size int) time.Duration {
				start := time.Now() // outside of the bubble: real
				inBubble(b, func(t *testing.T) {
					n := lab.New(t, lab.Record(-1))
					_, all := n.Star(hosts, lab.Delay(time.Millisecond), lab.Rate(100e6), lab.Queue(200_000))
					for _, h := range all {
						echo(t, h)
					}
					transfer(t, all[0], all[1], size)
					for _, l := range n.Links()[:2] {
						x, y := l.Ends()
						packets += l.Stats(x).Packets + l.Stats(y).Packets
					}
				})
				return time.Since(start)
			}
			var busy time.Duration
			for b.Loop() {
				busy += run(20<<20) - run(1)
			}
			b.ReportMetric(float64(busy.Nanoseconds())/float64(packets), "ns/packet")
			b.ReportMetric(float64(packets)/busy.Seconds(), "packets/s")
		})
	}
}
