package tcp

import (
	"time"
	"unsafe"

	"example.com/berth/internal/lean"
)

// rare is what most connections never need: its memory is taken when something
// of it is.
type rare struct {
	_ lean.Incomparable

	search   *mtuSearch   // the path MTU is being searched for
	accurate *accurateECN // marks are counted; not nil if ecn.accurate
	fast     *fastOpen    // the connection was opened with data in the SYN, or tried to be
	keys     keyholder    // the user has set keys
	auth     Auth         // and there are some for the peer

	limits limits
	rto    rtoStats

	bytesRetrans uint64
	retrans      uint32 // segments resent
	dsacks       uint32 // segments that arrived twice
	deliveredCE  uint32 // segments that the peer says were marked
	outOfOrder   uint32 // segments taken out of order
	ipOptions    uint8  // bytes of them in each IP header
}

// rtoStats are about retransmission time-outs.
type rtoStats struct {
	count uint16
	rows  uint16    // of which the next comes before an acknowledgment
	time  stopwatch // from the first of a row to its end
}

// noteRTO takes note of a time-out, before retries counts it.
func (c *Conn) noteRTO(now time.Duration) {
	s := &c.need().rto
	s.count++
	if c.retries == 0 {
		s.rows++
		s.time.start(now)
	}
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
	if r.keys != nil {
		n += r.keys.memory()
	}
	if r.auth != nil {
		n += r.auth.memory()
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
		c.makeRare()
	}
	return c.rare
}

// makeRare is called seldom, and too much to have a copy at every call.
//
//go:noinline
func (c *Conn) makeRare() { c.rare = new(rare) }
