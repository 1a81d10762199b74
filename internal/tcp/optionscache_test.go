package tcp

import "testing"

// Connections that were given the same options have one value between them, and
// that of others does not change under them.
func TestOptionsAreShared(t *testing.T) {
	p := DefaultParams()
	a, b, c := NewConn(p), NewConn(p), NewConn(p)
	for _, conn := range []*Conn{a, b} {
		conn.SetNoDelay(true)
		conn.SetKeepTimings(0, 1, 2, 3)
	}
	if a.Options() != b.Options() || c.Options() != &p.Options {
		t.Errorf("options at %p, %p, and %p without any", a.Options(), b.Options(), c.Options())
	}
	b.SetCork(true)
	if o := a.Options(); o.Cork || !o.NoDelay || o.KeepCount != 3 {
		t.Errorf("another connection's options became %+v", o)
	}
	if o := b.Options(); !o.Cork || !o.NoDelay || o.KeepCount != 3 {
		t.Errorf("its own options are %+v", o)
	}
	steps := testing.AllocsPerRun(100, func() {
		conn := *c
		conn.SetNoDelay(true)
		conn.SetKeepTimings(0, 1, 2, 3)
		conn.SetCork(true)
	})
	if steps != 0 {
		t.Errorf("%v allocations to set what others have set before", steps)
	}
}

// More different options than are remembered are right all the same.
func TestOptionsBeyondTheCache(t *testing.T) {
	p := DefaultParams()
	conns := make([]*Conn, 100)
	for i := range conns {
		conns[i] = NewConn(p)
		conns[i].SetKeepTimings(0, 1, 2, i)
	}
	for i, c := range conns {
		if got := c.Options().KeepCount; got != i {
			t.Errorf("connection %d has the options of %d", i, got)
		}
	}
}
