package lab_test

import (
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/lab"
)

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
