package port

import (
	"math/bits"
	"slices"
)

// owners are the bindings of one port, counted by class, the newest class
// first.
type owners struct {
	groups []group
	// claimed counts those that Connect did not choose the port for. While
	// there is one, Connect does not choose this port for anybody.
	claimed int
}

type group struct {
	class
	count int
}

func (o *owners) add(c class) {
	if !c.chosen {
		o.claimed++
	}
	for i := range o.groups {
		if o.groups[i].class == c {
			o.groups[i].count++
			return
		}
	}
	o.groups = slices.Insert(o.groups, 0, group{c, 1})
}

func (o *owners) remove(c class) {
	if !c.chosen {
		o.claimed--
	}
	for i := range o.groups {
		if g := &o.groups[i]; g.class == c {
			if g.count--; g.count == 0 {
				o.groups = slices.Delete(o.groups, i, i+1)
			}
			return
		}
	}
}

// refuse tells whether the owners keep a newcomer out. An owner that agrees to
// share speaks for the older ones, as with Linux's UDP.
func (o *owners) refuse(newcomer *class, judge rules) bool {
	if o == nil {
		return false
	}
	for i := range o.groups {
		switch judge(newcomer, &o.groups[i].class) {
		case conflict:
			return true
		case shares:
			return false
		}
	}
	return false
}

// bitmap says which ports have owners.
type bitmap [1 << 16 / 64]uint64

func (m *bitmap) set(p uint16)      { m[p/64] |= 1 << (p % 64) }
func (m *bitmap) clear(p uint16)    { m[p/64] &^= 1 << (p % 64) }
func (m *bitmap) has(p uint16) bool { return m[p/64]>>(p%64)&1 != 0 }

// nextClear returns the first port from first to last that is not in m, or
// false.
func (m *bitmap) nextClear(first, last uint16) (uint16, bool) {
	for p := int(first); p <= int(last); p = p&^63 + 64 {
		free := ^m[p/64] >> (p % 64)
		if free == 0 {
			continue
		}
		if p += bits.TrailingZeros64(free); p <= int(last) {
			return uint16(p), true
		}
		return 0, false
	}
	return 0, false
}
