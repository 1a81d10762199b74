package tcp

import (
	"syscall"
	"testing"
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
