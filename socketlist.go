package berth

import (
	"sync"
	"syscall"
)

// A socketList has the sockets that programs have made and not closed. It is in
// parts with a lock each, so that processors that make and close sockets do not
// wait for each other. Connections that were accepted are not in it: the
// demultiplexer has them.
type socketList struct {
	parts [listParts]struct {
		sync.Mutex // guards what follows, and the places of the sockets in it
		all        []endpoint
		closed     bool
	}
}

const listParts = 16

// A listPlace is where a socket is in the list: its part, from 1 on, and its place
// there. The zero value is none.
type listPlace struct {
	part  uint8
	index uint32
}

// insert enters a socket, in a part that is picked by a number. ENETDOWN once the
// list is closed.
func (l *socketList) insert(s endpoint, pick uint8) error {
	place := &s.base().place
	place.part = 1 + pick%listParts
	p := &l.parts[place.part-1]
	p.Lock()
	defer p.Unlock()
	if p.closed {
		place.part = 0
		return syscall.ENETDOWN
	}
	place.index = uint32(len(p.all))
	p.all = append(p.all, s)
	return nil
}

// remove takes a socket out, if it is there: the last one takes its place.
func (l *socketList) remove(s *sock) {
	if s.place.part == 0 {
		return
	}
	p := &l.parts[s.place.part-1]
	p.Lock()
	defer p.Unlock()
	i, last := s.place.index, len(p.all)-1
	p.all[i] = p.all[last]
	p.all[i].base().place.index = i
	p.all[last] = nil
	p.all = p.all[:last]
	s.place.part = 0
}

// close keeps others out.
func (l *socketList) close() {
	for i := range l.parts {
		p := &l.parts[i]
		p.Lock()
		p.closed = true
		p.Unlock()
	}
}

// each calls f for every socket.
func (l *socketList) each(f func(endpoint)) {
	for i := range l.parts {
		p := &l.parts[i]
		p.Lock()
		for _, s := range p.all {
			f(s)
		}
		p.Unlock()
	}
}
