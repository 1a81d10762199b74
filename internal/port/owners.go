package port

import "math/bits"

// owners are the bindings of one port that are of one class, and those of the
// other classes: a list, the newest class first. Its zero value is none.
//
// Most ports of a host with many connections have one owner, and most of these
// owners are alike: so a class is kept once, whoever has it.
type owners struct {
	class *sharedClass
	count int
	next  *owners
}

// A sharedClass is the one copy of a class that the bindings of a protocol have in
// common.
type sharedClass struct {
	class
	bindings int // that have it
}

// share returns the copy of a class for one more binding.
func (s *space) share(c class) *sharedClass {
	shared := s.classes[c]
	if shared == nil {
		if shared, s.spare = s.spare, nil; shared == nil {
			shared = new(sharedClass)
		}
		shared.class = c
		s.classes[c] = shared
	}
	shared.bindings++
	return shared
}

// unshare is the reverse of share. One copy that nobody has any more is kept for the
// next class, as that of a host with a connection at a time.
func (s *space) unshare(c *sharedClass) {
	if c.bindings--; c.bindings == 0 {
		delete(s.classes, c.class)
		s.spare = c
	}
}

// add counts one more of a class, and returns the list.
func (o owners) add(c *sharedClass) owners {
	if o.count == 0 {
		return owners{c, 1, nil}
	}
	for g := &o; g != nil; g = g.next {
		if g.class == c {
			g.count++
			return o
		}
	}
	older := o
	return owners{c, 1, &older}
}

// remove counts one less, and returns the list.
func (o owners) remove(c *sharedClass) owners {
	if o.class == c {
		if o.count--; o.count > 0 {
			return o
		}
		return o.rest()
	}
	for at := &o.next; *at != nil; at = &(*at).next {
		if g := *at; g.class == c {
			if g.count--; g.count == 0 {
				*at = g.next
			}
			break
		}
	}
	return o
}

// claimed tells whether there is one that Connect did not choose the port for.
// Then Connect does not choose this port for anybody.
func (o owners) claimed() bool {
	for o.count > 0 {
		if !o.class.chosen {
			return true
		}
		o = o.rest()
	}
	return false
}

// rest is the list without its first class.
func (o owners) rest() owners {
	if o.next == nil {
		return owners{}
	}
	return *o.next
}

// refuse tells whether the owners keep a newcomer out. An owner that agrees to
// share speaks for the older ones, as with Linux's UDP.
func (o owners) refuse(newcomer *class, judge rules) bool {
	for ; o.count > 0; o = o.rest() {
		switch judge(newcomer, &o.class.class) {
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
