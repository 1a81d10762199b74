package berth

import (
	"net/netip"
	"sync"
)

// arrivals are the connections that segments of one batch of frames have come
// for. A connection takes in all of them before it is asked what to send, so that
// one acknowledgment answers all (RFC 9293 section 3.10.7.4, MUST-59), and who
// waits is woken once. There are at most as many as frames in the batch.
//
// The next segment of a batch is often for the same connection as the one before,
// which then is not looked for again.
type arrivals struct {
	due           []*stream
	last          *stream        // the connection of the latest segment, or nil
	local, remote netip.AddrPort // its ends
}

var arrivalsPool = sync.Pool{New: func() any { return new(arrivals) }}

// put has the connection pumped at the end of the batch. Its lock is held. It is
// false if that cannot wait: there is no batch, or the machine has something to
// tell of this segment that the next one would take the place of.
func (a *arrivals) put(s *stream) bool {
	if a == nil || s.conn.Particular() {
		return false
	}
	if !s.due {
		s.due = true
		a.due = append(a.due, s)
	}
	return true
}

// latest is the connection of the segment before, if that had the same ends. It may
// be gone by now, as one that was looked for may be when its turn comes.
func (a *arrivals) latest(local, remote netip.AddrPort) *stream {
	if a == nil || a.last == nil || a.remote != remote || a.local != local {
		return nil
	}
	return a.last
}

// note takes note of the connection of a segment.
func (a *arrivals) note(s *stream, local, remote netip.AddrPort) {
	if a != nil && a.last != s {
		a.last, a.local, a.remote = s, local, remote
	}
}

// settle is the end of the batch. No lock is held.
func (a *arrivals) settle() {
	a.note(nil, netip.AddrPort{}, netip.AddrPort{})
	for i, s := range a.due {
		a.due[i] = nil
		s.mu.Lock()
		s.due = false
		if s.opened {
			s.pumpOrLeave(s.host.now())
		}
		s.mu.Unlock()
	}
	a.due = a.due[:0]
	arrivalsPool.Put(a)
}
