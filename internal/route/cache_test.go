package route

import (
	"net/netip"
	"testing"
	"time"
)

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

func TestPlateau(t *testing.T) {
	for _, tt := range [][2]int{
		{65536, 65535},
		{65535, 32000},
		{1500, 1492},
		{1492, 1006},
		{297, 296},
		{296, 68},
		{20, 68},
	} {
		if got := Plateau(tt[0]); got != tt[1] {
			t.Errorf("Plateau(%d) = %d, want %d", tt[0], got, tt[1])
		}
	}
}

func TestRedirect(t *testing.T) {
	table := tableOf(t,
		via("10.0.0.0/24", "", 1, 0), via("0.0.0.0/0", "10.0.0.1", 1, 0),
		via("fe80::/64", "", 1, 0), via("::/0", "fe80::1", 1, 0))
	for _, tt := range []struct {
		why               string
		from, dst, target string
		iface             int
		want              bool
	}{
		{"from the gateway to a neighbor", "10.0.0.1", "8.8.8.8", "10.0.0.2", 1, true},
		{"not from the gateway", "10.0.0.3", "8.8.8.8", "10.0.0.2", 1, false},
		{"on another interface", "10.0.0.1", "8.8.8.8", "10.0.0.2", 2, false},
		{"to no neighbor", "10.0.0.1", "8.8.8.8", "9.9.9.9", 1, false},
		{"for a group", "10.0.0.1", "224.0.0.1", "10.0.0.2", 1, false},
		{"to a group", "10.0.0.1", "8.8.8.8", "224.0.0.1", 1, false},
		{"to the other family", "10.0.0.1", "8.8.8.8", "fe80::2", 1, false},
		{"to no address", "10.0.0.1", "8.8.8.8", "0.0.0.0", 1, false},
		{"IPv6 to a router", "fe80::1", "2001:db8::1", "fe80::2", 1, true},
		{"IPv6 to a neighbor", "fe80::1", "2001:db8::1", "2001:db8::1", 1, true},
		{"IPv6 to a router's global address", "fe80::1", "2001:db8::1", "2001:db8::2", 1, false},
	} {
		c := NewRedirects(0)
		r := Redirect{From: addr(tt.from), Dst: addr(tt.dst), Target: addr(tt.target), Interface: tt.iface}
		if got := c.Update(table, r, 1); got != tt.want {
			t.Errorf("%s: believed %v, want %v", tt.why, got, tt.want)
		}
		if hop, ok := c.Lookup(r.Dst, 2); ok != tt.want || ok && hop != r.Target {
			t.Errorf("%s: first hop %v, %v", tt.why, hop, ok)
		}
		if _, ok := c.Lookup(r.Dst, 1+RedirectExpiry); ok {
			t.Errorf("%s: held for ever", tt.why)
		}
	}
}

func TestRedirectOfARedirectComesFromTheNewHop(t *testing.T) {
	table := tableOf(t, via("10.0.0.0/24", "", 1, 0), via("0.0.0.0/0", "10.0.0.1", 1, 0))
	c := NewRedirects(8)
	dst := addr("8.8.8.8")
	if !c.Update(table, Redirect{addr("10.0.0.1"), dst, addr("10.0.0.2"), 1}, 1) {
		t.Fatal("the first was not believed")
	}
	if c.Update(table, Redirect{addr("10.0.0.1"), dst, addr("10.0.0.3"), 1}, 1) {
		t.Error("the old hop was believed")
	}
	if !c.Update(table, Redirect{addr("10.0.0.2"), dst, addr("10.0.0.3"), 1}, 1) {
		t.Error("the new hop was not believed")
	}
	c.Remove(dst)
	if _, ok := c.Lookup(dst, 1); ok || c.Evicted() != 0 {
		t.Error("removed, and still there")
	}
}

func TestNilBelievesNoRedirect(t *testing.T) {
	var c *Redirects
	table := tableOf(t, via("10.0.0.0/24", "", 1, 0), via("0.0.0.0/0", "10.0.0.1", 1, 0))
	if c.Update(table, Redirect{addr("10.0.0.1"), addr("8.8.8.8"), addr("10.0.0.2"), 1}, 1) {
		t.Error("believed")
	}
	if _, ok := c.Lookup(addr("8.8.8.8"), 1); ok || c.Evicted() != 0 {
		t.Error("remembered")
	}
	c.Remove(addr("8.8.8.8"))
}
