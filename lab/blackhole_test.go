package lab_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"example.com/berth"
	"example.com/berth/lab"
	"example.com/berth/link/impair"
)

// RFC 2923 2.1: behind a router a link drops what is larger than 1400 bytes, and
// nobody tells. A transfer gets through, whatever TCP's devices cut; without
// MTUProbing it does not.
func TestTransferThroughABlackHole(t *testing.T) {
	const size = 2 << 20
	for _, network := range []string{"tcp4", "tcp6"} {
		for _, mode := range []berth.MTUProbeMode{berth.MTUProbeBlackHole, berth.MTUProbeAlways, berth.MTUProbeNever} {
			t.Run(fmt.Sprintf("%s, mode %d", network, mode), func(t *testing.T) {
				lab.Test(t, func(t *testing.T, n *lab.Network) {
					probing := lab.Config(func(c *berth.Config) { c.TCP.MTUProbing.Mode = mode })
					a, r, b := n.Host("a", probing), n.Router("r"), n.Host("b")
					n.Link(a, r, lab.Delay(5*time.Millisecond))
					const ethernet = 14
					n.Link(r, b, lab.Delay(5*time.Millisecond), lab.Rule(impair.Drop(impair.Longer(1400+ethernet))))
					ln, err := b.Listen(network, ":9")
					if err != nil {
						t.Fatal(err)
					}
					c, err := a.Dial(network, "b:9")
					if err != nil {
						t.Fatal(err)
					}
					go func() {
						c.Write(make([]byte, size))
						c.Close()
					}()
					s, err := ln.Accept()
					if err != nil {
						t.Fatal(err)
					}
					s.SetReadDeadline(time.Now().Add(10 * time.Second))
					got, err := io.Copy(io.Discard, s)
					count := &a.Stack().Counters().TCP.Machine
					switch {
					case mode == berth.MTUProbeNever:
						if got != 0 {
							t.Errorf("%d bytes came through", got)
						}
					case got != size || err != nil:
						t.Errorf("%d bytes came through: %v", got, err)
					case count.MTUProbesLost.Load() == 0 || count.MTUProbesPassed.Load() == 0:
						t.Errorf("%d probes were lost, %d passed", count.MTUProbesLost.Load(), count.MTUProbesPassed.Load())
					case (count.BlackHoles.Load() > 0) != (mode == berth.MTUProbeBlackHole):
						t.Errorf("%d black holes", count.BlackHoles.Load())
					}
				}, lab.Record(-1))
			})
		}
	}
}
