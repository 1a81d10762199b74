package route

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"syscall"
	"testing"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func via(prefix, gateway string, iface, metric int) Route {
	r := Route{Prefix: netip.MustParsePrefix(prefix), Interface: iface, Metric: metric}
	if gateway != "" {
		r.Gateway = addr(gateway)
	}
	return r
}

func tableOf(t *testing.T, routes ...Route) *Table {
	t.Helper()
	var table *Table
	for _, r := range routes {
		var err error
		if table, err = table.Add(r); err != nil {
			t.Fatalf("Add(%v): %v", r, err)
		}
	}
	return table
}

func TestLookup(t *testing.T) {
	table := tableOf(t,
		via("0.0.0.0/0", "10.0.0.1", 1, 100),
		via("0.0.0.0/0", "10.0.0.2", 1, 50),
		via("0.0.0.0/0", "192.168.0.1", 2, 200),
		via("10.0.0.0/24", "", 1, 0),
		via("10.0.0.0/24", "", 2, 10),
		via("10.0.0.128/25", "10.0.0.3", 1, 900),
		via("10.0.0.200/32", "10.0.0.4", 1, 7),
		via("10.0.0.200/32", "10.0.0.5", 1, 7),
		via("172.16.0.0/12", "10.0.0.6", 1, 0),
		Route{Prefix: netip.MustParsePrefix("172.16.5.0/24"), Kind: Blackhole},
		Route{Prefix: netip.MustParsePrefix("172.16.6.0/24"), Kind: Unreachable},
		Route{Prefix: netip.MustParsePrefix("172.16.7.0/24"), Kind: Prohibit},
		via("fe80::/64", "", 1, 256),
		via("fe80::/64", "", 2, 256),
		via("2001:db8::/32", "fe80::1", 1, 0),
		via("2001:db8::5/128", "fe80::5", 2, 0),
	)
	for _, tt := range []struct {
		why   string
		dst   string
		iface int
		want  string // gateway or "link", and the interface
		err   error
	}{
		{"the lower metric of two default routes", "8.8.8.8", 0, "10.0.0.2 1", nil},
		{"only routes of the interface", "8.8.8.8", 2, "192.168.0.1 2", nil},
		{"the longer prefix, whatever the metric", "10.0.0.129", 0, "10.0.0.3 1", nil},
		{"on the link", "10.0.0.5", 0, "link 1", nil},
		{"a shorter prefix on the interface asked for", "10.0.0.129", 2, "link 2", nil},
		{"the first added of equals", "10.0.0.200", 0, "10.0.0.4 1", nil},
		{"no route on the interface", "10.0.0.5", 3, "", syscall.ENETUNREACH},
		{"an interior prefix", "172.17.0.1", 0, "10.0.0.6 1", nil},
		{"a blackhole", "172.16.5.1", 0, "link 0", syscall.EINVAL},
		{"unreachable, on any interface", "172.16.6.1", 1, "link 0", syscall.EHOSTUNREACH},
		{"prohibited", "172.16.7.1", 0, "link 0", syscall.EACCES},
		{"IPv6, first added", "fe80::9", 0, "link 1", nil},
		{"IPv6, by interface", "fe80::9", 2, "link 2", nil},
		{"a zone is no part of the prefix", "fe80::9%eth1", 2, "link 2", nil},
		{"a host route", "2001:db8::5", 0, "fe80::5 2", nil},
		{"beside the host route", "2001:db8::4", 0, "fe80::1 1", nil},
		{"the host route is on another interface", "2001:db8::5", 1, "fe80::1 1", nil},
		{"IPv6 without a route", "2002::1", 0, "", syscall.ENETUNREACH},
		{"IPv4 in IPv6", "::ffff:10.0.0.200", 0, "10.0.0.4 1", nil},
	} {
		r, err := table.Lookup(addr(tt.dst), tt.iface)
		got := ""
		if r.Prefix.IsValid() {
			got = fmt.Sprintf("%v %d", r.Gateway, r.Interface)
			if !r.Gateway.IsValid() {
				got = fmt.Sprintf("link %d", r.Interface)
			}
		}
		if got != tt.want || err != tt.err {
			t.Errorf("%s: Lookup(%s, %d) = %q, %v; want %q, %v", tt.why, tt.dst, tt.iface, got, err, tt.want, tt.err)
		}
	}
}

