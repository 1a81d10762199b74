package lab_test

import (
	"io"
	"net"
	"testing"
	"time"

	"example.com/berth/lab"
	"example.com/berth/link/impair"
)

// upload sends for five seconds as much as TCP will take.
func upload(c net.Conn) {
	c.SetWriteDeadline(time.Now().Add(5 * time.Second))
	for {
		if _, err := c.Write(make([]byte, 64<<10)); err != nil {
			c.Close()
			return
		}
	}
}

// worstPing measures fifty round trips, and returns the longest.
func worstPing(c net.Conn) (worst time.Duration) {
	for range 50 {
		start := time.Now()
		c.Write([]byte("ping"))
		c.SetReadDeadline(start.Add(time.Second))
		if _, err := c.Read(make([]byte, 16)); err != nil {
			continue // it was dropped
		}
		worst = max(worst, time.Since(start))
		time.Sleep(20 * time.Millisecond)
	}
	return worst
}

// bufferbloat has a call and an upload share a line of 4 Mbit/s with room for
// 100 kB in its queue, and returns the longest round trip and what was dropped.
func bufferbloat(n *lab.Network, queue impair.AQM) (time.Duration, impair.Stats) {
	home, internet := n.Host("home"), n.Host("internet")
	line := n.Link(home, internet, lab.Impair(impair.Config{
		Rate: 4e6, Queue: 100e3, AQM: queue, Delay: 10 * time.Millisecond,
	}))

	sink, echo := must(internet.Listen("tcp", ":9")), must(internet.ListenPacket("udp", ":7"))
	go func() { io.Copy(io.Discard, must(sink.Accept())) }()
	go func() {
		b := make([]byte, 16)
		for {
			k, from, err := echo.ReadFrom(b)
			if err != nil {
				return
			}
			echo.WriteTo(b[:k], from)
		}
	}()

	go upload(must(home.Dial("tcp", "internet:9")))
	time.Sleep(2 * time.Second) // in which TCP finds the end of the queue
	return worstPing(must(home.Dial("udp", "internet:7"))), line.Stats(home)
}

func TestQueueOverflows(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		worst, stats := bufferbloat(n, impair.AQM{})
		t.Logf("drop-tail: %v, %d dropped", worst, stats.QueueFull)
		// A full queue takes 200 ms to send; without one it is a round trip of 20 ms.
		if worst < 200*time.Millisecond || worst > 225*time.Millisecond {
			t.Errorf("the longest round trip is %v", worst)
		}
		if stats.QueueFull == 0 {
			t.Error("the queue never overflowed")
		}
	})
}

func TestCoDelKeepsQueueShort(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		worst, stats := bufferbloat(n, impair.AQM{CoDel: true})
		t.Logf("CoDel: %v, %d dropped", worst, stats.QueueAQM)
		if worst > 100*time.Millisecond {
			t.Errorf("the longest round trip is %v", worst)
		}
		if stats.QueueAQM == 0 || stats.QueueFull > 0 {
			t.Errorf("%d were dropped early, %d for want of room", stats.QueueAQM, stats.QueueFull)
		}
	})
}
