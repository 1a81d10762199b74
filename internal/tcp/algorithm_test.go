package tcp

import (
	"syscall"
	"testing"
	"time"
)

func TestAlgorithms(t *testing.T) {
	if name := NewConn(DefaultParams()).Congestion(); name != "cubic" {
		t.Errorf("the default is %q", name)
	}
	seen := map[string]bool{}
	for _, a := range Algorithms() {
		c := NewConn(DefaultParams())
		if err := c.SetCongestion(0, a.Name); err != nil || c.Congestion() != a.Name || seen[a.Name] {
			t.Errorf("%s: %v, %q", a.Name, err, c.Congestion())
		}
		seen[a.Name] = true
	}
	for _, name := range []string{"", "nosuch", "cubic2"} {
		c := NewConn(DefaultParams())
		if err := c.SetCongestion(0, name); err != syscall.ENOENT || c.Congestion() != "cubic" {
			t.Errorf("%q: %v, %q", name, err, c.Congestion())
		}
	}
}

// A connection has the algorithm of its listener, and one that changes it keeps
// its window.
func TestAlgorithmOfAConnection(t *testing.T) {
	tc := talk(t, func(p *Params) { p.Algorithms = Algorithms() })
	if err := tc.c.SetCongestion(tc.now, "reno"); err != nil {
		t.Fatal(err)
	}
	tc.accept("S 0:0(0) win 50000 " + noOptions)
	tc.input(". 1:1(0) ack 1 win 50000")
	if _, ok := tc.c.cc.(*Reno); !ok || tc.c.Congestion() != "reno" {
		t.Fatalf("the connection has %T, named %q", tc.c.cc, tc.c.Congestion())
	}
	tc.c.cc.OnLoss(tc.now, 30_000)
	if err := tc.c.SetCongestion(tc.now, "cubic"); err != nil {
		t.Fatal(err)
	}
	if _, ok := tc.c.cc.(*Cubic); !ok || tc.c.Congestion() != "cubic" {
		t.Fatalf("the connection has %T, named %q", tc.c.cc, tc.c.Congestion())
	}
	tc.wantCwnd(15)
	if th := tc.c.cc.SSThresh(); th != 15_000 {
		t.Errorf("threshold %d", th)
	}
}

// A connection may change its algorithm at any time, with data in flight and
// lost, and its path MTU with it.
func TestAlgorithmChangesUnderWay(t *testing.T) {
	ch := newChannel(t, 1)
	ch.delay, ch.rate, ch.queue, ch.loss = 10*time.Millisecond, 12_500_000, 50*time.Millisecond, 0.01
	ch.ends[0].send, ch.ends[1].send = 2<<20, 1<<20
	ch.connect(1500, 0)
	all := Algorithms()
	seen := map[string]bool{}
	for next, i := ch.now, 0; !ch.done(); {
		if !ch.step() {
			t.Fatal(ch.describe())
		}
		if c := ch.ends[0].c; ch.now >= next && c.cc != nil {
			next = ch.now + 30*time.Millisecond
			i++
			if err := c.SetCongestion(ch.now, all[i%len(all)].Name); err != nil {
				t.Fatal(err)
			}
			if i == 20 {
				c.SetMTU(ch.now, 1400, 0, false)
			}
			seen[c.Congestion()] = true
			ch.settle(0)
		}
	}
	ch.wantAll()
	if len(seen) != len(all) {
		t.Errorf("only %v were used", seen)
	}
}