func TestEmptyTableHasNoRoute(t *testing.T) {
	var none *Table
	for _, table := range []*Table{none, {}} {
		if _, err := table.Lookup(addr("10.0.0.1"), 0); err != syscall.ENETUNREACH {
			t.Errorf("Lookup: %v", err)
		}
		if _, err := table.Lookup(netip.Addr{}, 0); err != syscall.ENETUNREACH {
			t.Errorf("Lookup of nothing: %v", err)
		}
		if table.Len() != 0 || len(table.List()) != 0 {
			t.Error("not empty")
		}
		if _, err := table.Remove(via("10.0.0.0/8", "", 1, 0)); err != syscall.ESRCH {
			t.Errorf("Remove: %v", err)
		}
	}
}

func TestAddRefuses(t *testing.T) {
	table := tableOf(t, via("10.0.0.0/24", "", 1, 5))
	for _, tt := range []struct {
		why string
		r   Route
		err error
	}{
		{"no prefix", Route{Interface: 1}, syscall.EINVAL},
		{"a mapped prefix", via("::ffff:1.2.3.0/120", "", 1, 0), syscall.EINVAL},
		{"no interface", via("10.0.0.0/8", "", 0, 0), syscall.EINVAL},
		{"a negative interface", via("10.0.0.0/8", "", -1, 0), syscall.EINVAL},
		{"a negative metric", via("10.0.0.0/8", "", 1, -1), syscall.EINVAL},
		{"a gateway of the other family", via("10.0.0.0/8", "fe80::1", 1, 0), syscall.EINVAL},
		{"a mapped gateway", via("2001:db8::/32", "::ffff:1.2.3.4", 1, 0), syscall.EINVAL},
		{"an unknown kind", Route{Prefix: netip.MustParsePrefix("::/0"), Kind: 9}, syscall.EINVAL},
		{"a blackhole with a gateway", Route{Prefix: netip.MustParsePrefix("1.0.0.0/8"), Kind: Blackhole, Gateway: addr("1.2.3.4")}, syscall.EINVAL},
		{"a negative MTU", Route{Prefix: netip.MustParsePrefix("::/0"), Interface: 1, MTU: -1}, syscall.EINVAL},
		{"the same route", via("10.0.0.0/24", "", 1, 5), syscall.EEXIST},
		{"the same route, host bits set", via("10.0.0.77/24", "", 1, 5), syscall.EEXIST},
	} {
		if got, err := table.Add(tt.r); err != tt.err || got != table {
			t.Errorf("%s: %v, want %v and the table as it was", tt.why, err, tt.err)
		}
	}
	if _, err := table.Remove(Route{}); err != syscall.EINVAL {
		t.Errorf("Remove of nothing: %v", err)
	}
}

func TestTableIsBounded(t *testing.T) {
	table := &Table{size: MaxRoutes}
	if _, err := table.Add(via("10.0.0.0/8", "", 1, 0)); err != syscall.ENOBUFS {
		t.Errorf("Add to a full table: %v", err)
	}
}

func TestOldTablesStayAsTheyWere(t *testing.T) {
	a := tableOf(t, via("10.0.0.0/8", "10.0.0.1", 1, 0))
	b, _ := a.Add(via("10.1.0.0/16", "10.0.0.2", 1, 0))
	c, _ := b.Remove(via("10.0.0.0/8", "10.0.0.1", 1, 0))
	for _, tt := range []struct {
		table *Table
		want  string
	}{{a, "10.0.0.1"}, {b, "10.0.0.2"}, {c, "10.0.0.2"}} {
		if r, _ := tt.table.Lookup(addr("10.1.2.3"), 0); r.Gateway.String() != tt.want {
			t.Errorf("gateway %v, want %s", r.Gateway, tt.want)
		}
	}
	if a.Len() != 1 || b.Len() != 2 || c.Len() != 1 {
		t.Errorf("lengths %d, %d, %d", a.Len(), b.Len(), c.Len())
	}
}

// slowTable is the obvious table: it judges the fast one.
type slowTable []Route

