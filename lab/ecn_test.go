package lab_test

import (
	"io"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/lab"
	"example.com/berth/netconn"
	"example.com/berth/socket"
)

// Each end counts what arrives, and tells the other one exactly how much of it was
// marked (RFC 9768).
func TestMarksAreCounted(t *testing.T) {
	for _, when := range []berth.AccECNOption{berth.AccECNOptionAlways, berth.AccECNOptionNeeded} {
		lab.Test(t, func(t *testing.T, n *lab.Network) {
			ecn := lab.Config(func(c *berth.Config) { c.TCP.ECN, c.TCP.AccECNOption = berth.ECNAccurate, when })
			a, b := n.Host("a", ecn), n.Host("b", ecn)
			n.Link(a, b, lab.Delay(10*time.Millisecond), lab.Rate(10e6), lab.Queue(200_000), lab.CoDel(true))
			told, received := countMarks(t, a, b)
			if received.ReceivedCE == 0 || told.DeliveredCE != received.ReceivedCE ||
				told.DeliveredCEBytes != received.ReceivedCEBytes ||
				when == berth.AccECNOptionAlways && told.DeliveredE0Bytes != received.ReceivedE0Bytes {
				t.Errorf("%d marks of %d bytes arrived, %d of %d were told of", received.ReceivedCE, received.ReceivedCEBytes, told.DeliveredCE, told.DeliveredCEBytes)
			}
		})
	}
}

// countMarks sends something from one host to the other, and returns what either knows
// of it when it has arrived.
func countMarks(t *testing.T, from, to *lab.Host) (told, received socket.TCPInfo) {
	t.Helper()
	ln, err := to.Listen("tcp4", ":9")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		c, err := from.Dial("tcp4", to.Name()+":9")
		if err != nil {
			return
		}
		defer c.Close()
		c.Write(make([]byte, 2<<20))
		c.(*netconn.TCPConn).CloseWrite()
		io.Copy(io.Discard, c)
		told, _ = socket.Get(c.(*netconn.TCPConn).Socket(), socket.TCP_INFO)
	}()
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, c); n != 2<<20 || err != nil {
		t.Errorf("%d bytes: %v", n, err)
	}
	received, _ = socket.Get(c.(*netconn.TCPConn).Socket(), socket.TCP_INFO)
	c.Close()
	time.Sleep(time.Second)
	return told, received
}

// A queue that marks keeps a transfer going without losing anything.
func TestMarksInsteadOfLosses(t *testing.T) {
	lab.Test(t, func(t *testing.T, n *lab.Network) {
		ecn := lab.Config(func(c *berth.Config) { c.TCP.ECN = berth.ECNOn })
		a, b := n.Host("a", ecn), n.Host("b", ecn)
		l := n.Link(a, b, lab.Delay(10*time.Millisecond), lab.Rate(10e6), lab.Queue(200_000), lab.CoDel(true))
		got := stream(t, a, b, "cubic", 0, time.Second, 11*time.Second) * 8
		s := l.Stats(a)
		if s.Marked == 0 || s.QueueFull+s.QueueAQM > 0 {
			t.Errorf("%d packets were marked, %d dropped", s.Marked, s.QueueFull+s.QueueAQM)
		}
		if got < 8e6 { // a single CUBIC gives up something for so short a queue
			t.Errorf("goodput is %.2f Mbit/s of 10", got/1e6)
		}
	})
}
