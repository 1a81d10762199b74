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
	count uint64 // of all that entered the heap
	bytes int

	overtook uint64        // packets that counted as overtaking
	release  uint64        // the least overtook at which one of held leaves
	soonest  time.Duration // the least until of held
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
	release uint64        // the value of overtook at which it leaves
	until   time.Duration // when it leaves anyway
}

// maxHeld bounds the packets held back for reordering: one more is not
// reordered.
const maxHeld = 1024

func (s *schedule) empty() bool { return s.len() == 0 }

func (s *schedule) len() int { return len(s.heap) + len(s.held) }

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
	h := held{entry{due: due, frame: k}, s.overtook + uint64(gap), due + hold}
	s.note(&h, len(s.held) == 0)
	s.held = append(s.held, h)
}

// overtaken counts a packet that leaves at due against those held back.
func (s *schedule) overtaken(due time.Duration) {
	s.overtook++
	if len(s.held) > 0 && s.overtook >= s.release {
		s.let(func(h *held) bool {
			h.due = min(max(h.due, due), h.until)
			return h.release <= s.overtook
		})
	}
}

// expire schedules those that have been held back for long enough.
func (s *schedule) expire(now time.Duration) {
	if len(s.held) > 0 && now >= s.soonest {
		s.let(func(h *held) bool {
			h.due = h.until
			return h.until <= now
		})
	}
}

// let moves those of the held packets to the heap for which f says so, which
// also sets when they are due.
func (s *schedule) let(f func(*held) bool) {
	kept := s.held[:0]
	for _, h := range s.held {
		if g := h; f(&g) {
			s.push(g.entry)
		} else {
			s.note(&h, len(kept) == 0)
			kept = append(kept, h)
		}
	}
	clear(s.held[len(kept):])
	s.held = kept
}

// note keeps the least values of those that are held.
func (s *schedule) note(h *held, first bool) {
	if first || h.release < s.release {
		s.release = h.release
	}
	if first || h.until < s.soonest {
		s.soonest = h.until
	}
}

// next returns when the schedule is to be looked at again.
func (s *schedule) next() (at time.Duration, ok bool) {
	if len(s.heap) > 0 {
		at, ok = s.heap[0].due, true
	}
	if len(s.held) > 0 && (!ok || s.soonest < at) {
		at, ok = s.soonest, true
	}
	return at, ok
}

// take returns the first packet due at now, or nil.
func (s *schedule) take(now time.Duration) *link.Kept {
	s.expire(now)
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
