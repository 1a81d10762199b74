package impair

import (
	"time"

	"example.com/berth/link"
)

// A schedule holds packets until they are due. Those due at one time leave in
// the order they came.
type schedule struct {
	heap  []entry // the earliest first
	held  []held
	count uint64
	bytes int
}

// An entry is a packet on its way.
type entry struct {
	due   time.Duration
	order uint64
	frame *link.Kept
}

func (e *entry) before(o *entry) bool {
	return e.due < o.due || e.due == o.due && e.order < o.order
}

// A held packet waits until a number of others have left in its stead.
type held struct {
	entry
	gap   int
	until time.Duration
}

// maxHeld bounds the packets held back for reordering: one more is not
// reordered.
const maxHeld = 1024

func (s *schedule) empty() bool { return len(s.heap) == 0 && len(s.held) == 0 }

// add schedules a packet.
func (s *schedule) add(k *link.Kept, due time.Duration) {
	s.bytes += k.Len()
	s.push(entry{due: due, frame: k})
}

// holdBack schedules a packet to leave right after the gap-th one that is added
// from now on and counted by overtaken, or hold after it would have been due.
func (s *schedule) holdBack(k *link.Kept, due time.Duration, gap int, hold time.Duration) {
	if len(s.held) == maxHeld {
		s.add(k, due)
		return
	}
	s.bytes += k.Len()
	s.held = append(s.held, held{entry{due: due, frame: k}, gap, due + hold})
}

// overtaken counts a packet that leaves at due against those held back.
func (s *schedule) overtaken(due time.Duration) {
	kept := s.held[:0]
	for _, h := range s.held {
		if h.gap--; h.gap > 0 {
			kept = append(kept, h)
		} else {
			h.due = max(h.due, due)
			s.push(h.entry)
		}
	}
	s.shorten(kept)
}

// expire schedules those that have been held back for long enough.
func (s *schedule) expire(now time.Duration) {
	kept := s.held[:0]
	for _, h := range s.held {
		if h.until > now {
			kept = append(kept, h)
		} else {
			h.due = h.until
			s.push(h.entry)
		}
	}
	s.shorten(kept)
}

// shorten keeps those of the held packets, which lie at the slice's beginning.
func (s *schedule) shorten(kept []held) {
	clear(s.held[len(kept):])
	s.held = kept
}

// next returns when the schedule is to be looked at again.
func (s *schedule) next() (at time.Duration, ok bool) {
	if len(s.heap) > 0 {
		at, ok = s.heap[0].due, true
	}
	for i := range s.held {
		if u := s.held[i].until; !ok || u < at {
			at, ok = u, true
		}
	}
	return at, ok
}

// take returns the first packet due at now, or nil.
func (s *schedule) take(now time.Duration) *link.Kept {
	if len(s.held) > 0 {
		s.expire(now)
	}
	if len(s.heap) == 0 || s.heap[0].due > now {
		return nil
	}
	k := s.pop().frame
	s.bytes -= k.Len()
	return k
}

// clear releases all packets.
func (s *schedule) clear() {
	for _, e := range s.heap {
		e.frame.Release()
	}
	for _, h := range s.held {
		h.frame.Release()
	}
	*s = schedule{}
}

// push and pop are those of a binary heap.
func (s *schedule) push(e entry) {
	s.count++
	e.order = s.count
	s.heap = append(s.heap, e)
	for i := len(s.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if s.heap[parent].before(&s.heap[i]) {
			return
		}
		s.heap[parent], s.heap[i] = s.heap[i], s.heap[parent]
		i = parent
	}
}

func (s *schedule) pop() entry {
	first, last := s.heap[0], len(s.heap)-1
	s.heap[0] = s.heap[last]
	s.heap[last] = entry{}
	s.heap = s.heap[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return first
		}
		if child+1 < last && s.heap[child+1].before(&s.heap[child]) {
			child++
		}
		if s.heap[i].before(&s.heap[child]) {
			return first
		}
		s.heap[i], s.heap[child] = s.heap[child], s.heap[i]
		i = child
	}
}