func (s slowTable) lookup(dst netip.Addr, iface int) (best Route, ok bool) {
	for _, r := range s {
		if !r.Prefix.Contains(dst) || iface != 0 && r.Interface != iface {
			continue
		}
		if !ok || r.Prefix.Bits() > best.Prefix.Bits() ||
			r.Prefix.Bits() == best.Prefix.Bits() && r.Metric < best.Metric {
			best, ok = r, true
		}
	}
	return best, ok
}

func TestTableAgreesWithASlowOne(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	randomAddr := func() netip.Addr { // few bits vary, so that prefixes nest
		if rnd.IntN(2) == 0 {
			return netip.AddrFrom4([4]byte{10, byte(rnd.IntN(4)), byte(rnd.IntN(3)) << 6, byte(rnd.IntN(8))})
		}
		return netip.AddrFrom16([16]byte{0x20, 1, 7: byte(rnd.IntN(4)), 8: byte(rnd.IntN(4)) << 6, 15: byte(rnd.IntN(8))})
	}
	var table *Table
	var slow slowTable
	for step := range 4000 {
		a := randomAddr()
		r := Route{
			Prefix:    netip.PrefixFrom(a, rnd.IntN(a.BitLen()+1)).Masked(),
			Interface: 1 + rnd.IntN(3), Metric: rnd.IntN(3), MTU: step,
		}
		known := slices.IndexFunc(slow, func(s Route) bool { return s.same(&r) })
		var err error
		switch {
		case rnd.IntN(5) < 3:
			if table, err = table.Add(r); (err == nil) != (known < 0) {
				t.Fatalf("step %d: Add(%v): %v", step, r, err)
			}
			if known < 0 {
				slow = append(slow, r)
			}
		case len(slow) > 0:
			i := rnd.IntN(len(slow))
			if table, err = table.Remove(slow[i]); err != nil {
				t.Fatalf("step %d: Remove(%v): %v", step, slow[i], err)
			}
			slow = slices.Delete(slow, i, i+1)
		}
		for range 3 {
			dst, iface := randomAddr(), rnd.IntN(4)
			got, err := table.Lookup(dst, iface)
			want, ok := slow.lookup(dst, iface)
			if got != want || (err == nil) != ok {
				t.Fatalf("step %d: Lookup(%v, %d) = %v, %v; want %v", step, dst, iface, got, err, want)
			}
		}
		if table.Len() != len(slow) {
			t.Fatalf("step %d: %d routes, want %d", step, table.Len(), len(slow))
		}
	}
	if list := table.List(); !slices.IsSortedFunc(list, func(a, b Route) int {
		return cmp.Or(a.Prefix.Addr().Compare(b.Prefix.Addr()), a.Prefix.Bits()-b.Prefix.Bits(), a.Metric-b.Metric)
	}) {
		t.Errorf("not in order: %v", list)
	}
	odd := func(r *Route) bool { return r.Interface == 1 }
	table = table.RemoveFunc(odd)
	slow = slices.DeleteFunc(slow, func(r Route) bool { return odd(&r) })
	if table.Len() != len(slow) || len(table.List()) != len(slow) {
		t.Errorf("RemoveFunc left %d routes, want %d", table.Len(), len(slow))
	}
	if table = table.RemoveFunc(func(*Route) bool { return true }); table.v4 != nil || table.v6 != nil {
		t.Error("an empty table has nodes")
	}
}

