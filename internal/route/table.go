package route

import (
	"iter"
	"net/netip"
	"slices"
	"syscall"
)

// MaxRoutes is the most routes that a table takes. Add refuses more with
// ENOBUFS: routes come from the host's owner and, a few each, from router
// advertisements, and whoever overflows this has made a mistake that an
// eviction would hide.
const MaxRoutes = 1 << 16

// A Table is an immutable routing table; nil and the zero Table are empty.
type Table struct {
	v4, v6 *node
	size   int
}

// Add returns a table with r in it. EINVAL for a route that makes no sense,
// EEXIST if the table has one with the same prefix, metric, gateway, interface
// and kind, ENOBUFS at MaxRoutes.
func (t *Table) Add(r Route) (*Table, error) {
	r, err := r.canonical()
	if err != nil {
		return t, err
	}
	if t.contains(&r) {
		return t, syscall.EEXIST
	}
	if t.Len() >= MaxRoutes {
		return t, syscall.ENOBUFS
	}
	c := t.copy()
	c.size++
	root := c.root(r.Prefix.Addr())
	*root = (*root).insert(keyOf(r.Prefix.Addr()), &r)
	return c, nil
}

// Remove returns a table without the route that has r's prefix, metric,
// gateway, interface and kind; ESRCH if there is none.
func (t *Table) Remove(r Route) (*Table, error) {
	r, err := r.canonical()
	if err != nil {
		return t, err
	}
	if !t.contains(&r) {
		return t, syscall.ESRCH
	}
	c := t.copy()
	c.size--
	root := c.root(r.Prefix.Addr())
	*root = (*root).remove(keyOf(r.Prefix.Addr()), &r)
	return c, nil
}

// RemoveFunc returns a table without the routes that drop picks: those of an
// interface that went away, those that an address brought.
func (t *Table) RemoveFunc(drop func(*Route) bool) *Table {
	c := t.copy()
	c.v4, c.v6 = c.v4.filter(drop), c.v6.filter(drop)
	c.size = 0
	for range c.All() {
		c.size++
	}
	return c
}

// Lookup returns the route to dst: of those that fit the interface (0 for
// any), the one with the longest prefix, then the lowest metric, then the
// first added. ENETUNREACH if there is none; for a route that is not Unicast,
// that route and the error of its kind. A zone in dst is ignored: give its
// interface.
//
// It takes no lock and no memory.
func (t *Table) Lookup(dst netip.Addr, iface int) (Route, error) {
	if t == nil || !dst.IsValid() {
		return Route{}, syscall.ENETUNREACH
	}
	dst = dst.Unmap()
	root := t.v6
	if dst.Is4() {
		root = t.v4
	}
	return found(root.lookup(keyOf(dst), iface, nil))
}

// LookupAround is Lookup that, of the routes to one prefix, prefers those that
// avoid does not speak against.
func (t *Table) LookupAround(dst netip.Addr, iface int, avoid func(*Route) bool) (Route, error) {
	if t == nil || !dst.IsValid() {
		return Route{}, syscall.ENETUNREACH
	}
	dst = dst.Unmap()
	return found((*t.root(dst)).lookup(keyOf(dst), iface, avoid))
}

func found(r *Route) (Route, error) {
	if r == nil {
		return Route{}, syscall.ENETUNREACH
	}
	return *r, r.Kind.Err()
}

// All gives the routes, IPv4 before IPv6, by address, prefix length and
// preference.
func (t *Table) All() iter.Seq[Route] {
	return func(yield func(Route) bool) {
		if t != nil && t.v4.walk(yield) {
			t.v6.walk(yield)
		}
	}
}

// List returns the routes in the order of All.
func (t *Table) List() []Route { return slices.Collect(t.All()) }

// Len returns the number of routes.
func (t *Table) Len() int {
	if t == nil {
		return 0
	}
	return t.size
}

func (t *Table) copy() *Table {
	if t == nil {
		return new(Table)
	}
	c := *t
	return &c
}

func (t *Table) root(a netip.Addr) **node {
	if a.Is4() {
		return &t.v4
	}
	return &t.v6
}

func (t *Table) contains(r *Route) bool {
	if t == nil {
		return false
	}
	a := r.Prefix.Addr()
	return slices.ContainsFunc((*t.root(a)).exact(keyOf(a), r.Prefix.Bits()), r.equal)
}
