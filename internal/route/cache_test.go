package route

import (
	"net/netip"
	"testing"
	"time"
)

// HOST-102.
//
// DEF-39.
func TestPathMTU(t *testing.T) {
	type step struct {
		why  string
		at   time.Duration
		mtu  int // reported; 0: only looked up
		news bool
		want PathMTU // zero: nothing known
	}
	for _, tt := range []struct {
		dst   string
		steps []step
	}{
		{"10.0.0.1", []step{
			{"nothing known", 1, 0, false, PathMTU{}},
			{"a report", 2, 1400, true, PathMTU{MTU: 1400}},
			{"an increase is ignored", 3, 1450, false, PathMTU{MTU: 1400}},
			{"a decrease is not", 4, 1000, true, PathMTU{MTU: 1000}},
			{"the floor", 5, 100, true, PathMTU{MTU: 552, Fragment: true}},
			{"nothing above it counts", 6, 552, false, PathMTU{MTU: 552, Fragment: true}},
			{"zero is below the floor", 7, -1, false, PathMTU{MTU: 552, Fragment: true}},
			{"it holds", 7 + MTUExpiry - 1, 0, false, PathMTU{MTU: 552, Fragment: true}},
			{"and expires", 7 + MTUExpiry, 0, false, PathMTU{}},
			{"then a larger one holds", 8 + MTUExpiry, 1450, true, PathMTU{MTU: 1450}},
		}},
		{"10.0.0.2", []step{
			{"exactly the floor", 1, 552, true, PathMTU{MTU: 552}},
			{"below it, the don't-fragment bit is cleared", 2, 551, true, PathMTU{MTU: 552, Fragment: true}},
		}},
		{"2001:db8::1", []step{
			{"below the least MTU", 1, 1279, false, PathMTU{}},
			{"the least MTU", 2, 1280, true, PathMTU{MTU: 1280}},
			{"below the least MTU, another known", 3, 600, false, PathMTU{MTU: 1280}},
			{"the same again", MTUExpiry, 1280, false, PathMTU{MTU: 1280}},
			{"holds anew", MTUExpiry + 3, 0, false, PathMTU{MTU: 1280}},
			{"until it expires", 2 * MTUExpiry, 0, false, PathMTU{}},
		}},
	} {
		c := NewMTUCache(0)
		for _, s := range tt.steps {
			if s.mtu != 0 {
				got, news := c.Update(addr(tt.dst), s.mtu, s.at)
				if got != s.want || news != s.news {
					t.Errorf("%s: %s: Update(%d) = %v, %v", tt.dst, s.why, s.mtu, got, news)
				}
			}
			if got, ok := c.Lookup(addr(tt.dst), s.at); got != s.want || ok != (s.want.MTU != 0) {
				t.Errorf("%s: %s: Lookup = %v, %v; want %v", tt.dst, s.why, got, ok, s.want)
			}
		}
	}
}

// DEF-39.
func TestCacheIsBoundedAndKeepsWhatIsUsed(t *testing.T) {
	const limit = 100
	c := NewMTUCache(limit)
	used := addr("10.255.255.255")
	c.Update(used, 1400, 1)
	for i := range 10 * limit {
		c.Update(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1300, 2)
		if _, ok := c.Lookup(used, 2); !ok {
			t.Fatalf("what is in use was given up after %d others", i)
		}
	}
	if c.Len() != limit {
		t.Errorf("%d destinations, limit %d", c.Len(), limit)
	}
	if got := c.Evicted(); got != 10*limit-limit+1 {
		t.Errorf("%d evicted", got)
	}
	c.Remove(used)
	c.Remove(used)
	if _, ok := c.Lookup(used, 2); ok || c.Len() != limit-1 {
		t.Error("removed, and still there")
	}
}

func TestWhatHasExpiredIsNotCountedAsEvicted(t *testing.T) {
	c := NewMTUCache(1)
	c.Update(addr("10.0.0.1"), 1400, 1)
	c.Update(addr("10.0.0.2"), 1400, 1+MTUExpiry)
	if c.Evicted() != 0 {
		t.Errorf("%d evicted", c.Evicted())
	}
}

func TestCacheAllocatesNothingOnceFull(t *testing.T) {
	c := NewMTUCache(64)
	i := 0
	update := func() {
		i++
		c.Update(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1300, 1)
		c.Lookup(addr("10.0.0.1"), 1)
	}
	for range 1000 {
		update()
	}
	if n := testing.AllocsPerRun(1000, update); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
