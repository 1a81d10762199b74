package route

import (
	"net/netip"
	"testing"
	"time"
)

func TestRedirects(t *testing.T) {
	var c Redirects
	addr := netip.MustParseAddr
	dst, now := addr("198.51.100.1"), time.Hour
	r := &Route{Gateway: addr("10.0.0.1"), Interface: 2}
	via, _ := gatewayOf(r)
	want := func(what string, r *Route, to string) {
		t.Helper()
		got, ok := c.Lookup(now, dst, r)
		if ok != (to != "") || ok && got != addr(to) {
			t.Errorf("%s: %v, %v, want %q", what, got, ok, to)
		}
	}
	want("empty", r, "")
	if !c.Update(now, dst, via, addr("10.0.0.2")) || c.Update(now, dst, via, addr("10.0.0.2")) {
		t.Error("the first is news, the second is not")
	}
	want("known", r, "10.0.0.2")
	want("by another gateway", &Route{Gateway: addr("10.0.0.9"), Interface: 2}, "")
	want("on another link", &Route{Gateway: addr("10.0.0.1"), Interface: 3}, "")
	want("without a gateway", &Route{Interface: 2}, "")
	if c.Lost(Gateway{addr("10.0.0.2"), 3}) || !c.Lost(Gateway{addr("10.0.0.2"), 2}) {
		t.Error("what is lost is on its link")
	}
	want("lost", r, "")
	c.Update(now, dst, via, addr("10.0.0.2"))
	now += RedirectExpiry
	want("expired", r, "")
}

// The table has a bound: what was used longest ago makes room.
func TestRedirectsAreBounded(t *testing.T) {
	var c Redirects
	via := Gateway{netip.MustParseAddr("10.0.0.1"), 1}
	dst := netip.MustParseAddr("198.18.0.0")
	for range 2 * redirectLimit {
		c.Update(1, dst, via, netip.MustParseAddr("10.0.0.2"))
		dst = dst.Next()
	}
	if c.Len() != redirectLimit || c.Evicted() != redirectLimit {
		t.Errorf("%d destinations, %d evicted", c.Len(), c.Evicted())
	}
}