func TestListIsInOrder(t *testing.T) {
	table := tableOf(t, via("::/0", "fe80::1", 1, 0), via("10.1.0.0/16", "", 1, 0), via("10.0.0.0/8", "", 1, 9),
		via("10.0.0.0/8", "", 2, 3), via("0.0.0.0/0", "10.0.0.1", 1, 0), via("9.0.0.0/8", "", 1, 0))
	var got []string
	for r := range table.All() {
		got = append(got, fmt.Sprint(r.Prefix, " ", r.Metric))
	}
	want := []string{"0.0.0.0/0 0", "9.0.0.0/8 0", "10.0.0.0/8 3", "10.0.0.0/8 9", "10.1.0.0/16 0", "::/0 0"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for range table.All() { // stopping early is allowed
		break
	}
}

func TestNextHop(t *testing.T) {
	r := via("10.0.0.0/8", "", 1, 0)
	if got := r.NextHop(addr("10.0.0.9")); got != addr("10.0.0.9") {
		t.Errorf("on the link: %v", got)
	}
	r.Gateway = addr("10.0.0.1")
	if got := r.NextHop(addr("10.0.0.9")); got != addr("10.0.0.1") {
		t.Errorf("behind a gateway: %v", got)
	}
}

func TestKindNames(t *testing.T) {
	for k, want := range []string{"unicast", "blackhole", "unreachable", "prohibit", "Kind(?)"} {
		if got := Kind(k).String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func manyRoutes(tb testing.TB, n int) *Table {
	rnd := rand.New(rand.NewPCG(3, 4))
	var table *Table
	for table.Len() < n {
		a := netip.AddrFrom4([4]byte{10, byte(rnd.IntN(256)), byte(rnd.IntN(256)), 0})
		next, err := table.Add(Route{Prefix: netip.PrefixFrom(a, 24), Interface: 1})
		if err != nil && err != syscall.EEXIST {
			tb.Fatal(err)
		}
		table = next
	}
	table, err := table.Add(via("0.0.0.0/0", "10.0.0.1", 1, 0))
	if err != nil {
		tb.Fatal(err)
	}
	return table
}

func TestLookupAllocatesNothing(t *testing.T) {
	table := manyRoutes(t, 1000)
	dst, none := addr("10.7.7.7"), addr("2001:db8::1")
	if n := testing.AllocsPerRun(100, func() {
		_, _ = table.Lookup(dst, 0)
		_, _ = table.Lookup(none, 1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

var sizes = []int{1, 10, 100, 1000, 10000}

// However many routes there are, a look-up passes a node for each byte of an address at
// the most.
func TestLookupTakesFewSteps(t *testing.T) {
	for _, n := range sizes {
		table := manyRoutes(t, n)
		for _, tt := range []struct {
			root  *node
			bytes int
		}{{table.v4, 4}, {table.v6, 16}} {
			if steps := tt.root.height(); steps > tt.bytes {
				t.Errorf("%d routes: %d steps for %d bytes", n, steps, tt.bytes)
			}
		}
	}
	// Routes within routes, one for each length, are the deepest there can be.
	table := new(Table)
	for _, a := range []netip.Addr{addr("10.1.2.3"), addr("2001:db8:1:2:3:4:5:6")} {
		for length := range a.BitLen() + 1 {
			prefix, err := a.Prefix(length)
			if err != nil {
				t.Fatal(err)
			}
			if table, err = table.Add(Route{Prefix: prefix, Interface: 1}); err != nil {
				t.Fatal(err)
			}
		}
		if steps := (*table.root(a)).height(); steps != a.BitLen()/8 {
			t.Errorf("all prefixes of %v: %d steps", a, steps)
		}
	}
}

// height is how many nodes the longest way down has.
func (n *node) height() int {
	if n == nil {
		return 0
	}
	most := 0
	for _, c := range n.child {
		most = max(most, c.height())
	}
	return 1 + most
}

func BenchmarkLookup(b *testing.B) {
	for _, n := range sizes {
		table := manyRoutes(b, n)
		var dsts [256]netip.Addr
		for i := range dsts {
			dsts[i] = netip.AddrFrom4([4]byte{10, byte(i), byte(i * 7), 1})
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				_, _ = table.Lookup(dsts[i&255], 0)
			}
		})
	}
}

func BenchmarkLookup6(b *testing.B) {
	for _, n := range sizes {
		var table *Table
		var dsts [256]netip.Addr
		for i := range n {
			a := netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, byte(i >> 8), byte(i), 15: 1})
			dsts[i*7&255] = a
			table, _ = table.Add(Route{Prefix: netip.PrefixFrom(a, 48+16*(i%2)), Interface: 1})
		}
		for i := range dsts {
			if !dsts[i].IsValid() {
				dsts[i] = dsts[0]
			}
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				_, _ = table.Lookup(dsts[i&255], 0)
			}
		})
	}
}

// A route more in a table of so many, and one less.
func BenchmarkChange(b *testing.B) {
	r := via("10.7.7.128/25", "10.0.0.9", 1, 0)
	for _, n := range sizes {
		table := manyRoutes(b, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				more, err := table.Add(r)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = more.Remove(r)
			}
		})
	}
}
