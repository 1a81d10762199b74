package tcp

import "unsafe"

// rare is what most connections never need: its memory is taken when something
// of it is.
type rare struct {
	search   *mtuSearch   // the path MTU is being searched for
	accurate *accurateECN // marks are counted; not nil if ecn.accurate
	fast     *fastOpen    // the connection was opened with data in the SYN, or tried to be

	bytesRetrans uint64
	retrans      uint32 // segments resent
	dsacks       uint32 // segments that arrived twice
	deliveredCE  uint32 // segments that the peer says were marked
}

// nothing is what a connection has that never needed any of it. It is only read.
var nothing rare

// memory returns the bytes that it takes.
func (r *rare) memory() int {
	if r == nil {
		return 0
	}
	n := int(unsafe.Sizeof(*r))
	if r.fast != nil {
		n += int(unsafe.Sizeof(*r.fast))
	}
	if r.search != nil {
		n += int(unsafe.Sizeof(*r.search))
	}
	if r.accurate != nil {
		n += int(unsafe.Sizeof(*r.accurate))
	}
	return n
}

// seldom returns it to read, need to change it.
func (c *Conn) seldom() *rare {
	if c.rare == nil {
		return &nothing
	}
	return c.rare
}

func (c *Conn) need() *rare {
	if c.rare == nil {
		c.rare = new(rare)
	}
	return c.rare
}
