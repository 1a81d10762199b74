package berth

import (
	"net/netip"

	"example.com/berth/internal/lean"
)

// An addrTable is what belongs to each of some addresses. As few as most hosts
// have are compared one after the other, which takes a fraction of a map's hash;
// from there on it is a map.
type addrTable[V any] struct {
	few  []addrRow[V]
	many map[netip.Addr]V // nil while there are few
}

type addrRow[V any] struct {
	_ lean.Incomparable

	addr  netip.Addr
	value V
}

// fewAddrs is how many are compared one after the other.
const fewAddrs = 8

// get returns what belongs to an address.
func (t *addrTable[V]) get(a netip.Addr) (v V, ok bool) {
	if t.many != nil {
		return t.find(a)
	}
	for i := range t.few {
		if t.few[i].addr == a {
			return t.few[i].value, true
		}
	}
	return v, false
}

// find is get where there are many.
// It is called seldom, and too much to have a copy at every call.
//
//go:noinline
func (t *addrTable[V]) find(a netip.Addr) (v V, ok bool) {
	v, ok = t.many[a]
	return v, ok
}

// has tells whether an address is in the table.
func (t *addrTable[V]) has(a netip.Addr) bool {
	_, ok := t.get(a)
	return ok
}

// set enters an address, or replaces what belongs to it. It is called seldom, and is
// too much to have a copy at every call.
//
//go:noinline
func (t *addrTable[V]) set(a netip.Addr, v V) {
	if t.many != nil {
		t.many[a] = v
		return
	}
	for i := range t.few {
		if t.few[i].addr == a {
			t.few[i].value = v
			return
		}
	}
	if t.few = append(t.few, addrRow[V]{addr: a, value: v}); len(t.few) <= fewAddrs {
		return
	}
	t.many = make(map[netip.Addr]V, len(t.few))
	for _, r := range t.few {
		t.many[r.addr] = r.value
	}
	t.few = nil
}
