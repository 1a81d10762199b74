package eventloop

import "sync"

// An ID is a descriptor's place in a loop. The zero ID is none's.
type ID uint64

// slots are the descriptors of a loop. An ID has the number of the slot, and of how
// often it was taken before: an event that is on its way when its descriptor is
// removed finds nobody, also if the slot has another by then.
type slots struct {
	mu   sync.Mutex
	all  []slot
	free []uint32
}

type slot struct {
	turn    uint32 // odd while it is taken
	fd      int
	handler Handler
}

// add takes a slot.
func (s *slots) add(fd int, h Handler) ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) == 0 {
		s.free = append(s.free, uint32(len(s.all)))
		s.all = append(s.all, slot{})
	}
	n := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	at := &s.all[n]
	at.turn++
	at.fd, at.handler = fd, h
	return ID(n) | ID(at.turn)<<32
}

// find returns who has an ID, if that is still so.
func (s *slots) find(id ID) (fd int, h Handler, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := int(uint32(id)); n < len(s.all) && s.all[n].turn == uint32(id>>32) && s.all[n].turn&1 == 1 {
		return s.all[n].fd, s.all[n].handler, true
	}
	return -1, nil, false
}

// remove gives a slot back, and tells whether there was one.
func (s *slots) remove(id ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := int(uint32(id))
	if n >= len(s.all) || s.all[n].turn != uint32(id>>32) || s.all[n].turn&1 == 0 {
		return false
	}
	s.all[n] = slot{turn: s.all[n].turn + 1, fd: -1}
	s.free = append(s.free, uint32(n))
	return true
}
