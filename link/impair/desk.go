package impair

import (
	"sync"

	"example.com/berth/link"
	"example.com/berth/link/gso"
)

// A desk is the working memory for packets that come in. It is in use until
// those that leave at once have left, and that may lead to another call.
type desk struct {
	cutter gso.Cutter
	frame  link.Frame   // what a rule has made of the packet in hand
	open   bool         // packets that leave at once may lie here
	direct []link.Frame // those; lent
}

var desks = sync.Pool{New: func() any { return new(desk) }}

// clear gives the desk back.
func (d *desk) clear() {
	clear(d.direct)
	d.direct, d.frame, d.open = d.direct[:0], link.Frame{}, false
	desks.Put(d)
}
